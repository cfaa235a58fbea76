//! Attacks on connect tickets.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use super::{
    LIMITS, SETTINGS, World, code, down, handshake, id, minutes, owner, session_id,
    world_with_session,
};
use crate::limits::{TICKET_LIFETIME, WRONG_ID_RATE};
use crate::ports::{Bucket, RateLimiter};
use crate::ports::{SessionRefusal, SessionStore, TakeResult, TicketStore};
use crate::sessions::SessionError;
use crate::tickets::{IssuedTicket, TicketError, TicketRequest, issue, redeem};
use crate::{
    Clock, ConnectError, Grant, Handshake, JoinError, QualityTier, Role, Sender, Session,
    SessionId, SessionStatus, Ticket, TicketHash, UserId, connect, handle_message,
};

const OTHER: &str = "calm-river-100-k7dq2m9x4hw3t";

fn bob() -> UserId {
    UserId::try_from("bob").unwrap()
}

async fn issued(world: &World, user: &UserId, role: Option<Role>) -> IssuedTicket {
    issue(world, LIMITS, &session_id(), user, role)
        .await
        .unwrap()
}

async fn redeemed(world: &World, secret: &str, session: &str) -> Result<Ticket, TicketError> {
    let request = TicketRequest {
        secret,
        session_id: session,
        ip_address: "203.0.113.7",
    };
    redeem(world, LIMITS, request).await
}

async fn with_other_session() -> World {
    let world = world_with_session().await;
    let other = Session::new(
        OTHER.try_into().unwrap(),
        bob(),
        super::language("en"),
        QualityTier::Standard,
        world.clock.now(),
    );
    assert!(world.store.create(&other).await.unwrap());
    world
}

#[tokio::test]
async fn a_ticket_has_its_users_role_and_is_valid_for_30_seconds() {
    let world = world_with_session().await;
    for (user, role) in [(owner(), Role::Speaker), (bob(), Role::Listener)] {
        let ticket = issued(&world, &user, None).await;
        assert_eq!(ticket.role, role);
        assert_eq!(ticket.expires_at, world.clock.now().after(TICKET_LIFETIME));
        let redeemed = redeemed(&world, &ticket.ticket, session_id().as_str()).await;
        let redeemed = redeemed.unwrap();
        assert_eq!((redeemed.user_id, redeemed.role), (user, role));
        assert_eq!(redeemed.session_id, session_id());
    }
}

#[tokio::test]
async fn the_table_does_not_contain_the_secret() {
    let world = world_with_session().await;
    let ticket = issued(&world, &owner(), None).await.ticket;
    assert_eq!(ticket.len(), 43);
    let hash = TicketHash::of(&ticket);
    assert!(!hash.as_str().contains(&ticket));
    assert_eq!(hash.as_str().len(), 64);
    // The hash is no ticket.
    let replayed = redeemed(&world, hash.as_str(), session_id().as_str()).await;
    assert_eq!(replayed, Err(TicketError::Invalid));
}

#[tokio::test]
async fn a_ticket_is_redeemed_once() {
    let world = world_with_session().await;
    let ticket = issued(&world, &owner(), None).await.ticket;
    let session = session_id();
    let attempts = (0..20).map(|_| redeemed(&world, &ticket, session.as_str()));
    let results = join_all(attempts).await;
    let redeemed = results.iter().filter(|result| result.is_ok());
    assert_eq!(redeemed.count(), 1);
}

#[tokio::test]
async fn a_ticket_does_not_open_another_session() {
    let world = with_other_session().await;
    let ticket = issued(&world, &bob(), None).await.ticket;
    let elsewhere = redeemed(&world, &ticket, OTHER).await;
    assert_eq!(elsewhere, Err(TicketError::Invalid));
    // If the authorizer and the handshake disagree about the session, the handshake refuses.
    let confused = Handshake {
        user_id: Some(bob()),
        grant: Some(Grant {
            session_id: session_id(),
            role: Role::Listener,
        }),
        session_id: Some(OTHER.to_owned()),
        ..handshake(&world, "bob")
    };
    let refused = connect(&world, SETTINGS, confused).await.unwrap_err();
    assert_eq!(refused, ConnectError::Join(JoinError::OtherTicket));
    assert_eq!((refused.status(), refused.reason()), (403, "otherTicket"));
}

