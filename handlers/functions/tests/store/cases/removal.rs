use live_session_core::ports::{Admission, RemovedConnection, Store};
use live_session_core::{BroadcastState, Session};

use crate::support::fixtures::*;

const ID: &str = "merciful-truth-455-k7dq2m9x4hw3t";

pub(super) async fn a_listener_who_leaves_is_uncounted_once(store: &impl Store) {
    let session = with_listeners(store, ID, &["a=", "b="]).await;
    let removed = RemovedConnection {
        connection: listener("a=", &session),
        was_speaking: false,
    };
    assert_eq!(store.remove(&id("a="), NOW).await, Ok(Some(removed)));
    assert_eq!(store.remove(&id("a="), NOW).await, Ok(None));
    assert_eq!(count(store, &session).await, 1);
    assert_eq!(store.connection(&id("a=")).await, Ok(None));
    assert!(store.connection(&id("b=")).await.unwrap().is_some());
}

pub(super) async fn a_speaker_who_leaves_makes_the_session_inactive(store: &impl Store) {
    let session = with_listeners(store, ID, &["a="]).await;
    let speaker = speaker("s=", &session);
    store.admit_speaker(&speaker, NOW).await.unwrap();
    let later = NOW.after(MINUTE);
    let removed = RemovedConnection {
        connection: speaker,
        was_speaking: true,
    };
    assert_eq!(store.remove(&id("s="), later).await, Ok(Some(removed)));
    assert_eq!(store.remove(&id("s="), later).await, Ok(None));
    assert_eq!(count(store, &session).await, 1);
    let expected = Session {
        updated_at: later,
        broadcast_state: BroadcastState::new(later),
        ..session.clone()
    };
    assert_eq!(stored(store, &session).await, expected);
}

pub(super) async fn an_earlier_connection_of_the_speaker_leaves_the_session_unchanged(
    store: &impl Store,
) {
    let session = created(store, ID).await;
    let (first, second) = (speaker("s=", &session), speaker("t=", &session));
    store.admit_speaker(&first, NOW).await.unwrap();
    store.admit_speaker(&second, NOW).await.unwrap();
    let before = stored(store, &session).await;
    let removed = RemovedConnection {
        connection: first,
        was_speaking: false,
    };
    assert_eq!(store.remove(&id("s="), NOW).await, Ok(Some(removed)));
    assert_eq!(stored(store, &session).await, before);
    assert_eq!(store.connection(&id("s=")).await, Ok(None));
}

pub(super) async fn an_unknown_connection_does_not_leave(store: &impl Store) {
    let session = with_listeners(store, ID, &["a="]).await;
    assert_eq!(store.remove(&id("z="), NOW).await, Ok(None));
    assert_eq!(count(store, &session).await, 1);
}

pub(super) async fn a_listener_who_left_may_join_again(store: &impl Store) {
    let session = with_listeners(store, ID, &["a="]).await;
    store.remove(&id("a="), NOW).await.unwrap().unwrap();
    let admission = store
        .admit_listener(&listener("a=", &session), capacity(1), NOW)
        .await;
    assert_eq!(admission, Ok(Admission::Admitted));
    assert_eq!(count(store, &session).await, 1);
}

pub(super) async fn listeners_are_removed_together(store: &impl Store) {
    let session = with_listeners(store, ID, &["a=", "b=", "c="]).await;
    let some = [id("a="), id("c=")];
    assert_eq!(
        store
            .remove_listeners(&session.session_id, &some, NOW)
            .await,
        Ok(2)
    );
    assert_eq!(
        store
            .remove_listeners(&session.session_id, &some, NOW)
            .await,
        Ok(0)
    );
    assert_eq!(
        store.remove_listeners(&session.session_id, &[], NOW).await,
        Ok(0)
    );
    assert_eq!(count(store, &session).await, 1);
    assert_eq!(store.connection(&id("a=")).await, Ok(None));
    assert!(store.connection(&id("b=")).await.unwrap().is_some());
}

pub(super) async fn removed_listeners_are_skipped(store: &impl Store) {
    let session = with_listeners(store, ID, &["a=", "b=", "c="]).await;
    store.remove(&id("b="), NOW).await.unwrap().unwrap();
    let all = ["a=", "z=", "b=", "c=", "a="].map(id);
    assert_eq!(
        store.remove_listeners(&session.session_id, &all, NOW).await,
        Ok(2)
    );
    assert_eq!(count(store, &session).await, 0);
}

pub(super) async fn only_listeners_of_the_session_are_removed(store: &impl Store) {
    let session = with_listeners(store, ID, &["a="]).await;
    let other = with_listeners(store, "brave-river-123-k7dq2m9x4hw3t", &["b="]).await;
    store
        .admit_speaker(&speaker("s=", &session), NOW)
        .await
        .unwrap();
    let all = ["a=", "b=", "s="].map(id);
    assert_eq!(
        store.remove_listeners(&session.session_id, &all, NOW).await,
        Ok(1)
    );
    assert_eq!(count(store, &session).await, 0);
    assert_eq!(count(store, &other).await, 1);
    assert!(store.connection(&id("b=")).await.unwrap().is_some());
    assert!(store.connection(&id("s=")).await.unwrap().is_some());
}

pub(super) async fn more_listeners_than_a_transaction_takes_are_removed(store: &impl Store) {
    let names: Vec<_> = (0..205).map(|number| format!("{number}=")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let session = with_listeners(store, ID, &names).await;
    let all: Vec<_> = names.iter().map(|name| id(name)).collect();
    assert_eq!(
        store
            .remove_listeners(&session.session_id, &all[1..], NOW)
            .await,
        Ok(204)
    );
    assert_eq!(count(store, &session).await, 1);
    assert_eq!(
        store.remove_listeners(&session.session_id, &all, NOW).await,
        Ok(1)
    );
    assert_eq!(count(store, &session).await, 0);
}

pub(super) async fn an_earlier_connection_becomes_the_speaker_connection_again(store: &impl Store) {
    let session = created(store, ID).await;
    let (first, second) = (speaker("s=", &session), speaker("t=", &session));
    store.admit_speaker(&first, NOW).await.unwrap();
    store.admit_speaker(&second, NOW).await.unwrap();
    let later = NOW.after(MINUTE);
    let removed = RemovedConnection {
        connection: second,
        was_speaking: false,
    };
    assert_eq!(store.remove(&id("t="), later).await, Ok(Some(removed)));
    assert_eq!(store.remove(&id("t="), later).await, Ok(None));
    let mut expected = Session {
        speaker_connection_id: Some(id("s=")),
        updated_at: later,
        ..session.clone()
    };
    expected.broadcast_state.is_active = true;
    assert_eq!(stored(store, &session).await, expected);
    let last = store.remove(&id("s="), later).await.unwrap().unwrap();
    assert!(last.was_speaking);
    assert_eq!(stored(store, &session).await.speaker_connection_id, None);
}

pub(super) async fn an_earlier_connection_without_a_record_does_not_become_the_speaker_connection(
    store: &impl Store,
) {
    let session = created(store, ID).await;
    for connection in ["s=", "t="] {
        let speaker = speaker(connection, &session);
        store.admit_speaker(&speaker, NOW).await.unwrap();
    }
    store.remove(&id("s="), NOW).await.unwrap().unwrap();
    let removed = store.remove(&id("t="), NOW).await.unwrap().unwrap();
    assert!(removed.was_speaking);
    assert_eq!(stored(store, &session).await.speaker_connection_id, None);
}
