use live_session_core::limits::MAX_SESSION;
use live_session_core::ports::{Admission, Refusal, Store};
use live_session_core::{Connection, Session, Status, UserId};

use crate::support::people::*;

const ID: &str = "merciful-truth-455";
const FULL: Admission = Admission::Refused(Refusal::Full);

fn of(user_id: Option<UserId>, connection: &str, session: &Session) -> Connection {
    Connection {
        user_id,
        ..listener(connection, session)
    }
}

pub(super) async fn a_listener_takes_their_own_place_in_a_full_session(store: &impl Store) {
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

pub(super) async fn nobody_takes_the_place_of_somebody_else(store: &impl Store) {
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

pub(super) async fn a_place_that_is_gone_is_no_place(store: &impl Store) {
    let session = created(store, ID).await;
    let connection = listener("new=", &session);
    let admission = store.exchange_listener(&id("old="), &connection, NOW).await;
    assert_eq!(admission, Ok(FULL));
    assert_eq!(store.connection(&id("new=")).await, Ok(None));
}

pub(super) async fn nobody_takes_the_place_of_a_listener_elsewhere_or_of_the_speaker(
    store: &impl Store,
) {
    let other = with_listeners(store, "brave-river-123", &["old="]).await;
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

pub(super) async fn a_session_that_is_not_active_lets_nobody_exchange(store: &impl Store) {
    let session = with_listeners(store, ID, &["old="]).await;
    let connection = listener("new=", &session);
    let refused = async |now, refusal| {
        let admission = store.exchange_listener(&id("old="), &connection, now).await;
        assert_eq!(admission, Ok(Admission::Refused(refusal)));
        assert_eq!(count(store, &session).await, 1);
    };
    refused(NOW.after(MAX_SESSION), Refusal::Status(Status::Ended)).await;
    let (session_id, owner) = (&session.session_id, user(OWNER));
    store
        .set_status(session_id, &owner, Status::Paused, NOW)
        .await
        .unwrap()
        .unwrap();
    refused(NOW, Refusal::Status(Status::Paused)).await;
    store
        .begin_end(session_id, &owner, NOW)
        .await
        .unwrap()
        .unwrap();
    refused(NOW, Refusal::Status(Status::Ending)).await;

    let unknown = listener("new=", &self::session("brave-river-123"));
    let admission = store.exchange_listener(&id("old="), &unknown, NOW).await;
    assert_eq!(admission, Ok(Admission::Refused(Refusal::NoSession)));
}

pub(super) async fn who_is_there_already_takes_no_second_place(store: &impl Store) {
    let session = with_listeners(store, ID, &["old=", "new="]).await;
    let connection = listener("new=", &session);
    let admission = store.exchange_listener(&id("old="), &connection, NOW).await;
    assert_eq!(admission, Ok(Admission::AlreadyThere(connection)));
    assert_eq!(count(store, &session).await, 2);
    assert!(store.connection(&id("old=")).await.unwrap().is_some());
}

pub(super) async fn a_connection_is_no_place_for_itself(store: &impl Store) {
    let session = created(store, ID).await;
    let connection = listener("a=", &session);
    let admission = store.exchange_listener(&id("a="), &connection, NOW).await;
    assert_eq!(admission, Ok(FULL));
    admitted(store, &connection).await;
    let admission = store.exchange_listener(&id("a="), &connection, NOW).await;
    assert_eq!(admission, Ok(Admission::AlreadyThere(connection)));
    assert_eq!(count(store, &session).await, 1);
}
