//! Tests of the rules, one file per rule, with ports in memory.

mod connecting;
mod disconnecting;
mod ending;
mod guessing;
mod listening;
mod message_limit;
mod pacing;
mod protocol;
mod reconciling;
mod sending;
mod sessions;
mod speaking;
mod tickets;
mod values;

use std::time::Duration;

use crate::limits::{JOIN_RATE, Rate, WRONG_ID_RATE};
use crate::ports::{Capacity, Ports, SessionStore, StoreError};
use crate::testing::{MemoryBroadcaster, MemoryStore, TestClock, memory_ports};
use crate::{
    CallerLimits, Clock, ConnectionId, Handshake, JoinSettings, JoinedConnection, Language,
    QualityTier, RateLimitFailure, Sender, Session, SessionId, UserId, connect,
};

type World = Ports<MemoryStore, MemoryBroadcaster, TestClock>;

const SETTINGS: JoinSettings = JoinSettings {
    capacity: Capacity {
        listeners: 3,
        per_address: 50,
    },
    caller: CallerLimits {
        requests: Rate {
            tokens: 10,
            per: Duration::from_secs(60),
        },
        ..LIMITS
    },
};

/// The limits that a deployed stack has by default.
const LIMITS: CallerLimits = CallerLimits {
    requests: JOIN_RATE,
    wrong_ids: WRONG_ID_RATE,
    failure: RateLimitFailure::Open,
};

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

fn id(name: &str) -> ConnectionId {
    ConnectionId::new(name)
}

fn language(tag: &str) -> Language {
    Language::try_from(tag).unwrap()
}

fn owner() -> UserId {
    UserId::try_from("ada").unwrap()
}

fn session_id() -> SessionId {
    SessionId::try_from("merciful-truth-455-k7dq2m9x4hw3t").unwrap()
}

fn down() -> StoreError {
    StoreError::Unavailable {
        operation: "test",
        reason: "down".to_owned(),
    }
}

/// Returns ports with one session in English, which ada owns.
async fn world_with_session() -> World {
    let world = memory_ports();
    let session = Session::new(
        session_id(),
        owner(),
        language("en"),
        QualityTier::Standard,
        world.clock.now(),
    );
    assert!(world.store.create(&session).await.unwrap());
    world
}

/// Returns a handshake of an anonymous listener who hears German, with an address of its own per name.
fn handshake(world: &World, name: &str) -> Handshake {
    Handshake {
        connection_id: id(name),
        connected_at: world.clock.now(),
        ip_address: format!("ip-of-{name}"),
        user_id: None,
        grant: None,
        session_id: Some(session_id().to_string()),
        target_language: Some("de".to_owned()),
        previous_connection_id: None,
    }
}

async fn listener(world: &World, name: &str) -> JoinedConnection {
    connect(world, SETTINGS, handshake(world, name))
        .await
        .unwrap()
}

async fn speaker(world: &World, name: &str) -> JoinedConnection {
    let handshake = Handshake {
        user_id: Some(owner()),
        target_language: None,
        ..handshake(world, name)
    };
    connect(world, SETTINGS, handshake).await.unwrap()
}

async fn session(world: &World) -> Session {
    world.store.session(&session_id()).await.unwrap().unwrap()
}

async fn listener_count(world: &World) -> u32 {
    let counts = world.store.listener_counts(&session_id()).await.unwrap();
    assert_eq!(counts.total, counts.by_language.values().sum::<u32>());
    counts.total
}

/// Sends a message and returns the answers as JSON.
async fn send_message(
    world: &World,
    name: &str,
    body: serde_json::Value,
) -> Vec<serde_json::Value> {
    send_text(world, name, &body.to_string()).await
}

async fn send_text(world: &World, name: &str, body: &str) -> Vec<serde_json::Value> {
    let sender = Sender {
        connection_id: id(name),
        connected_at: world.clock.now(),
        ip_address: format!("ip-of-{name}"),
        user_id: None,
        grant: None,
    };
    let answers = crate::handle_message(world, SETTINGS, &sender, body).await;
    let json = |answer| serde_json::to_value(answer).unwrap();
    answers.iter().map(json).collect()
}

/// Returns the error code of the only answer.
fn code(answers: &[serde_json::Value]) -> &str {
    assert_eq!(answers.len(), 1, "{answers:?}");
    answers[0]["code"].as_str().unwrap_or("not an error")
}
