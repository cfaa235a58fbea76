use std::time::Duration;

use live_session_core::limits::MAX_SESSION;
use live_session_core::ports::{Admission, Capacity, SessionRefusal, Store};
use live_session_core::{Connection, Session, SessionStatus};

use crate::support::fixtures::*;

const ID: &str = "merciful-truth-455-k7dq2m9x4hw3t";

pub(super) async fn a_listener_is_recorded_and_counted(store: &impl Store) {
    let session = created(store, ID).await;
    let listener = Connection {
        user_id: Some(user("bob")),
        ..listener("a=", &session)
    };
    let admission = store.admit_listener(&listener, capacity(500), NOW).await;
    assert_eq!(admission, Ok(Admission::Admitted));
    assert_eq!(store.connection(&id("a=")).await, Ok(Some(listener)));
    assert_eq!(count(store, &session).await, 1);
}

pub(super) async fn joining_again_counts_once(store: &impl Store) {
    let session = with_listeners(store, ID, &["a="]).await;
    let first = listener("a=", &session);
    let again = Connection {
        target_language: Some(language("fr")),
        last_seen_at: NOW.after(MINUTE),
        ..first.clone()
    };
    // Even if the session is full.
    for listeners in [500, 1, 0] {
        let admission = store.admit_listener(&again, capacity(listeners), NOW).await;
        assert_eq!(admission, Ok(Admission::AlreadyJoined(first.clone())));
    }
    assert_eq!(store.connection(&id("a=")).await, Ok(Some(first)));
    assert_eq!(count(store, &session).await, 1);
}

pub(super) async fn a_connection_is_in_one_session_and_role(store: &impl Store) {
    let session = with_listeners(store, ID, &["a="]).await;
    let other = created(store, "brave-river-123-k7dq2m9x4hw3t").await;
    let there = Admission::InOtherSession(listener("a=", &session));
    let admission = store
        .admit_listener(&listener("a=", &other), capacity(500), NOW)
        .await;
    assert_eq!(admission, Ok(there.clone()));
    let admission = store.admit_speaker(&speaker("a=", &other), NOW).await;
    assert_eq!(admission, Ok(there.clone()));
    let admission = store.admit_speaker(&speaker("a=", &session), NOW).await;
    assert_eq!(admission, Ok(there));
    assert_eq!(stored(store, &other).await, other);
    assert_eq!(stored(store, &session).await.speaker_connection_id, None);

    store
        .admit_speaker(&speaker("s=", &session), NOW)
        .await
        .unwrap();
    let admission = store
        .admit_listener(&listener("s=", &session), capacity(500), NOW)
        .await;
    assert_eq!(
        admission,
        Ok(Admission::InOtherSession(speaker("s=", &session)))
    );
    assert_eq!(count(store, &session).await, 1);
}

pub(super) async fn a_full_session_admits_nobody(store: &impl Store) {
    let session = created(store, ID).await;
    for connection in ["a=", "b="] {
        let listener = listener(connection, &session);
        let admission = store.admit_listener(&listener, capacity(2), NOW).await;
        assert_eq!(admission, Ok(Admission::Admitted));
    }
    let admission = store
        .admit_listener(&listener("c=", &session), capacity(2), NOW)
        .await;
    assert_eq!(admission, Ok(Admission::Refused(SessionRefusal::Full)));
    assert_eq!(store.connection(&id("c=")).await, Ok(None));
    assert_eq!(count(store, &session).await, 2);
    // The speaker does not count.
    let admission = store.admit_speaker(&speaker("s=", &session), NOW).await;
    assert_eq!(admission, Ok(Admission::Admitted));
}

async fn refused(store: &impl Store, session: &Session, refusal: SessionRefusal) {
    let expected = Ok(Admission::Refused(refusal));
    assert_eq!(
        store
            .admit_listener(&listener("a=", session), capacity(500), NOW)
            .await,
        expected
    );
    assert_eq!(
        store.admit_speaker(&speaker("s=", session), NOW).await,
        expected
    );
    assert_eq!(store.connection(&id("a=")).await, Ok(None));
    assert_eq!(store.connection(&id("s=")).await, Ok(None));
}

