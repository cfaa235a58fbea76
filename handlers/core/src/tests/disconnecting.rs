use serde_json::json;

use super::{
    SETTINGS, down, id, listener, listener_count, owner, session, session_id, speaker,
    world_with_session,
};
use crate::ports::{SessionStore, StoreResult};
use crate::testing::PostBehavior;
use crate::{Role, SessionStatus, connect, disconnect};
use stackgen_websocket::PostError;

#[tokio::test]
async fn repeated_disconnects_remove_a_listener_once() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    listener(&world, "two").await;
    let removed = disconnect(&world, &id("one")).await.unwrap().unwrap();
    assert_eq!(
        (removed.connection.role, removed.was_speaking),
        (Role::Listener, false)
    );
    for _ in 0..3 {
        assert_eq!(disconnect(&world, &id("one")).await, Ok(None));
    }
    assert_eq!(disconnect(&world, &id("never")).await, Ok(None));
    assert_eq!(listener_count(&world).await, 1);
    assert_eq!(world.broadcaster.take(), []);
}

#[tokio::test]
async fn listeners_are_notified_when_the_speaker_leaves() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    speaker(&world, "mic").await;
    let removed = disconnect(&world, &id("mic")).await.unwrap().unwrap();
    assert!(removed.was_speaking);
    let session = session(&world).await;
    assert_eq!(session.speaker_connection_id, None);
    assert!(!session.broadcast_state.is_active);
    let posts = world.broadcaster.take();
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].0, id("one"));
    assert_eq!(posts[0].1["type"], json!("speakerStateChanged"));
    assert_eq!(posts[0].1["broadcastState"]["isActive"], json!(false));
}

#[tokio::test]
async fn a_reconnected_speaker_has_not_left() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    speaker(&world, "old").await;
    speaker(&world, "new").await;
    let removed = disconnect(&world, &id("old")).await.unwrap().unwrap();
    assert!(!removed.was_speaking);
    assert_eq!(session(&world).await.speaker_connection_id, Some(id("new")));
    assert!(session(&world).await.broadcast_state.is_active);
    assert_eq!(world.broadcaster.take(), []);
}

#[tokio::test]
async fn after_the_end_listeners_are_not_notified_that_the_speaker_left() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    speaker(&world, "mic").await;
    let now = session(&world).await.created_at;
    let begun = world
        .store
        .begin_end(&session_id(), &owner(), now)
        .await
        .unwrap();
    assert_eq!(begun.unwrap().status, SessionStatus::Ending);
    assert!(disconnect(&world, &id("mic")).await.unwrap().is_some());
    assert_eq!(world.broadcaster.take(), []);
}

#[tokio::test]
async fn when_the_speaker_leaves_gone_listeners_are_removed_but_not_opening_ones() {
    let world = world_with_session().await;
    listener(&world, "gone").await;
    listener(&world, "busy").await;
    world.clock.advance(std::time::Duration::from_secs(1));
    speaker(&world, "mic").await;
    listener(&world, "opening").await;
    world.clock.advance(std::time::Duration::from_secs(30));
    for name in ["gone", "opening"] {
        world
            .broadcaster
            .set_behavior(&id(name), PostBehavior::Fails(PostError::Gone));
    }
    world
        .broadcaster
        .set_behavior(&id("busy"), PostBehavior::Fails(PostError::TooLarge));
    disconnect(&world, &id("mic")).await.unwrap();
    let ids: Vec<_> = world
        .store
        .connections()
        .into_iter()
        .map(|c| c.connection_id)
        .collect();
    assert_eq!(ids, [id("busy"), id("opening")]);
    assert_eq!(listener_count(&world).await, 2);
}

#[tokio::test]
async fn a_failing_table_is_reported_and_nothing_is_lost() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    world.store.fail(Some(down()));
    assert_eq!(
        disconnect(&world, &id("one")).await,
        StoreResult::Err(down())
    );
    world.store.fail(None);
    assert!(disconnect(&world, &id("one")).await.unwrap().is_some());
    let again = super::handshake(&world, "one");
    assert!(connect(&world, SETTINGS, again).await.is_ok());
}

#[tokio::test]
async fn a_speaker_who_loses_one_of_two_connections_has_not_left() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    speaker(&world, "old").await;
    speaker(&world, "new").await;
    let removed = disconnect(&world, &id("new")).await.unwrap().unwrap();
    assert!(!removed.was_speaking);
    assert_eq!(session(&world).await.speaker_connection_id, Some(id("old")));
    assert!(session(&world).await.broadcast_state.is_active);
    assert_eq!(world.broadcaster.take(), []);
    // The last one ends it.
    let removed = disconnect(&world, &id("old")).await.unwrap().unwrap();
    assert!(removed.was_speaking);
    let types = world.broadcaster.take_types(&id("one"));
    assert_eq!(types, ["speakerStateChanged"]);
    assert_eq!(session(&world).await.speaker_connection_id, None);
}

#[tokio::test]
async fn a_speakers_earlier_connection_that_is_removed_does_not_become_the_speaker_connection() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    speaker(&world, "old").await;
    speaker(&world, "new").await;
    disconnect(&world, &id("old")).await.unwrap().unwrap();
    let removed = disconnect(&world, &id("new")).await.unwrap().unwrap();
    assert!(removed.was_speaking);
    assert!(!session(&world).await.broadcast_state.is_active);
}