#[tokio::test]
async fn a_connection_with_a_ticket_joins_no_other_session_later() {
    let world = with_other_session().await;
    let sender = Sender {
        connection_id: id("bob"),
        connected_at: world.clock.now(),
        ip_address: "ip-of-bob".to_owned(),
        user_id: Some(bob()),
        grant: Some(Grant {
            session_id: session_id(),
            role: Role::Listener,
        }),
    };
    let join = json!({"action": "joinSession", "sessionId": OTHER, "targetLanguage": "de"});
    let answers = handle_message(&world, SETTINGS, &sender, &join.to_string()).await;
    let answers: Vec<_> = answers
        .iter()
        .map(|answer| serde_json::to_value(answer).unwrap())
        .collect();
    assert_eq!(code(&answers), "OTHER_SESSION");
    assert_eq!(world.store.connections(), []);
}

#[tokio::test]
async fn only_the_owner_gets_a_ticket_for_the_speaker() {
    let world = world_with_session().await;
    let refused = issue(&world, LIMITS, &session_id(), &bob(), Some(Role::Speaker)).await;
    let not_owner = SessionError::Refused(SessionRefusal::NotOwner);
    assert_eq!(refused.err(), Some(not_owner));
    // Even if a ticket said so, nobody else speaks.
    let forged = Handshake {
        user_id: Some(bob()),
        grant: Some(Grant {
            session_id: session_id(),
            role: Role::Speaker,
        }),
        ..handshake(&world, "bob")
    };
    let refused = connect(&world, SETTINGS, forged).await.unwrap_err();
    assert_eq!(refused, ConnectError::Join(JoinError::OtherTicket));
}

#[tokio::test]
async fn the_owner_with_a_ticket_for_listeners_listens() {
    let world = world_with_session().await;
    let ticket = issued(&world, &owner(), Some(Role::Listener)).await;
    let ticket = redeemed(&world, &ticket.ticket, session_id().as_str()).await;
    let handshake = Handshake {
        user_id: Some(owner()),
        grant: Some(Grant {
            session_id: session_id(),
            role: ticket.unwrap().role,
        }),
        ..handshake(&world, "ada")
    };
    let joined = connect(&world, SETTINGS, handshake).await.unwrap();
    assert_eq!(joined.connection.role, Role::Listener);
    let mute = json!({"action": "muteBroadcast"});
    let answers = super::send_message(&world, "ada", mute).await;
    assert_eq!(code(&answers), "NOT_SPEAKER");
}

#[tokio::test]
async fn an_expired_ticket_is_refused() {
    let world = world_with_session().await;
    for (after, valid) in [(29_999, true), (30_000, false)] {
        let ticket = issued(&world, &owner(), None).await.ticket;
        world.clock.advance(Duration::from_millis(after));
        let redeemed = redeemed(&world, &ticket, session_id().as_str()).await;
        assert_eq!(redeemed.is_ok(), valid, "{after}");
    }
}

#[tokio::test]
async fn guessed_tickets_are_stopped_at_the_addresss_limit_of_wrong_ids() {
    let world = world_with_session().await;
    let session = session_id();
    let mut learned = 0;
    for number in 0..20_000 {
        match redeemed(&world, &format!("guess-{number}"), session.as_str()).await {
            Err(TicketError::Invalid) => learned += 1,
            other => assert!(
                matches!(other, Err(TicketError::RateLimited(_))),
                "{other:?}"
            ),
        }
    }
    assert_eq!(learned, WRONG_ID_RATE.tokens);
    // Wrong tickets and wrong session IDs share one limit.
    let bucket = Bucket::new("wrongId", "ip", "203.0.113.7");
    let now = world.clock.now();
    let left = world.store.peek(&bucket, WRONG_ID_RATE, now).await.unwrap();
    assert!(matches!(left, TakeResult::Empty { .. }));
}

