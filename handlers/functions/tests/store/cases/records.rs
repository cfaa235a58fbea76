use live_session_core::Connection;
use live_session_core::ports::Store;

use crate::support::fixtures::*;

const ID: &str = "merciful-truth-455-k7dq2m9x4hw3t";

pub(super) async fn changing_the_language_changes_nothing_else(store: &impl Store) {
    let session = with_listeners(store, ID, &["a="]).await;
    let later = NOW.after(MINUTE);
    let expected = Connection {
        target_language: Some(language("pt-BR")),
        last_seen_at: later,
        ..listener("a=", &session)
    };
    for _ in 0..2 {
        let changed = store
            .change_language(&id("a="), &language("pt-BR"), later)
            .await;
        assert_eq!(changed, Ok(Some(expected.clone())));
    }
    assert_eq!(store.connection(&id("a=")).await, Ok(Some(expected)));
    assert_eq!(count(store, &session).await, 1);
}

pub(super) async fn a_speaker_hears_no_language(store: &impl Store) {
    let session = created(store, ID).await;
    store
        .admit_speaker(&speaker("s=", &session), NOW)
        .await
        .unwrap();
    assert_eq!(
        store.change_language(&id("s="), &language("fr"), NOW).await,
        Ok(None)
    );
    let record = store.connection(&id("s=")).await;
    assert_eq!(record, Ok(Some(speaker("s=", &session))));
}

pub(super) async fn a_connection_without_a_record_changes_nothing(store: &impl Store) {
    assert_eq!(
        store.change_language(&id("a="), &language("fr"), NOW).await,
        Ok(None)
    );
    assert_eq!(store.touch(&id("a="), NOW).await, Ok(None));
    assert_eq!(store.request_refresh(&id("a="), NOW).await, Ok(false));
    assert_eq!(store.connection(&id("a=")).await, Ok(None));
}

pub(super) async fn a_heartbeat_is_recorded(store: &impl Store) {
    let session = with_listeners(store, ID, &["a="]).await;
    store
        .admit_speaker(&speaker("s=", &session), NOW)
        .await
        .unwrap();
    let later = NOW.after(MINUTE);
    for expected in [listener("a=", &session), speaker("s=", &session)] {
        let expected = Connection {
            last_seen_at: later,
            ..expected
        };
        let touched = store.touch(&expected.connection_id, later).await;
        assert_eq!(touched, Ok(Some(expected)));
    }
}

pub(super) async fn the_refresh_is_requested_once(store: &impl Store) {
    let session = with_listeners(store, ID, &["a="]).await;
    assert_eq!(store.request_refresh(&id("a="), NOW).await, Ok(true));
    assert_eq!(store.request_refresh(&id("a="), NOW).await, Ok(false));
    assert_eq!(
        store.request_refresh(&id("a="), NOW.after(MINUTE)).await,
        Ok(false)
    );
    let expected = Connection {
        refresh_requested_at: Some(NOW),
        ..listener("a=", &session)
    };
    assert_eq!(store.connection(&id("a=")).await, Ok(Some(expected)));
}
