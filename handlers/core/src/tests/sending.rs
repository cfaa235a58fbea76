use std::sync::Mutex;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{
    World, down, id, language, listener, minutes, owner, session, session_id, speaker,
    world_with_session,
};
use crate::ports::{ConnectionStore, Relay, RelayError, SessionStore};
use crate::protocol::ErrorCode;
use crate::testing::PostBehavior;
use crate::{
    AudioReport, AudioSettings, Clock, RateLimitFailure, Recipient, SessionStatus, Share,
    send_audio, send_share,
};
use stackgen_websocket::PostError;

const SETTINGS: AudioSettings = AudioSettings {
    listeners_per_invocation: 2,
    rate_limit_failure: RateLimitFailure::Open,
};

/// Relay that takes over a limited number of shares and records them.
struct LimitedRelay {
    capacity: usize,
    shares: Mutex<Vec<Share>>,
}

fn relay_for(capacity: usize) -> LimitedRelay {
    LimitedRelay {
        capacity,
        shares: Mutex::default(),
    }
}

impl Relay for LimitedRelay {
    async fn hand_over(&self, share: &Share) -> Result<(), RelayError> {
        let mut shares = self.shares.lock().unwrap();
        if shares.len() == self.capacity {
            return Err(RelayError("full".to_owned()));
        }
        shares.push(share.clone());
        Ok(())
    }
}

fn chunk_of(bytes: usize) -> Value {
    json!({"action": "sendAudio", "sessionId": "merciful-truth-455-k7dq2m9x4hw3t", "audioData": STANDARD.encode(vec![7; bytes]),
           "timestamp": 5, "format": "pcm", "chunkIndex": 3})
}

async fn send(
    world: &World,
    relay: &LimitedRelay,
    name: &str,
    chunk: &Value,
) -> Result<AudioReport, ErrorCode> {
    let sent = send_audio(world, relay, SETTINGS, &id(name), &chunk.to_string()).await;
    sent.map_err(|error| error.code)
}

async fn on_air(listeners: &[&str]) -> World {
    let world = world_with_session().await;
    for name in listeners {
        listener(&world, name).await;
    }
    speaker(&world, "mic").await;
    world
}

#[tokio::test]
async fn a_chunk_reaches_every_listener_unchanged_and_not_the_speaker() {
    let world = on_air(&["one", "two"]).await;
    let chunk = chunk_of(100);
    let sent = send(&world, &relay_for(0), "mic", &chunk).await.unwrap();
    assert_eq!((sent.report.sent, sent.shares), (2, 0));
    let expected = json!({"type": "audio", "sessionId": "merciful-truth-455-k7dq2m9x4hw3t", "audioData": chunk["audioData"],
                      "timestamp": 5, "format": "pcm", "chunkIndex": 3});
    assert_eq!(
        world.broadcaster.take(),
        [(id("one"), expected.clone()), (id("two"), expected)]
    );
}

#[tokio::test]
async fn a_chunk_for_one_language_reaches_those_who_hear_it() {
    let world = on_air(&["one", "two"]).await;
    world
        .store
        .change_language(&id("two"), &language("fr"), world.clock.now())
        .await
        .unwrap();
    let mut chunk = chunk_of(100);
    chunk["targetLanguage"] = json!("fr");
    assert_eq!(
        send(&world, &relay_for(0), "mic", &chunk)
            .await
            .unwrap()
            .report
            .sent,
        1
    );
    assert_eq!(world.broadcaster.take()[0].0, id("two"));
}

