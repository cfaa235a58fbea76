use serde_json::{Value, json};

use super::{
    World, code, id, language, listener, listener_count, minutes, owner, send_message, session,
    session_id, speaker, world_with_session,
};
use crate::ports::{ConnectionStore, SessionStore};
use crate::testing::PostBehavior;
use crate::{Clock, SessionStatus};
use stackgen_websocket::PostError;

const ID: &str = "merciful-truth-455-k7dq2m9x4hw3t";

#[tokio::test]
async fn broadcast_changes_are_stored_posted_to_listeners_and_acknowledged() {
    let world = world_with_session().await;
    for name in ["one", "two"] {
        listener(&world, name).await;
    }
    speaker(&world, "mic").await;
    let now = world.clock.now();
    let cases = [
        (
            json!({"action": "pauseBroadcast"}),
            json!({"type": "broadcastPaused", "timestamp": now}),
            (true, false, 1.0),
        ),
        (
            json!({"action": "muteBroadcast"}),
            json!({"type": "broadcastMuted", "timestamp": now}),
            (true, true, 1.0),
        ),
        (
            json!({"action": "resumeBroadcast"}),
            json!({"type": "broadcastResumed", "timestamp": now}),
            (false, true, 1.0),
        ),
        (
            json!({"action": "unmuteBroadcast"}),
            json!({"type": "broadcastUnmuted", "timestamp": now}),
            (false, false, 1.0),
        ),
        (
            json!({"action": "setVolume", "volumeLevel": 0.5}),
            json!({"type": "volumeChanged", "volumeLevel": 0.5, "timestamp": now}),
            (false, false, 0.5),
        ),
    ];
    for (message, expected, (paused, muted, volume)) in cases {
        assert_eq!(
            send_message(&world, "mic", message).await,
            std::slice::from_ref(&expected)
        );
        assert_eq!(
            world.broadcaster.take(),
            [(id("one"), expected.clone()), (id("two"), expected)]
        );
        let state = session(&world).await.broadcast_state;
        assert_eq!(
            (state.is_paused, state.is_muted, state.volume.get()),
            (paused, muted, volume)
        );
        assert!(state.is_active);
    }
}

#[tokio::test]
async fn the_speakers_whole_state_is_posted() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    speaker(&world, "mic").await;
    world.clock.advance(minutes(1));
    let state = json!({"isPaused": true, "isMuted": true, "volume": 0.25});
    let expected = json!({"type": "speakerStateChanged", "broadcastState": {
        "isActive": true, "isPaused": true, "isMuted": true, "volume": 0.25, "lastStateChange": world.clock.now()}});
    let answers = send_message(
        &world,
        "mic",
        json!({"action": "speakerStateChange", "state": state}),
    )
    .await;
    assert_eq!(answers, std::slice::from_ref(&expected));
    assert_eq!(world.broadcaster.take(), [(id("one"), expected)]);
}

#[tokio::test]
async fn only_the_speaker_may_change_the_broadcast() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    let messages = [
        json!({"action": "pauseBroadcast"}),
        json!({"action": "setVolume", "volumeLevel": 1}),
        json!({"action": "endSession", "sessionId": ID}),
    ];
    for message in messages {
        assert_eq!(
            code(&send_message(&world, "one", message.clone()).await),
            "NOT_SPEAKER"
        );
        assert_eq!(
            code(&send_message(&world, "nobody", message).await),
            "NOT_IN_SESSION"
        );
    }
    assert_eq!(world.broadcaster.take(), []);
}

#[tokio::test]
async fn nothing_changes_in_a_session_that_is_over() {
    let world = world_with_session().await;
    speaker(&world, "mic").await;
    let begun = world
        .store
        .begin_end(&session_id(), &owner(), world.clock.now())
        .await;
    assert!(begun.unwrap().is_ok());
    assert_eq!(
        code(&send_message(&world, "mic", json!({"action": "muteBroadcast"})).await),
        "SESSION_NOT_ACTIVE"
    );
}

