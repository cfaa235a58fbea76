//! Attacks that guess session IDs.

use std::time::Duration;

use super::{
    LIMITS, SETTINGS, World, code, handshake, id, owner, send_message, session_id,
    world_with_session,
};
use crate::limits::{VIEW_RATE, WRONG_ID_RATE};
use crate::ports::{Capacity, SessionRefusal};
use crate::sessions::{SessionError, end_as_owner, set_open, view};
use crate::{
    CallerLimits, ConnectError, Handshake, JoinSettings, RateLimitError, SessionId, address_key,
    connect,
};

const WRONG: &str = "calm-river-100-k7dq2m9x4hw3t";
const ATTEMPTS: u32 = 20_000;

/// Limits without a limit on requests, so that only wrong IDs count.
const WRONG_IDS_ONLY: CallerLimits = CallerLimits {
    requests: crate::limits::Rate {
        tokens: 1_000_000,
        ..VIEW_RATE
    },
    ..LIMITS
};

const JOIN: JoinSettings = JoinSettings {
    caller: WRONG_IDS_ONLY,
    ..SETTINGS
};

fn wrong() -> SessionId {
    SessionId::try_from(WRONG).unwrap()
}

/// Returns the status of a handshake.
async fn status(world: &World, settings: JoinSettings, handshake: Handshake) -> u16 {
    match connect(world, settings, handshake).await {
        Ok(_) => 200,
        Err(refusal) => refusal.status(),
    }
}

fn guess(world: &World) -> Handshake {
    Handshake {
        session_id: Some(WRONG.to_owned()),
        ..handshake(world, "eve")
    }
}

#[tokio::test]
async fn twenty_thousand_wrong_ids_from_one_address_are_stopped_at_the_limit() {
    let world = world_with_session().await;
    let mut learned = 0;
    for _ in 0..ATTEMPTS {
        match status(&world, JOIN, guess(&world)).await {
            404 => learned += 1,
            status => assert_eq!(status, 429),
        }
    }
    assert_eq!(learned, WRONG_ID_RATE.tokens);
    // Now a correct ID is refused in the same way, so that the caller learns nothing more.
    assert_eq!(status(&world, JOIN, handshake(&world, "eve")).await, 429);
    // Nobody else is affected.
    assert_eq!(status(&world, JOIN, handshake(&world, "bob")).await, 200);
    // There is one more guess every 30 seconds.
    world.clock.advance(Duration::from_secs(31));
    assert_eq!(status(&world, JOIN, guess(&world)).await, 404);
    assert_eq!(status(&world, JOIN, guess(&world)).await, 429);
}

#[tokio::test]
async fn the_limit_comes_before_anything_that_depends_on_the_session() {
    let world = world_with_session().await;
    let limit = SETTINGS.caller.requests.tokens;
    for _ in 0..limit {
        assert_eq!(status(&world, SETTINGS, guess(&world)).await, 404);
    }
    for session in [WRONG, session_id().as_str()] {
        let handshake = Handshake {
            session_id: Some(session.to_owned()),
            ..handshake(&world, "eve")
        };
        assert_eq!(status(&world, SETTINGS, handshake).await, 429, "{session}");
    }
}