#[tokio::test]
async fn listeners_beyond_the_limit_of_one_invocation_are_handed_over() {
    let world = on_air(&["1", "2", "3"]).await;
    let relay = relay_for(9);
    let sent = send(&world, &relay, "mic", &chunk_of(100)).await.unwrap();
    assert_eq!((sent.report.sent, sent.shares), (2, 1));
    let share = relay.shares.into_inner().unwrap().remove(0);
    assert_eq!(share.audience.len(), 1);
    let own: Vec<_> = world
        .broadcaster
        .take()
        .into_iter()
        .map(|(to, _)| to)
        .collect();
    assert_eq!(
        (own, &share.audience[0].connection_id),
        (vec![id("1"), id("2")], &id("3"))
    );
    let json = serde_json::to_string(&share).unwrap();
    let share: Share = serde_json::from_str(&json).unwrap();
    assert_eq!(send_share(&world, share).await.unwrap().sent, 1);
    let posts = world.broadcaster.take();
    assert_eq!(
        (&posts[0].0, &posts[0].1["type"]),
        (&id("3"), &json!("audio"))
    );
}

#[tokio::test]
async fn a_share_that_cannot_be_handed_over_is_sent_by_this_invocation() {
    let world = on_air(&["1", "2", "3"]).await;
    let sent = send(&world, &relay_for(0), "mic", &chunk_of(100))
        .await
        .unwrap();
    assert_eq!((sent.report.sent, sent.shares), (3, 0));
}