pub(super) async fn an_inactive_session_admits_nobody(store: &impl Store) {
    let session = created(store, ID).await;
    let (session_id, owner) = (&session.session_id, user(OWNER));
    store
        .set_status(session_id, &owner, SessionStatus::Paused, NOW)
        .await
        .unwrap()
        .unwrap();
    // Its owner reconnects, and listeners who replace a connection.
    let paused = SessionRefusal::WrongStatus(SessionStatus::Paused);
    let admission = store
        .admit_listener(&listener("a=", &session), capacity(500), NOW)
        .await;
    assert_eq!(admission, Ok(Admission::Refused(paused)));
    assert_eq!(store.connection(&id("a=")).await, Ok(None));
    let admission = store.admit_speaker(&speaker("t=", &session), NOW).await;
    assert_eq!(admission, Ok(Admission::Admitted));
    store
        .begin_end(session_id, &owner, NOW)
        .await
        .unwrap()
        .unwrap();
    refused(
        store,
        &session,
        SessionRefusal::WrongStatus(SessionStatus::Ending),
    )
    .await;
    store.finish_end(session_id, NOW).await.unwrap();
    refused(
        store,
        &session,
        SessionRefusal::WrongStatus(SessionStatus::Ended),
    )
    .await;
    assert_eq!(count(store, &session).await, 0);
}

pub(super) async fn a_session_admits_connections_until_its_end(store: &impl Store) {
    let session = created(store, ID).await;
    let end = NOW.after(MAX_SESSION);
    let over = Ok(Admission::Refused(SessionRefusal::WrongStatus(
        SessionStatus::Ended,
    )));
    assert_eq!(
        store
            .admit_listener(&listener("a=", &session), capacity(500), end)
            .await,
        over
    );
    assert_eq!(
        store.admit_speaker(&speaker("s=", &session), end).await,
        over
    );
    assert_eq!(stored(store, &session).await, session);

    let last = end.before(Duration::from_millis(1));
    let admission = store
        .admit_listener(&listener("a=", &session), capacity(500), last)
        .await;
    assert_eq!(admission, Ok(Admission::Admitted));
    let admission = store.admit_speaker(&speaker("s=", &session), last).await;
    assert_eq!(admission, Ok(Admission::Admitted));
}

pub(super) async fn an_unknown_session_admits_nobody(store: &impl Store) {
    refused(store, &session(ID), SessionRefusal::NoSession).await;
    assert_eq!(store.session(&session_id(ID)).await, Ok(None));
}

pub(super) async fn the_owner_becomes_the_speaker(store: &impl Store) {
    let session = created(store, ID).await;
    let (speaker, later) = (speaker("s=", &session), NOW.after(MINUTE));
    assert_eq!(
        store.admit_speaker(&speaker, later).await,
        Ok(Admission::Admitted)
    );
    assert_eq!(store.connection(&id("s=")).await, Ok(Some(speaker)));
    let mut expected = Session {
        speaker_connection_id: Some(id("s=")),
        earlier_speaker_connection_id: Some(id("s=")),
        updated_at: later,
        ..session.clone()
    };
    expected.broadcast_state.is_active = true;
    expected.broadcast_state.last_state_change = later;
    assert_eq!(stored(store, &session).await, expected);
}

pub(super) async fn nobody_else_becomes_the_speaker(store: &impl Store) {
    let session = created(store, ID).await;
    for other in [Some(user("bob")), None] {
        let speaker = Connection {
            user_id: other,
            ..speaker("s=", &session)
        };
        let admission = store.admit_speaker(&speaker, NOW).await;
        assert_eq!(admission, Ok(Admission::Refused(SessionRefusal::NotOwner)));
    }
    assert_eq!(store.connection(&id("s=")).await, Ok(None));
    assert_eq!(stored(store, &session).await, session);
}

