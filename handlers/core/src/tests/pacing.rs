//! Spreading the posts of a chunk, and what refused shares delay.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use stackgen_websocket::{Broadcaster, PostError};

use super::sending::{SETTINGS, chunk_of, on_air, relay_for, send_with, sender};
use super::{World, handshake, id};
use crate::limits::audio_rate;
use crate::ports::{Capacity, Ports};
use crate::protocol::ErrorCode;
use crate::testing::PostBehavior;
use crate::{AudioMessage, AudioSettings, ConnectionId, JoinSettings, connect};

/// Adds listeners, all with one address.
async fn crowd(world: &World, count: u32) {
    let capacity = Capacity {
        listeners: count,
        per_address: count,
    };
    let settings = JoinSettings {
        capacity,
        ..super::SETTINGS
    };
    for number in 0..count {
        let handshake = handshake(world, &format!("{number}"));
        connect(world, settings, handshake).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_share_does_not_wait_for_a_slow_listener() {
    // Whichever share the listener is in, its post takes two seconds to time out.
    for name in ["a", "b", "c"] {
        let world = on_air(&["a", "b", "c"]).await;
        world
            .broadcaster
            .set_behavior(&id(name), PostBehavior::Hangs);
        let (sender, chunk) = (sender(relay_for(0), SETTINGS), chunk_of(100));
        let sending = send_with(&world, &sender, "mic", &chunk);
        let in_time = tokio::time::timeout(Duration::from_millis(500), sending).await;
        assert!(in_time.is_err(), "one listener hangs");
        assert_eq!(world.broadcaster.take().len(), 2, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_posts_of_a_chunk_are_spread_over_its_time() {
    let world = on_air(&[]).await;
    crowd(&world, 200).await;
    let settings = AudioSettings {
        listeners_per_invocation: 50,
        posts_per_second: 1_000,
        ..SETTINGS
    };
    let sender = sender(relay_for(3), settings);
    let start = tokio::time::Instant::now();
    send_with(&world, &sender, "mic", &chunk_of(100))
        .await
        .unwrap();
    // 200 listeners at 1,000 posts per second. This invocation has a quarter of them, and so a quarter of the rate.
    assert_eq!(start.elapsed().as_millis(), 49 * 4);
    let shares = std::mem::take(&mut *sender.relay().shares.lock().unwrap());
    assert_eq!(shares.len(), 3);
    for share in shares {
        assert_eq!(share.interval_micros, 4_000);
        let start = tokio::time::Instant::now();
        sender.send_share(&world, share).await.unwrap();
        assert_eq!(start.elapsed().as_millis(), 49 * 4);
    }
}

#[tokio::test]
async fn chunks_that_come_faster_than_their_posts_are_refused() {
    let world = on_air(&["a", "b", "c"]).await;
    // Three listeners need half a second: two chunks per second instead of four, and four at once.
    let settings = AudioSettings {
        posts_per_second: 6,
        rate: audio_rate(4),
        listeners_per_invocation: 1,
        ..SETTINGS
    };
    let sender = sender(relay_for(100), settings);
    let mut refused = 0;
    for _ in 0..40 {
        match send_with(&world, &sender, "mic", &chunk_of(100)).await {
            Ok(_) => {}
            Err(code) => {
                assert_eq!(code, ErrorCode::TooOften);
                refused += 1;
            }
        }
        world.clock.advance(Duration::from_millis(250));
    }
    // Four at first, and one every half second.
    assert_eq!(40 - refused, 4 + 19);
}

/// Connections whose posts take their time, and the number of posts in flight.
struct SlowNetwork {
    post: Duration,
    in_flight: AtomicUsize,
    most: AtomicUsize,
}

impl SlowNetwork {
    fn new(post: Duration) -> Self {
        SlowNetwork {
            post,
            in_flight: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        }
    }
}

impl Broadcaster for SlowNetwork {
    async fn post(&self, _: &ConnectionId, _: bytes::Bytes) -> Result<(), PostError> {
        let now = self.in_flight.fetch_add(1, Relaxed) + 1;
        self.most.fetch_max(now, Relaxed);
        tokio::time::sleep(self.post).await;
        self.in_flight.fetch_sub(1, Relaxed);
        Ok(())
    }

    async fn close(&self, _: &ConnectionId) -> Result<(), PostError> {
        Ok(())
    }
}

/// Sends a chunk to listeners whose posts take their time. Returns the time that it took, and the most posts at once.
async fn send_slowly(listeners: u32, post: Duration, settings: AudioSettings) -> (Duration, usize) {
    let world = on_air(&[]).await;
    crowd(&world, listeners).await;
    let ports = Ports {
        store: world.store,
        broadcaster: SlowNetwork::new(post),
        clock: world.clock,
    };
    let message = AudioMessage {
        sender: &id("mic"),
        request_id: None,
        body: &chunk_of(100).to_string(),
    };
    let start = tokio::time::Instant::now();
    let sender = sender(relay_for(0), settings);
    sender.send(&ports, message).await.unwrap();
    (start.elapsed(), ports.broadcaster.most.into_inner())
}

#[tokio::test(start_paused = true)]
async fn refused_shares_do_not_use_up_the_sockets_of_a_function() {
    let settings = AudioSettings {
        listeners_per_invocation: 100,
        posts_per_second: 1_000_000,
        ..SETTINGS
    };
    let (_, most) = send_slowly(1_000, Duration::from_millis(1_900), settings).await;
    assert!(most <= 100 + 256, "{most} posts at once");
}

#[tokio::test(start_paused = true)]
async fn a_raised_rate_is_kept_although_posts_take_their_time() {
    let settings = AudioSettings {
        listeners_per_invocation: 500,
        posts_per_second: 10_000,
        ..SETTINGS
    };
    let (time, most) = send_slowly(500, Duration::from_millis(50), settings).await;
    // On a paused clock: 500 posts in 50 ms, and the last one takes 50 ms. Timers are late by up to a millisecond each.
    assert!(time <= Duration::from_millis(120), "{time:?}");
    assert!(most > 128, "{most} posts at once");
}
