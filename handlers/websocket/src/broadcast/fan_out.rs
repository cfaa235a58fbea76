//! Posts of one message to many connections.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::{Broadcaster, PostError};
use crate::ConnectionId;

/// Options of a fan-out.
///
/// Up to [`concurrency`](Self::concurrency) posts run at once. A post that is slow, or pauses before a retry, releases
/// its permit to the next connection and continues without one. So a client that does not read delays the others by at
/// most [`slow_after`](Self::slow_after), and only if all permits are in use. In total, at most
/// [`in_flight`](Self::in_flight) posts are in flight.
#[derive(Clone, Debug)]
pub struct FanOutOptions {
    /// Number of posts at once, without slow ones. At least 1.
    pub concurrency: usize,
    /// Maximum number of posts in flight, with slow ones. It limits memory, sockets and TLS handshakes when all posts
    /// are slow, as in a new function process. At least 1.
    pub in_flight: usize,
    /// Time after which a post is slow.
    pub slow_after: Duration,
    /// Timeout of a post.
    pub post_timeout: Duration,
    /// Time for the whole fan-out. Connections that are not reached by then fail with [`PostError::TimedOut`].
    pub deadline: Duration,
    /// Maximum number of posts to one connection. At least 1. Retries count in the account's request limit (row L5), so
    /// messages that are useless a moment later, such as audio, should have a single attempt.
    pub attempts: u32,
    /// Maximum of the first pause. It doubles with each attempt.
    pub backoff: Duration,
    /// Upper limit of each pause.
    pub max_backoff: Duration,
    /// Minimum time between the first posts to two connections; zero for none. It spreads a message over time, so that it is no
    /// burst in the account's request limit (row L5).
    pub interval: Duration,
    /// Chooses a pause of at most this duration. Random by default ("full jitter"), so that connections that were
    /// refused together do not retry together.
    pub jitter: fn(Duration) -> Duration,
}

impl Default for FanOutOptions {
    fn default() -> Self {
        FanOutOptions {
            concurrency: 128,
            in_flight: 512,
            slow_after: Duration::from_millis(250),
            post_timeout: Duration::from_secs(2),
            deadline: Duration::from_secs(10),
            attempts: 5,
            backoff: Duration::from_millis(50),
            max_backoff: Duration::from_secs(1),
            interval: Duration::ZERO,
            jitter: |longest| longest.mul_f64(fastrand::f64()),
        }
    }
}

impl FanOutOptions {
    /// Returns the maximum of the pause after this many attempts.
    fn longest_pause(&self, attempts: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(attempts - 1);
        self.backoff.saturating_mul(doubled).min(self.max_backoff)
    }
}

/// Result of a fan-out. It contains each connection once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FanOutReport {
    /// Number of connections that received the message.
    pub sent: usize,
    /// Number of posts, with retries. Each counts in the account's request limit.
    pub attempts: usize,
    /// Connections that are closed.
    pub gone: Vec<ConnectionId>,
    /// Connections that may be open and may have missed the message, with the reason.
    pub failed: Vec<(ConnectionId, PostError)>,
}

impl FanOutReport {
    /// Adds the result of a fan-out of the same message to other connections.
    pub fn merge(&mut self, other: FanOutReport) {
        self.sent += other.sent;
        self.attempts += other.attempts;
        self.gone.extend(other.gone);
        self.failed.extend(other.failed);
    }

    fn add(&mut self, id: &ConnectionId, result: Result<(), PostError>) {
        match result {
            Ok(()) => self.sent += 1,
            Err(PostError::Gone) => self.gone.push(id.clone()),
            Err(error) => self.failed.push((id.clone(), error)),
        }
    }
}

/// Posts a message to all connections of an audience. A slow connection does not delay the others. With an
/// [`interval`](FanOutOptions::interval), the posts are spread evenly.
///
/// Retries [`PostError::Busy`] and [`PostError::CircuitOpen`] up to [`FanOutOptions::attempts`], after pauses, and
/// [`PostError::Failed`] once; if only the response was lost, the message is delivered twice. Does not retry messages
/// that are too large or posts that timed out.
pub async fn fan_out<B: Broadcaster>(
    broadcaster: &B,
    audience: &[ConnectionId],
    message: Bytes,
    options: &FanOutOptions,
) -> FanOutReport {
    let permits = Semaphore::new(options.concurrency.clamp(1, Semaphore::MAX_PERMITS));
    let attempts = AtomicUsize::new(0);
    let run = FanOutRun {
        broadcaster,
        message,
        permits: &permits,
        attempts: &attempts,
        deadline: Instant::now() + options.deadline,
        options,
    };
    let mut pace = Pace::new(options.interval);
    let mut report = FanOutReport::default();
    let mut waiting = audience.iter();
    let mut in_flight = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            Some((id, result)) = in_flight.next() => report.add(id, result),
            permit = run.next_permit(&pace), if waiting.len() > 0 && in_flight.len() < options.in_flight.max(1) => {
                let Some(permit) = permit else {
                    waiting.by_ref().for_each(|id| report.add(id, Err(PostError::TimedOut)));
                    continue;
                };
                pace.advance();
                let run = &run;
                in_flight.extend(waiting.next().map(|id| async move { (id, run.send(id, permit).await) }));
            }
            else => {
                report.attempts = attempts.load(Ordering::Relaxed);
                return report;
            }
        }
    }
}

