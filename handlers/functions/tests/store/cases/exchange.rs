use live_session_core::limits::MAX_SESSION;
use live_session_core::ports::{Admission, SessionRefusal, Store};
use live_session_core::{Connection, Session, SessionStatus, UserId};

use crate::support::fixtures::*;

const ID: &str = "merciful-truth-455-k7dq2m9x4hw3t";
const FULL: Admission = Admission::Refused(SessionRefusal::Full);

fn of(user_id: Option<UserId>, connection: &str, session: &Session) -> Connection {
    Connection {
        user_id,
        ..listener(connection, session)
    }
}

pub(super) async fn a_listener_replaces_their_own_connection_in_a_full_session(store: &impl Store) {
    let session = created(store, ID).await;
    for user_id in [None, Some(user("bob"))] {
        let name = user_id
            .as_ref()
            .map_or("nobody", |user| user.as_str())
            .to_owned();
        let (old, new) = (format!("{name}-1"), format!("{name}-2"));
        admitted(store, &of(user_id.clone(), &old, &session)).await;
        let before = count(store, &session).await;
        let connection = of(user_id, &new, &session);
        let admission = store.exchange_listener(&id(&old), &connection, NOW).await;
        assert_eq!(admission, Ok(Admission::Admitted));
        assert_eq!(store.connection(&id(&old)).await, Ok(None));
        assert_eq!(store.connection(&id(&new)).await, Ok(Some(connection)));
        assert_eq!(count(store, &session).await, before);
    }
}

pub(super) async fn a_listener_does_not_replace_another_users_connection(store: &impl Store) {
    let session = created(store, ID).await;
    let people = [None, Some(user("bob")), Some(user("cleo"))];
    for old in &people {
        for new in people.iter().filter(|new| *new != old) {
            admitted(store, &of(old.clone(), "old=", &session)).await;
            let connection = of(new.clone(), "new=", &session);
            let admission = store.exchange_listener(&id("old="), &connection, NOW).await;
            assert_eq!(admission, Ok(FULL), "{new:?} for {old:?}");
            assert_eq!(store.connection(&id("new=")).await, Ok(None));
            store.remove(&id("old="), NOW).await.unwrap().unwrap();
        }
    }
}

pub(super) async fn a_removed_connection_cannot_be_replaced(store: &impl Store) {
    let session = created(store, ID).await;
    let connection = listener("new=", &session);
    let admission = store.exchange_listener(&id("old="), &connection, NOW).await;
    assert_eq!(admission, Ok(FULL));
    assert_eq!(store.connection(&id("new=")).await, Ok(None));
}

pub(super) async fn connections_of_other_sessions_and_roles_are_not_replaced(store: &impl Store) {
    let other = with_listeners(store, "brave-river-123-k7dq2m9x4hw3t", &["old="]).await;
    let session = created(store, ID).await;
    store
        .admit_speaker(&speaker("s=", &session), NOW)
        .await
        .unwrap();
    for previous in ["old=", "s="] {
        let connection = Connection {
            user_id: store
                .connection(&id(previous))
                .await
                .unwrap()
                .unwrap()
                .user_id,
            ..listener("new=", &session)
        };
        let admission = store
            .exchange_listener(&id(previous), &connection, NOW)
            .await;
        assert_eq!(admission, Ok(FULL));
    }
    assert_eq!(count(store, &other).await, 1);
    assert_eq!(
        stored(store, &session).await.speaker_connection_id,
        Some(id("s="))
    );
}

pub(super) async fn an_inactive_session_replaces_no_connection(store: &impl Store) {
    let session = with_listeners(store, ID, &["old="]).await;
    let connection = listener("new=", &session);
    let refused = async |now, refusal| {
        let admission = store.exchange_listener(&id("old="), &connection, now).await;
        assert_eq!(admission, Ok(Admission::Refused(refusal)));
        assert_eq!(count(store, &session).await, 1);
    };
    refused(
        NOW.after(MAX_SESSION),
        SessionRefusal::WrongStatus(SessionStatus::Ended),
    )
    .await;
    let (session_id, owner) = (&session.session_id, user(OWNER));
    store
        .begin_end(session_id, &owner, NOW)
        .await
        .unwrap()
        .unwrap();
    refused(NOW, SessionRefusal::WrongStatus(SessionStatus::Ending)).await;

    let unknown = listener("new=", &self::session("brave-river-123-k7dq2m9x4hw3t"));
    let admission = store.exchange_listener(&id("old="), &unknown, NOW).await;
    assert_eq!(admission, Ok(Admission::Refused(SessionRefusal::NoSession)));
}

pub(super) async fn a_connection_that_has_joined_replaces_no_other(store: &impl Store) {
    let session = with_listeners(store, ID, &["old=", "new="]).await;
    let connection = listener("new=", &session);
    let admission = store.exchange_listener(&id("old="), &connection, NOW).await;
    assert_eq!(admission, Ok(Admission::AlreadyJoined(connection)));
    assert_eq!(count(store, &session).await, 2);
    assert!(store.connection(&id("old=")).await.unwrap().is_some());
}

pub(super) async fn a_connection_does_not_replace_itself(store: &impl Store) {
    let session = created(store, ID).await;
    let connection = listener("a=", &session);
    let admission = store.exchange_listener(&id("a="), &connection, NOW).await;
    assert_eq!(admission, Ok(FULL));
    admitted(store, &connection).await;
    let admission = store.exchange_listener(&id("a="), &connection, NOW).await;
    assert_eq!(admission, Ok(Admission::AlreadyJoined(connection)));
    assert_eq!(count(store, &session).await, 1);
}

pub(super) async fn a_paused_session_replaces_a_connection(store: &impl Store) {
    let session = with_listeners(store, ID, &["old="]).await;
    let paused = store
        .set_status(
            &session.session_id,
            &user(OWNER),
            SessionStatus::Paused,
            NOW,
        )
        .await;
    assert!(paused.unwrap().is_ok());
    let connection = listener("new=", &session);
    let admission = store.exchange_listener(&id("old="), &connection, NOW).await;
    assert_eq!(admission, Ok(Admission::Admitted));
    assert_eq!(count(store, &session).await, 1);
    assert_eq!(store.connection(&id("old=")).await, Ok(None));
}