pub(super) async fn the_speakers_next_connection_becomes_the_speaker_connection(
    store: &impl Store,
) {
    let session = created(store, ID).await;
    let (first, second) = (speaker("s=", &session), speaker("t=", &session));
    assert_eq!(
        store.admit_speaker(&first, NOW).await,
        Ok(Admission::Admitted)
    );
    assert_eq!(
        store.admit_speaker(&second, NOW).await,
        Ok(Admission::Admitted)
    );
    assert_eq!(
        stored(store, &session).await.speaker_connection_id,
        Some(id("t="))
    );
    assert_eq!(store.connection(&id("s=")).await, Ok(Some(first)));
}

pub(super) async fn a_speaker_who_joins_again_changes_nothing(store: &impl Store) {
    let session = created(store, ID).await;
    let (first, second) = (speaker("s=", &session), speaker("t=", &session));
    store.admit_speaker(&first, NOW).await.unwrap();
    store.admit_speaker(&second, NOW).await.unwrap();
    // The earlier connection does not become the speaker connection again.
    let admission = store.admit_speaker(&first, NOW).await;
    assert_eq!(admission, Ok(Admission::AlreadyJoined(first)));
    assert_eq!(
        stored(store, &session).await.speaker_connection_id,
        Some(id("t="))
    );
}

pub(super) async fn one_address_takes_a_limited_number_of_places(store: &impl Store) {
    let session = created(store, ID).await;
    let limited = Capacity {
        listeners: 500,
        per_address: 3,
    };
    let from = |address: &str, connection: &str| Connection {
        ip_address: address.to_owned(),
        ..listener(connection, &session)
    };
    for (number, connection) in ["a=", "b=", "c="].into_iter().enumerate() {
        // Addresses of one network count together.
        let listener = from(&format!("2001:db8::{number}"), connection);
        let admission = store.admit_listener(&listener, limited, NOW).await;
        assert_eq!(admission, Ok(Admission::Admitted));
    }
    let more = from("2001:db8::9", "d=");
    let full = Ok(Admission::Refused(SessionRefusal::AddressFull));
    assert_eq!(store.admit_listener(&more, limited, NOW).await, full);
    let other = from("2001:db8:0:1::9", "e=");
    let admission = store.admit_listener(&other, limited, NOW).await;
    assert_eq!(admission, Ok(Admission::Admitted));
    // A listener who leaves makes room.
    store.remove(&id("b="), NOW).await.unwrap().unwrap();
    let admission = store.admit_listener(&more, limited, NOW).await;
    assert_eq!(admission, Ok(Admission::Admitted));
    assert_eq!(count(store, &session).await, 4);
}

pub(super) async fn listeners_are_counted_by_language(store: &impl Store) {
    let session = with_listeners(store, ID, &["a=", "b=", "c=", "d="]).await;
    let counts = async || {
        let counts = store.listener_counts(&session.session_id).await.unwrap();
        let languages = counts.by_language.into_iter();
        let languages = languages.map(|(language, count)| format!("{language} {count}"));
        (counts.total, languages.collect::<Vec<_>>())
    };
    for (connection, tag) in [("b=", "fr"), ("c=", "fr"), ("c=", "es"), ("d=", "de")] {
        let changed = store
            .change_language(&id(connection), &language(tag), NOW)
            .await;
        assert_eq!(
            changed.unwrap().unwrap().target_language,
            Some(language(tag))
        );
    }
    let expected = ["de 2", "es 1", "fr 1"].map(str::to_owned).to_vec();
    assert_eq!(counts().await, (4, expected));
    store.remove(&id("a="), NOW).await.unwrap().unwrap();
    let gone = ["c=", "d="].map(id);
    let removed = store
        .remove_listeners(&session.session_id, &gone, NOW)
        .await;
    assert_eq!(removed, Ok(2));
    assert_eq!(counts().await, (1, vec!["fr 1".to_owned()]));
    let new = listener("new=", &session);
    let exchanged = store.exchange_listener(&id("b="), &new, NOW).await;
    assert_eq!(exchanged, Ok(Admission::Admitted));
    assert_eq!(counts().await, (1, vec!["de 1".to_owned()]));
}