/// Maximum time by which first posts may lag behind their interval and still catch up. Timers have a resolution of one
/// millisecond, so that several posts may be due at once. A longer lag is not made up for, as that would be a burst.
const CATCH_UP: Duration = Duration::from_millis(5);

/// Times of the first posts: a token bucket that holds no burst.
struct Pace {
    interval: Duration,
    next: Instant,
}

impl Pace {
    fn new(interval: Duration) -> Self {
        Pace {
            interval,
            next: Instant::now(),
        }
    }

    /// Waits for the next post's time, at most until the deadline.
    async fn wait(&self, deadline: Instant) {
        if !self.interval.is_zero() && self.next > Instant::now() {
            sleep_until(self.next.min(deadline)).await;
        }
    }

    /// Moves on to the post after the next one.
    fn advance(&mut self) {
        let now = Instant::now();
        let start = now.checked_sub(CATCH_UP).unwrap_or(now);
        self.next = self.next.max(start) + self.interval;
    }
}

struct FanOutRun<'a, B> {
    broadcaster: &'a B,
    /// Clones share the memory of the message.
    message: Bytes,
    permits: &'a Semaphore,
    /// Number of posts so far.
    attempts: &'a AtomicUsize,
    deadline: Instant,
    options: &'a FanOutOptions,
}

impl<'a, B: Broadcaster> FanOutRun<'a, B> {
    /// Returns a permit for the next connection at its time, or `None` at the deadline.
    async fn next_permit(&self, pace: &Pace) -> Option<SemaphorePermit<'a>> {
        pace.wait(self.deadline).await;
        self.permit().await
    }

    /// Returns a permit as soon as there is one, or `None` at the deadline.
    async fn permit(&self) -> Option<SemaphorePermit<'a>> {
        let permit = timeout_at(self.deadline, self.permits.acquire()).await;
        // A permit that a post releases by timing out at the deadline is useless.
        let permit = permit.ok().filter(|_| Instant::now() < self.deadline);
        permit?.ok()
    }

    /// Posts to one connection, with retries.
    async fn send(
        &self,
        to: &ConnectionId,
        mut permit: SemaphorePermit<'_>,
    ) -> Result<(), PostError> {
        let mut attempts = 1;
        let mut failed_before = false;
        loop {
            let Err(error) = self.post(to, permit).await else {
                return Ok(());
            };
            let again = match error {
                PostError::Busy | PostError::CircuitOpen => true,
                PostError::Failed(_) => !std::mem::replace(&mut failed_before, true),
                PostError::Gone | PostError::TooLarge | PostError::TimedOut => false,
            } && attempts < self.options.attempts;
            let pause = (self.options.jitter)(self.options.longest_pause(attempts));
            if !again || Instant::now() + pause >= self.deadline {
                return Err(error);
            }
            sleep(pause).await;
            permit = match self.permit().await {
                Some(permit) => permit,
                None => return Err(error),
            };
            attempts += 1;
        }
    }

    /// Posts once.
    async fn post(&self, to: &ConnectionId, permit: SemaphorePermit<'_>) -> Result<(), PostError> {
        let start = Instant::now();
        let give_up = self.deadline.min(start + self.options.post_timeout);
        let slow = give_up.min(start + self.options.slow_after);
        let mut post = pin!(self.broadcaster.post(to, self.message.clone()));
        let result = match timeout_at(slow, &mut post).await {
            Ok(result) => result,
            Err(_) => {
                drop(permit);
                let result = timeout_at(give_up, post).await;
                result.unwrap_or(Err(PostError::TimedOut))
            }
        };
        if result != Err(PostError::CircuitOpen) {
            self.attempts.fetch_add(1, Ordering::Relaxed);
        }
        result
    }
}

#[cfg(test)]
mod tests;