#[tokio::test]
async fn a_late_share_is_dropped() {
    let world = on_air(&["1"]).await;
    let share = || Share {
        session_id: session_id(),
        audience: vec![],
        message: String::new(),
        received_at: crate::testing::TestClock::START,
    };
    world.clock.advance(Duration::from_millis(4999));
    assert!(send_share(&world, share()).await.is_some());
    world.clock.advance(Duration::from_millis(1));
    assert!(send_share(&world, share()).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn sending_a_share_stops_when_its_audio_is_too_old() {
    let world = on_air(&["one"]).await;
    world
        .broadcaster
        .set_behavior(&id("one"), PostBehavior::Hangs);
    let received_at = world.clock.now();
    let share = Share {
        session_id: session_id(),
        audience: vec![Recipient {
            connection_id: id("one"),
            connected_at: received_at,
        }],
        message: "{}".to_owned(),
        received_at,
    };
    world.clock.advance(Duration::from_secs(4));
    let start = tokio::time::Instant::now();
    let report = send_share(&world, share).await.unwrap();
    assert_eq!(report.failed, [(id("one"), PostError::TimedOut)]);
    assert_eq!(start.elapsed().as_secs(), 1);
}

#[tokio::test]
async fn gone_listeners_are_removed_and_no_longer_counted() {
    let world = on_air(&["one", "two"]).await;
    world.clock.advance(minutes(1));
    world
        .broadcaster
        .set_behavior(&id("one"), PostBehavior::Fails(PostError::Gone));
    let sent = send(&world, &relay_for(0), "mic", &chunk_of(100))
        .await
        .unwrap();
    assert_eq!((sent.report.sent, sent.report.gone), (1, vec![id("one")]));
    assert_eq!(session(&world).await.listener_count, 1);
    assert_eq!(world.store.connection(&id("one")).await.unwrap(), None);
}

#[tokio::test]
async fn both_connections_of_a_speaker_may_send_during_a_refresh() {
    let world = on_air(&["one"]).await;
    speaker(&world, "new").await;
    for name in ["mic", "new"] {
        assert_eq!(
            send(&world, &relay_for(0), name, &chunk_of(100))
                .await
                .unwrap()
                .report
                .sent,
            1
        );
    }
}

#[tokio::test]
async fn only_the_speaker_of_the_session_may_send() {
    let world = on_air(&["one"]).await;
    let chunk = chunk_of(100);
    assert_eq!(
        send(&world, &relay_for(0), "one", &chunk).await,
        Err(ErrorCode::NotSpeaker)
    );
    assert_eq!(
        send(&world, &relay_for(0), "nobody", &chunk).await,
        Err(ErrorCode::NotInSession)
    );
    let mut other = chunk;
    other["sessionId"] = json!("other-place-100-k7dq2m9x4hw3t");
    assert_eq!(
        send(&world, &relay_for(0), "mic", &other).await,
        Err(ErrorCode::OtherSession)
    );
    assert_eq!(world.broadcaster.take(), []);
}

#[tokio::test]
async fn a_chunk_has_100_bytes_to_32_kilobytes_in_base64() {
    let world = on_air(&["one"]).await;
    for (bytes, expected) in [
        (99, false),
        (100, true),
        (32 * 1024, true),
        (32 * 1024 + 1, false),
    ] {
        let sent = send(&world, &relay_for(0), "mic", &chunk_of(bytes)).await;
        match expected {
            true => assert_eq!(sent.unwrap().report.sent, 1, "{bytes}"),
            false => assert_eq!(sent, Err(ErrorCode::MessageTooLarge), "{bytes}"),
        }
    }
}

#[tokio::test]
async fn a_malformed_chunk_is_refused() {
    let world = on_air(&["one"]).await;
    let with = |field: &str, value: Value| {
        let mut chunk = chunk_of(100);
        chunk[field] = value;
        chunk
    };
    let long = "x".repeat(65);
    let wrong = [
        json!("text"),
        json!({}),
        with("audioData", json!("!")),
        with("audioData", json!(7)),
        with("format", json!("")),
        with("format", json!(long)),
        with("chunkIndex", json!(-1)),
        with("timestamp", Value::Null),
        with("sessionId", json!("x")),
        with("targetLanguage", json!("")),
    ];
    for chunk in wrong {
        assert_eq!(
            send(&world, &relay_for(0), "mic", &chunk).await,
            Err(ErrorCode::InvalidMessage),
            "{chunk}"
        );
    }
    let longest = with("format", json!(&long[..64]));
    assert!(send(&world, &relay_for(0), "mic", &longest).await.is_ok());
}

#[tokio::test]
async fn nothing_is_sent_while_the_broadcast_or_session_is_paused() {
    let world = on_air(&["one"]).await;
    let chunk = chunk_of(100);
    for (off, on) in [
        ("pauseBroadcast", "resumeBroadcast"),
        ("muteBroadcast", "unmuteBroadcast"),
    ] {
        super::send_message(&world, "mic", json!({"action": off})).await;
        assert_eq!(
            send(&world, &relay_for(0), "mic", &chunk).await,
            Err(ErrorCode::BroadcastPaused)
        );
        super::send_message(&world, "mic", json!({"action": on})).await;
        assert!(send(&world, &relay_for(0), "mic", &chunk).await.is_ok());
    }
    let now = world.clock.now();
    let paused = world
        .store
        .set_status(&session_id(), &owner(), SessionStatus::Paused, now)
        .await;
    assert!(paused.unwrap().is_ok());
    assert_eq!(
        send(&world, &relay_for(0), "mic", &chunk).await,
        Err(ErrorCode::SessionNotActive)
    );
}

#[tokio::test]
async fn the_fifty_first_chunk_in_a_second_is_refused() {
    let world = on_air(&[]).await;
    let chunk = chunk_of(100);
    for _ in 0..50 {
        send(&world, &relay_for(0), "mic", &chunk).await.unwrap();
    }
    assert_eq!(
        send(&world, &relay_for(0), "mic", &chunk).await,
        Err(ErrorCode::TooOften)
    );
    world.clock.advance(Duration::from_millis(20));
    send(&world, &relay_for(0), "mic", &chunk).await.unwrap();
}

#[tokio::test]
async fn while_the_rate_limit_table_fails_the_setting_decides() {
    let world = on_air(&["one"]).await;
    world.store.fail_rates(Some(down()));
    let chunk = chunk_of(100);
    assert!(send(&world, &relay_for(0), "mic", &chunk).await.is_ok());
    let closed = AudioSettings {
        rate_limit_failure: RateLimitFailure::Closed,
        ..SETTINGS
    };
    let refused = send_audio(
        &world,
        &relay_for(0),
        closed,
        &id("mic"),
        &chunk.to_string(),
    )
    .await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::Unavailable);
}