#[tokio::test]
async fn the_status_counts_exactly_and_by_language() {
    let world = world_with_session().await;
    for name in ["one", "two", "three"] {
        listener(&world, name).await;
    }
    world
        .store
        .change_language(&id("two"), &language("fr"), world.clock.now())
        .await
        .unwrap();
    world.store.page_size(2);
    world.clock.advance(minutes(2));
    let answers = send_message(&world, "one", json!({"action": "getSessionStatus"})).await;
    let state = serde_json::to_value(session(&world).await.broadcast_state).unwrap();
    let expected = json!({"type": "sessionStatus", "sessionId": ID, "listenerCount": 3,
        "languageDistribution": {"de": 2, "fr": 1}, "sessionDuration": 120, "broadcastState": state,
        "timestamp": world.clock.now()});
    assert_eq!(answers, [expected]);
}

#[tokio::test]
async fn the_speaker_ends_the_session_and_each_listener_is_notified_once() {
    let world = world_with_session().await;
    for name in ["one", "two"] {
        listener(&world, name).await;
    }
    speaker(&world, "mic").await;
    let end = json!({"action": "endSession", "sessionId": ID, "reason": "lunch"});
    let expected = json!({"type": "sessionEnded", "sessionId": ID, "reason": "lunch", "timestamp": world.clock.now()});
    assert_eq!(
        send_message(&world, "mic", end.clone()).await,
        std::slice::from_ref(&expected)
    );
    assert_eq!(
        world.broadcaster.take(),
        [(id("one"), expected.clone()), (id("two"), expected)]
    );
    let session = session(&world).await;
    assert_eq!(
        (session.status, listener_count(&world).await),
        (SessionStatus::Ended, 0)
    );
    let again = send_message(&world, "mic", end).await;
    assert_eq!(again[0]["type"], "sessionEnded");
    assert_eq!(world.broadcaster.take(), []);
    let other = json!({"action": "endSession", "sessionId": "other-place-100-k7dq2m9x4hw3t"});
    assert_eq!(
        code(&send_message(&world, "mic", other).await),
        "OTHER_SESSION"
    );
}

#[tokio::test(start_paused = true)]
async fn a_session_that_cannot_be_emptied_is_reported() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    speaker(&world, "mic").await;
    world.store.hide_from_pages(&id("one"), 8);
    let end = || {
        send_message(
            &world,
            "mic",
            json!({"action": "endSession", "sessionId": ID}),
        )
    };
    assert_eq!(code(&end().await), "UNAVAILABLE");
    assert_eq!(session(&world).await.status, SessionStatus::Ending);
    assert_eq!(end().await[0]["type"], "sessionEnded");
}

#[tokio::test]
async fn failed_posts_to_listeners_do_not_fail_the_speakers_message() {
    let world = world_with_session().await;
    for name in ["one", "two"] {
        listener(&world, name).await;
    }
    speaker(&world, "mic").await;
    world
        .broadcaster
        .set_behavior(&id("one"), PostBehavior::Fails(PostError::TooLarge));
    let answers: Vec<Value> = send_message(&world, "mic", json!({"action": "muteBroadcast"})).await;
    assert_eq!(answers[0]["type"], "broadcastMuted");
    assert_eq!(world.broadcaster.take_types(&id("two")), ["broadcastMuted"]);
    assert_eq!(listener_count(&world).await, 2);
}

#[tokio::test]
async fn a_speaker_without_heartbeats_is_inactive() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    let active = async |world: &World| {
        let answers = send_message(world, "one", json!({"action": "getSessionStatus"})).await;
        answers[0]["broadcastState"]["isActive"].as_bool().unwrap()
    };
    assert!(!active(&world).await, "nobody speaks yet");
    speaker(&world, "mic").await;
    world.clock.advance(minutes(10));
    assert!(active(&world).await);
    world.clock.advance(std::time::Duration::from_millis(1));
    assert!(!active(&world).await, "its $disconnect never came");
    send_message(&world, "mic", json!({"action": "heartbeat"})).await;
    assert!(active(&world).await);
}