#[tokio::test]
async fn a_valid_ticket_is_redeemed_although_its_address_exceeds_the_limit_of_wrong_ids() {
    let world = world_with_session().await;
    let ticket = issued(&world, &owner(), None).await.ticket;
    let session = session_id();
    while redeemed(&world, "guess", session.as_str()).await == Err(TicketError::Invalid) {}
    let limited = redeemed(&world, "guess", session.as_str()).await;
    assert!(matches!(limited, Err(TicketError::RateLimited(_))));
    // Someone behind the same address.
    let user = redeemed(&world, &ticket, session.as_str()).await;
    assert_eq!(user.unwrap().user_id, owner());
    // The ticket was used: now it is wrong, and the address is still limited.
    let again = redeemed(&world, &ticket, session.as_str()).await;
    assert!(matches!(again, Err(TicketError::RateLimited(_))));
}

#[tokio::test]
async fn malformed_tickets_and_sessions_count_as_wrong() {
    let world = world_with_session().await;
    let ticket = issued(&world, &owner(), None).await.ticket;
    let (session, long) = (session_id(), "x".repeat(10_000));
    for (secret, session) in [
        (long.as_str(), session.as_str()),
        (ticket.as_str(), ""),
        (ticket.as_str(), "x"),
    ] {
        let refused = redeemed(&world, secret, session).await;
        assert_eq!(refused, Err(TicketError::Invalid));
    }
    let bucket = Bucket::new("wrongId", "ip", "203.0.113.7");
    let mut left = 0;
    let now = world.clock.now();
    while world.store.take(&bucket, WRONG_ID_RATE, now).await == Ok(TakeResult::Taken) {
        left += 1;
    }
    assert_eq!(left, WRONG_ID_RATE.tokens - 3);
}

#[tokio::test]
async fn a_session_that_does_not_exist_or_is_over_has_no_tickets() {
    let world = world_with_session().await;
    let unknown = SessionId::try_from(OTHER).unwrap();
    let refused = issue(&world, LIMITS, &unknown, &bob(), None).await;
    let expected = SessionError::Refused(SessionRefusal::NoSession);
    assert_eq!(refused.err(), Some(expected));
    world.clock.advance(minutes(24 * 60));
    let refused = issue(&world, LIMITS, &session_id(), &owner(), None).await;
    let ended = SessionRefusal::WrongStatus(SessionStatus::Ended);
    assert_eq!(refused.err(), Some(SessionError::Refused(ended)));
}

#[tokio::test]
async fn a_failing_table_is_no_wrong_ticket() {
    let world = world_with_session().await;
    world.store.fail(Some(down()));
    let failed = redeemed(&world, "x", session_id().as_str()).await;
    assert_eq!(failed, Err(TicketError::Store(down())));
    world.store.fail(None);
    world.store.fail_rates(Some(down()));
    let ticket = Ticket {
        session_id: session_id(),
        role: Role::Listener,
        user_id: bob(),
        valid_until: world.clock.now().after(TICKET_LIFETIME),
        expires_at: 0,
    };
    let hash = TicketHash::of("secret");
    world.store.put_ticket(&hash, &ticket).await.unwrap();
    let redeemed = redeemed(&world, "secret", session_id().as_str()).await;
    assert!(redeemed.is_ok(), "limits are open");
}

#[tokio::test]
async fn a_user_gets_a_limited_number_of_tickets() {
    let world = world_with_session().await;
    let mut issued = 0;
    let refused = loop {
        match issue(&world, LIMITS, &session_id(), &bob(), None).await {
            Ok(_) => issued += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(issued, LIMITS.requests.tokens);
    assert!(matches!(refused, SessionError::RateLimited(_)));
}
