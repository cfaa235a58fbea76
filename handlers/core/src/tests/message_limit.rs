use std::time::Duration;

use super::id;
use crate::limits::{CONTROL_MESSAGES, MAX_REFUSED_MESSAGES, control_rate};
use crate::testing::TestClock;
use crate::{Clock, MessageDecision, MessageLimiter};

fn limiter() -> (TestClock, MessageLimiter) {
    let limiter = MessageLimiter::new(control_rate(CONTROL_MESSAGES));
    (TestClock::default(), limiter)
}

#[test]
fn a_flood_gets_one_error_and_is_then_dropped_and_closed_once() {
    let (clock, limiter) = limiter();
    let mut decisions = Vec::new();
    for _ in 0..10_000 {
        decisions.push(limiter.decide(&id("eve"), clock.now()));
        clock.advance(Duration::from_millis(1));
    }
    let number = |wanted: fn(&MessageDecision) -> bool| {
        decisions.iter().filter(|one| wanted(one)).count() as u32
    };
    let handled = number(|one| *one == MessageDecision::Handle);
    assert!(
        (CONTROL_MESSAGES..=2 * CONTROL_MESSAGES).contains(&handled),
        "{handled}"
    );
    assert_eq!(
        number(|one| matches!(one, MessageDecision::Refuse { .. })),
        1
    );
    assert_eq!(number(|one| *one == MessageDecision::Close), 1);
    let closed = decisions
        .iter()
        .position(|one| *one == MessageDecision::Close);
    assert_eq!(
        closed.unwrap() as u32,
        CONTROL_MESSAGES + MAX_REFUSED_MESSAGES - 1
    );
    // Nobody else is affected.
    assert_eq!(
        limiter.decide(&id("bob"), clock.now()),
        MessageDecision::Handle
    );
}

#[test]
fn a_connection_that_keeps_the_rate_is_never_refused() {
    let (clock, limiter) = limiter();
    for _ in 0..1_000 {
        assert_eq!(
            limiter.decide(&id("one"), clock.now()),
            MessageDecision::Handle
        );
        clock.advance(Duration::from_secs(10) / CONTROL_MESSAGES);
    }
}

#[test]
fn a_refused_message_says_when_to_retry() {
    let (clock, limiter) = limiter();
    for _ in 0..CONTROL_MESSAGES {
        limiter.decide(&id("one"), clock.now());
    }
    let MessageDecision::Refuse { retry_after } = limiter.decide(&id("one"), clock.now()) else {
        panic!("the bucket is empty");
    };
    assert_eq!(retry_after, Duration::from_millis(500));
    clock.advance(retry_after);
    assert_eq!(
        limiter.decide(&id("one"), clock.now()),
        MessageDecision::Handle
    );
    // After a while without messages, errors are answered again.
    clock.advance(Duration::from_secs(10));
    for _ in 0..CONTROL_MESSAGES {
        assert_eq!(
            limiter.decide(&id("one"), clock.now()),
            MessageDecision::Handle
        );
    }
    let refused = limiter.decide(&id("one"), clock.now());
    assert!(matches!(refused, MessageDecision::Refuse { .. }));
}

#[test]
fn a_clock_that_goes_back_refuses_nobody() {
    let (clock, limiter) = limiter();
    let later = clock.now().after(Duration::from_secs(60));
    assert_eq!(limiter.decide(&id("one"), later), MessageDecision::Handle);
    assert_eq!(
        limiter.decide(&id("one"), clock.now()),
        MessageDecision::Handle
    );
}

#[test]
fn many_connections_do_not_fill_the_memory() {
    let (clock, limiter) = limiter();
    for number in 0..50_000 {
        let decision = limiter.decide(&id(&number.to_string()), clock.now());
        assert_eq!(decision, MessageDecision::Handle);
    }
}
