use std::sync::Mutex;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{
    World, down, id, language, listener, listener_count, minutes, owner, session_id, speaker,
    world_with_session,
};
use crate::limits::{AUDIO_CHUNKS_PER_SECOND, audio_rate};
use crate::ports::{ConnectionStore, Relay, RelayError, SessionStore};
use crate::protocol::ErrorCode;
use crate::testing::PostBehavior;
use crate::{
    AudioMessage, AudioReport, AudioSender, AudioSettings, Clock, GoneListeners, RateLimitFailure,
    Recipient, SessionStatus, Share,
};
use stackgen_websocket::PostError;

pub(super) const SETTINGS: AudioSettings = AudioSettings {
    listeners_per_invocation: 2,
    posts_per_second: 2_000,
    rate: audio_rate(50),
    rate_limit_failure: RateLimitFailure::Open,
};

/// Relay that takes over a limited number of shares and records them.
pub(super) struct LimitedRelay {
    capacity: usize,
    pub(super) shares: Mutex<Vec<Share>>,
    removals: Mutex<Vec<GoneListeners>>,
    fails: bool,
}

pub(super) fn relay_for(capacity: usize) -> LimitedRelay {
    LimitedRelay {
        capacity,
        shares: Mutex::default(),
        removals: Mutex::default(),
        fails: false,
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

    async fn hand_over_removal(&self, gone: &GoneListeners) -> Result<(), RelayError> {
        if self.fails {
            return Err(RelayError("down".to_owned()));
        }
        self.removals.lock().unwrap().push(gone.clone());
        Ok(())
    }
}

pub(super) fn sender(relay: LimitedRelay, settings: AudioSettings) -> AudioSender<LimitedRelay> {
    AudioSender::new(relay, settings)
}

pub(super) fn chunk_of(bytes: usize) -> Value {
    json!({"action": "sendAudio", "sessionId": "merciful-truth-455-k7dq2m9x4hw3t", "audioData": STANDARD.encode(vec![7; bytes]),
           "timestamp": 5, "format": "pcm", "chunkIndex": 3})
}

async fn send(
    world: &World,
    relay: LimitedRelay,
    name: &str,
    chunk: &Value,
) -> Result<AudioReport, ErrorCode> {
    send_with(world, &sender(relay, SETTINGS), name, chunk).await
}

pub(super) async fn send_with(
    world: &World,
    sender: &AudioSender<LimitedRelay>,
    name: &str,
    chunk: &Value,
) -> Result<AudioReport, ErrorCode> {
    let message = AudioMessage {
        sender: &id(name),
        request_id: Some("request="),
        body: &chunk.to_string(),
    };
    let sent = sender.send(world, message).await;
    sent.map_err(|error| error.code)
}

pub(super) async fn on_air(listeners: &[&str]) -> World {
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
    let sent = send(&world, relay_for(0), "mic", &chunk).await.unwrap();
    assert_eq!((sent.report.sent, sent.shares), (2, 0));
    let expected = json!({"type": "audio", "sessionId": "merciful-truth-455-k7dq2m9x4hw3t", "audioData": chunk["audioData"],
                      "timestamp": 5, "format": "pcm", "chunkIndex": 3});
    let mut posts = world.broadcaster.take();
    posts.sort_by(|(one, _), (other, _)| one.cmp(other));
    assert_eq!(
        posts,
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
        send(&world, relay_for(0), "mic", &chunk)
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
    let sender = sender(relay_for(9), SETTINGS);
    let sent = send_with(&world, &sender, "mic", &chunk_of(100))
        .await
        .unwrap();
    assert_eq!((sent.report.sent, sent.shares), (2, 1));
    let share = sender.relay().shares.lock().unwrap().remove(0);
    assert_eq!(share.audience.len(), 1);
    let own: Vec<_> = world
        .broadcaster
        .take()
        .into_iter()
        .map(|(to, _)| to)
        .collect();
    assert_eq!(
        (own, &share.audience[0].connection_id),
        (vec![id("3"), id("1")], &id("2")),
        "rotated"
    );
    assert_eq!(
        (share.chunk_index, share.request_id.as_deref()),
        (3, Some("request="))
    );
    let json = serde_json::to_string(&share).unwrap();
    let share: Share = serde_json::from_str(&json).unwrap();
    assert_eq!(sender.send_share(&world, share).await.unwrap().sent, 1);
    let posts = world.broadcaster.take();
    assert_eq!(
        (&posts[0].0, &posts[0].1["type"]),
        (&id("2"), &json!("audio"))
    );
}

#[tokio::test]
async fn a_share_that_cannot_be_handed_over_is_sent_by_this_invocation() {
    let world = on_air(&["1", "2", "3"]).await;
    let sent = send(&world, relay_for(0), "mic", &chunk_of(100))
        .await
        .unwrap();
    assert_eq!((sent.report.sent, sent.shares), (3, 0));
}

#[tokio::test]
async fn a_late_share_is_dropped() {
    let world = on_air(&["1"]).await;
    let share = || Share {
        interval_micros: 500,
        session_id: session_id(),
        audience: vec![],
        message: String::new(),
        received_at: crate::testing::TestClock::START,
        chunk_index: 3,
        request_id: None,
    };
    world.clock.advance(Duration::from_millis(4999));
    assert!(
        sender(relay_for(0), SETTINGS)
            .send_share(&world, share())
            .await
            .is_some()
    );
    world.clock.advance(Duration::from_millis(1));
    assert!(
        sender(relay_for(0), SETTINGS)
            .send_share(&world, share())
            .await
            .is_none()
    );
}

#[tokio::test(start_paused = true)]
async fn sending_a_share_stops_when_its_audio_is_too_old() {
    let world = on_air(&["one"]).await;
    world
        .broadcaster
        .set_behavior(&id("one"), PostBehavior::Hangs);
    let received_at = world.clock.now();
    let share = Share {
        interval_micros: 500,
        session_id: session_id(),
        audience: vec![Recipient {
            connection_id: id("one"),
            connected_at: received_at,
        }],
        message: "{}".to_owned(),
        received_at,
        chunk_index: 3,
        request_id: None,
    };
    world.clock.advance(Duration::from_secs(4));
    let start = tokio::time::Instant::now();
    let report = sender(relay_for(0), SETTINGS)
        .send_share(&world, share)
        .await
        .unwrap();
    assert_eq!(report.failed, [(id("one"), PostError::TimedOut)]);
    assert_eq!(start.elapsed().as_secs(), 1);
}

/// Returns a world with two listeners, of whom the first is gone.
async fn with_gone_listener() -> World {
    let world = on_air(&["one", "two"]).await;
    world.clock.advance(minutes(1));
    world
        .broadcaster
        .set_behavior(&id("one"), PostBehavior::Fails(PostError::Gone));
    world
}

#[tokio::test]
async fn the_removal_of_gone_listeners_is_handed_over_once() {
    let world = with_gone_listener().await;
    let sender = sender(relay_for(0), SETTINGS);
    let sent = send_with(&world, &sender, "mic", &chunk_of(100))
        .await
        .unwrap();
    assert_eq!((sent.report.sent, sent.report.gone), (1, vec![id("one")]));
    // The record is still there, but the next chunks skip it.
    assert!(world.store.connection(&id("one")).await.unwrap().is_some());
    for _ in 0..5 {
        let sent = send_with(&world, &sender, "mic", &chunk_of(100))
            .await
            .unwrap();
        assert_eq!((sent.report.attempts, sent.report.gone), (1, vec![]));
    }
    let removals = sender.relay().removals.lock().unwrap().clone();
    let expected = GoneListeners {
        session_id: session_id(),
        connection_ids: vec![id("one")],
    };
    assert_eq!(removals, std::slice::from_ref(&expected));
    sender.remove(&world, expected).await;
    assert_eq!(world.store.connection(&id("one")).await.unwrap(), None);
    assert_eq!(listener_count(&world).await, 1);
}

#[tokio::test]
async fn a_removal_that_cannot_be_handed_over_is_tried_with_the_next_chunk() {
    let world = with_gone_listener().await;
    let broken = LimitedRelay {
        fails: true,
        ..relay_for(0)
    };
    let sender = sender(broken, SETTINGS);
    for _ in 0..2 {
        let sent = send_with(&world, &sender, "mic", &chunk_of(100))
            .await
            .unwrap();
        assert_eq!(sent.report.gone, [id("one")]);
    }
}

#[tokio::test]
async fn a_connection_that_is_not_open_yet_is_not_remembered_as_gone() {
    let world = on_air(&["one"]).await;
    world
        .broadcaster
        .set_behavior(&id("one"), PostBehavior::Fails(PostError::Gone));
    let sender = sender(relay_for(0), SETTINGS);
    let sent = send_with(&world, &sender, "mic", &chunk_of(100))
        .await
        .unwrap();
    assert_eq!(sent.report.gone, [id("one")]);
    world
        .broadcaster
        .set_behavior(&id("one"), PostBehavior::Accepts);
    let sent = send_with(&world, &sender, "mic", &chunk_of(100))
        .await
        .unwrap();
    assert_eq!(sent.report.sent, 1);
    assert!(sender.relay().removals.lock().unwrap().is_empty());
}

#[tokio::test]
async fn audio_has_one_attempt_and_control_messages_have_five() {
    let world = on_air(&["one", "two"]).await;
    world
        .broadcaster
        .set_behavior(&id("one"), PostBehavior::Fails(PostError::Busy));
    let sent = send(&world, relay_for(0), "mic", &chunk_of(100))
        .await
        .unwrap();
    assert_eq!((sent.report.sent, sent.report.attempts), (1, 2));
    let message = bytes::Bytes::from_static(b"{}");
    let control = crate::audience::broadcast_to_listeners(&world, &session_id(), message).await;
    assert_eq!(control.unwrap().attempts, 6);
}

#[tokio::test]
async fn the_listeners_who_come_last_change_from_chunk_to_chunk() {
    let names: Vec<_> = (0..3).map(|number| format!("{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let world = on_air(&names).await;
    let mut last = std::collections::BTreeMap::new();
    for chunk_index in 0..300 {
        let mut chunk = chunk_of(100);
        chunk["chunkIndex"] = json!(chunk_index);
        let wide = AudioSettings {
            listeners_per_invocation: 10,
            rate: audio_rate(1_000),
            ..SETTINGS
        };
        let sender = sender(relay_for(0), wide);
        send_with(&world, &sender, "mic", &chunk).await.unwrap();
        let (to, _) = world.broadcaster.take().pop().unwrap();
        *last.entry(to).or_insert(0) += 1;
    }
    assert!(
        last.values().all(|times| (95..=105).contains(times)),
        "{last:?}"
    );
}

#[tokio::test]
async fn both_connections_of_a_speaker_may_send_during_a_refresh() {
    let world = on_air(&["one"]).await;
    speaker(&world, "new").await;
    for name in ["mic", "new"] {
        assert_eq!(
            send(&world, relay_for(0), name, &chunk_of(100))
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
        send(&world, relay_for(0), "one", &chunk).await,
        Err(ErrorCode::NotSpeaker)
    );
    assert_eq!(
        send(&world, relay_for(0), "nobody", &chunk).await,
        Err(ErrorCode::NotInSession)
    );
    let mut other = chunk;
    other["sessionId"] = json!("other-place-100-k7dq2m9x4hw3t");
    assert_eq!(
        send(&world, relay_for(0), "mic", &other).await,
        Err(ErrorCode::OtherSession)
    );
    assert_eq!(world.broadcaster.take(), []);
}

#[tokio::test]
async fn a_chunk_has_100_to_24_000_bytes() {
    let world = on_air(&["one"]).await;
    for (bytes, expected) in [(99, false), (100, true), (24_000, true), (24_001, false)] {
        let sent = send(&world, relay_for(0), "mic", &chunk_of(bytes)).await;
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
            send(&world, relay_for(0), "mic", &chunk).await,
            Err(ErrorCode::InvalidMessage),
            "{chunk}"
        );
    }
    let longest = with("format", json!(&long[..64]));
    assert!(send(&world, relay_for(0), "mic", &longest).await.is_ok());
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
            send(&world, relay_for(0), "mic", &chunk).await,
            Err(ErrorCode::BroadcastPaused)
        );
        super::send_message(&world, "mic", json!({"action": on})).await;
        assert!(send(&world, relay_for(0), "mic", &chunk).await.is_ok());
    }
    let now = world.clock.now();
    let paused = world
        .store
        .set_status(&session_id(), &owner(), SessionStatus::Paused, now)
        .await;
    assert!(paused.unwrap().is_ok());
    assert_eq!(
        send(&world, relay_for(0), "mic", &chunk).await,
        Err(ErrorCode::SessionNotActive)
    );
}

#[tokio::test]
async fn chunks_beyond_the_rate_are_refused() {
    let world = on_air(&[]).await;
    let chunk = chunk_of(100);
    let settings = AudioSettings {
        rate: audio_rate(AUDIO_CHUNKS_PER_SECOND),
        ..SETTINGS
    };
    let sender = sender(relay_for(0), settings);
    for _ in 0..8 {
        send_with(&world, &sender, "mic", &chunk).await.unwrap();
    }
    let refused = send_with(&world, &sender, "mic", &chunk).await;
    assert_eq!(refused, Err(ErrorCode::TooOften));
    world.clock.advance(Duration::from_millis(250));
    send_with(&world, &sender, "mic", &chunk).await.unwrap();
}

#[test]
fn the_default_audience_and_rate_fit_the_smallest_quota() {
    const LISTENERS: u32 = 500;
    const SMALLEST_QUOTA: u32 = 2_500;
    let posts = LISTENERS * AUDIO_CHUNKS_PER_SECOND;
    assert!(posts <= SMALLEST_QUOTA * 8 / 10, "others need some of it");
}

#[tokio::test]
async fn while_the_rate_limit_table_fails_the_setting_decides() {
    let world = on_air(&["one"]).await;
    world.store.fail_rates(Some(down()));
    let chunk = chunk_of(100);
    assert!(send(&world, relay_for(0), "mic", &chunk).await.is_ok());
    let closed = AudioSettings {
        rate_limit_failure: RateLimitFailure::Closed,
        ..SETTINGS
    };
    let refused = send_with(&world, &sender(relay_for(0), closed), "mic", &chunk).await;
    assert_eq!(refused, Err(ErrorCode::Unavailable));
}
