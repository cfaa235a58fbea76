use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use tokio::time::{advance, sleep};

use super::*;
use crate::{FanOutOptions, fan_out};

/// An account with a number of requests left. Further posts are throttled.
#[derive(Clone, Default)]
struct Account {
    left: Arc<Mutex<u32>>,
    requests: Arc<AtomicU32>,
}

impl Account {
    fn refill(&self, requests: u32) {
        *self.left.lock().unwrap() = requests;
    }

    fn requests(&self) -> u32 {
        self.requests.swap(0, Ordering::SeqCst)
    }
}

impl Broadcaster for Account {
    async fn post(&self, _: &ConnectionId, _: Bytes) -> Result<(), PostError> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let mut left = self.left.lock().unwrap();
        if *left == 0 {
            return Err(PostError::Busy);
        }
        *left -= 1;
        Ok(())
    }

    async fn close(&self, _: &ConnectionId) -> Result<(), PostError> {
        Ok(())
    }
}

fn breaker() -> (Account, CircuitBreaker<Account>) {
    let account = Account::default();
    let breaker = CircuitBreaker::new(account.clone(), BreakerOptions::default(), |_| {});
    (account, breaker)
}

async fn post(breaker: &CircuitBreaker<Account>) -> Result<(), PostError> {
    breaker.post(&ConnectionId::new("a="), Bytes::new()).await
}

async fn posts(breaker: &CircuitBreaker<Account>, times: u32) {
    for _ in 0..times {
        let _ = post(breaker).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_account_gets_no_more_posts() {
    let (account, breaker) = breaker();
    account.refill(1_000);
    posts(&breaker, 1_000).await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    account.requests();
    posts(&breaker, 10_000).await;
    assert_eq!(breaker.state(), CircuitState::Open);
    assert_eq!(account.requests(), 32);
    assert_eq!(post(&breaker).await, Err(PostError::CircuitOpen));
}

#[tokio::test(start_paused = true)]
async fn a_few_clients_that_do_not_read_leave_the_circuit_closed() {
    let (account, breaker) = breaker();
    for _ in 0..100 {
        account.refill(9);
        posts(&breaker, 10).await;
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
    assert_eq!(account.requests(), 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_few_posts_decide_nothing() {
    let (_, breaker) = breaker();
    posts(&breaker, 63).await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    posts(&breaker, 1).await;
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn probes_that_get_through_close_the_circuit() {
    let (account, breaker) = breaker();
    posts(&breaker, 100).await;
    account.requests();
    account.refill(1_000);
    advance(Duration::from_millis(499)).await;
    posts(&breaker, 10).await;
    assert_eq!(account.requests(), 0);
    advance(Duration::from_millis(1)).await;
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    posts(&breaker, 8).await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    posts(&breaker, 92).await;
    assert_eq!(account.requests(), 100);
}

#[tokio::test(start_paused = true)]
async fn probes_that_are_throttled_double_the_time() {
    let (account, breaker) = breaker();
    posts(&breaker, 100).await;
    account.requests();
    for expected in [1_000, 2_000, 4_000, 8_000, 8_000] {
        while breaker.state() == CircuitState::Open {
            advance(Duration::from_millis(1)).await;
        }
        posts(&breaker, 100).await;
        assert_eq!(account.requests(), 4, "half of the probes decide");
        let mut open = 0;
        while breaker.state() == CircuitState::Open {
            advance(Duration::from_millis(1)).await;
            open += 1;
        }
        assert_eq!(open, expected);
    }
}

/// Posts that never get an answer.
struct Silent(AtomicU32);

impl Broadcaster for Silent {
    async fn post(&self, _: &ConnectionId, _: Bytes) -> Result<(), PostError> {
        match self.0.fetch_add(1, Ordering::SeqCst) {
            0..64 => Err(PostError::Busy),
            _ => std::future::pending().await,
        }
    }

    async fn close(&self, _: &ConnectionId) -> Result<(), PostError> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn probes_without_an_answer_are_repeated() {
    let breaker = CircuitBreaker::new(Silent(AtomicU32::new(0)), BreakerOptions::default(), |_| {});
    let ids: Vec<_> = (0..64).map(|n| ConnectionId::new(n.to_string())).collect();
    let options = FanOutOptions {
        attempts: 1,
        post_timeout: Duration::from_millis(100),
        ..FanOutOptions::default()
    };
    fan_out(&breaker, &ids, Bytes::new(), &options).await;
    assert_eq!(breaker.state(), CircuitState::Open);
    for round in 1..=3 {
        sleep(Duration::from_millis(500)).await;
        let report = fan_out(&breaker, &ids, Bytes::new(), &options).await;
        let timed_out = report
            .failed
            .iter()
            .filter(|(_, error)| *error == PostError::TimedOut);
        assert_eq!(timed_out.count(), 8);
        let sent = breaker.inner().0.load(Ordering::SeqCst);
        assert_eq!(sent, 64 + 8 * round);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fan_out_reports_posts_that_were_not_sent() {
    let (account, breaker) = breaker();
    let ids: Vec<_> = (0..1_000)
        .map(|n| ConnectionId::new(n.to_string()))
        .collect();
    account.refill(100);
    let options = FanOutOptions {
        attempts: 1,
        ..FanOutOptions::default()
    };
    let report = fan_out(&breaker, &ids, Bytes::new(), &options).await;
    assert_eq!(report.sent, 100);
    let failed = |error: PostError| report.failed.iter().filter(|(_, e)| *e == error).count();
    let (busy, not_sent) = (failed(PostError::Busy), failed(PostError::CircuitOpen));
    assert_eq!((busy, busy + not_sent), (32, 900));
    assert_eq!(report.attempts, 132);
}