#[tokio::test]
async fn wrong_ids_count_together_in_handshakes_messages_and_requests() {
    let world = world_with_session().await;
    for _ in 0..WRONG_ID_RATE.tokens / 3 {
        assert_eq!(status(&world, JOIN, guess(&world)).await, 404);
        let join = serde_json::json!({"action": "joinSession", "sessionId": WRONG, "targetLanguage": "de"});
        world.clock.advance(Duration::from_secs(12));
        assert_eq!(code(&send_message(&world, "eve", join).await), "NO_SESSION");
        let seen = view(&world, WRONG_IDS_ONLY, "ip-of-eve", &wrong()).await;
        assert_eq!(seen, Err(SessionError::Refused(SessionRefusal::NoSession)));
    }
    // 40 times twelve seconds give 16 more.
    world.clock.advance(Duration::from_secs(1));
    let mut more = 0;
    while status(&world, JOIN, guess(&world)).await == 404 {
        more += 1;
    }
    assert_eq!(more, 16);
    let seen = view(&world, WRONG_IDS_ONLY, "ip-of-eve", &session_id()).await;
    let limited = |error: &SessionError| {
        matches!(
            error,
            SessionError::RateLimited(RateLimitError::Exceeded { .. })
        )
    };
    assert!(limited(&seen.unwrap_err()));
    assert!(
        view(&world, WRONG_IDS_ONLY, "ip-of-bob", &session_id())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_user_who_guesses_over_http_is_stopped_too() {
    let world = world_with_session().await;
    let eve = "eve".try_into().unwrap();
    let limited = |error: &SessionError| matches!(error, SessionError::RateLimited(_));
    let mut learned = 0;
    for _ in 0..ATTEMPTS / 2 {
        for error in [
            set_open(&world, WRONG_IDS_ONLY, &wrong(), &eve, true)
                .await
                .unwrap_err(),
            end_as_owner(&world, WRONG_IDS_ONLY, &wrong(), &eve)
                .await
                .unwrap_err(),
        ] {
            learned += u32::from(!limited(&error));
        }
    }
    assert_eq!(learned, WRONG_ID_RATE.tokens);
    let ada = set_open(&world, WRONG_IDS_ONLY, &session_id(), &owner(), true).await;
    assert!(ada.is_ok());
}

#[tokio::test]
async fn forty_people_behind_one_address_join_at_once() {
    let world = world_with_session().await;
    let settings = JoinSettings {
        capacity: Capacity {
            listeners: 500,
            per_address: 50,
        },
        caller: LIMITS,
    };
    for number in 0..40 {
        let handshake = Handshake {
            connection_id: id(&format!("{number}")),
            ip_address: "198.51.100.7".to_owned(),
            ..handshake(&world, "pupil")
        };
        assert_eq!(status(&world, settings, handshake).await, 200, "{number}");
    }
}

#[tokio::test]
async fn all_addresses_of_one_ipv6_network_count_together() {
    let world = world_with_session().await;
    let from = |address: String| Handshake {
        ip_address: address,
        ..guess(&world)
    };
    let mut learned = 0;
    for number in 0..1_000 {
        let address = format!("2001:db8:1:2::{number:x}");
        learned += u32::from(status(&world, JOIN, from(address)).await == 404);
    }
    assert_eq!(learned, WRONG_ID_RATE.tokens);
    let other = from("2001:db8:1:3::1".to_owned());
    assert_eq!(status(&world, JOIN, other).await, 404);
}

#[test]
fn addresses_have_keys() {
    for (address, key) in [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("", ""),
        ("no address", "no address"),
    ] {
        assert_eq!(address_key(address), key);
    }
    assert_eq!(address_key(&"x".repeat(100)).len(), 64);
}

#[tokio::test]
async fn a_speaker_does_not_wait_for_listeners_behind_the_same_address() {
    let world = world_with_session().await;
    for _ in 0..20 {
        status(&world, SETTINGS, guess(&world)).await;
    }
    let ada = Handshake {
        user_id: Some(owner()),
        ..handshake(&world, "eve")
    };
    assert_eq!(status(&world, SETTINGS, ada).await, 200);
}

#[tokio::test]
async fn while_the_rate_limit_table_fails_wrong_ids_are_answered_if_set() {
    let world = world_with_session().await;
    world.store.fail_rates(Some(super::down()));
    assert_eq!(status(&world, SETTINGS, guess(&world)).await, 404);
    let closed = JoinSettings {
        caller: CallerLimits {
            failure: crate::RateLimitFailure::Closed,
            ..LIMITS
        },
        ..SETTINGS
    };
    let refused = connect(&world, closed, guess(&world)).await;
    assert_eq!(refused.as_ref().map_err(ConnectError::status), Err(500));
}

#[test]
fn the_odds_of_guessing_a_session_are_as_documented() {
    // Words, a number and 13 characters of base32.
    let ids = 5.6e6 * 32_f64.powi(13);
    assert!((2_f64.powi(87)..2_f64.powi(88)).contains(&ids));
    let hours = 24.0 * 365.0;
    // Each address has its full bucket at first, and what it gains afterwards.
    let a_year = f64::from(WRONG_ID_RATE.tokens) * (hours + 1.0);
    let guesses = 1_000.0 * a_year;
    assert!((1.0e9..1.1e9).contains(&guesses));
    let (sessions, hits) = (1_000.0, |sessions: f64| sessions * guesses / 2_f64.powi(87));
    assert!(
        (6.0e-15..7.0e-15).contains(&hits(sessions)),
        "{}",
        hits(sessions)
    );
}
