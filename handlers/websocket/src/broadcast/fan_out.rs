//! One message, many connections.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout_at};

use super::{Broadcaster, PostError};
use crate::ConnectionId;

/// How to send one message to many connections.
///
/// A post has one of [`concurrency`](Self::concurrency) places. One that turns out slow gives its place to the next in
/// line and goes on without, and so does one that waits before it tries again: a listener who does not read costs the
/// others [`slow_after`](Self::slow_after) at most, and then only if all places are taken. There are
/// [`under_way`](Self::under_way) at most, all together.
#[derive(Clone, Debug)]
pub struct FanOut {
    /// How many posts are under way at once; those that turned out slow do not count. At least 1.
    pub concurrency: usize,
    /// How many posts are under way at most, with those that turned out slow. Bounds what a function needs of memory,
    /// sockets and TLS handshakes when all are slow, as on its first start. At least 1.
    pub under_way: usize,
    /// After what time a post is slow.
    pub slow_after: Duration,
    /// After what time a post is given up.
    pub give_up_after: Duration,
    /// How long all of it may take. Whoever has not been reached then has failed with [`PostError::TimedOut`].
    pub deadline: Duration,
    /// How often a connection is tried that is [`PostError::Busy`].
    pub tries: u32,
    /// The longest pause before the second try; it doubles from try to try.
    pub backoff: Duration,
    /// The longest pause before any try.
    pub max_backoff: Duration,
    /// Chooses a pause that is at most this long. At random, so that connections that were refused together do not come
    /// back together ("full jitter").
    pub jitter: fn(Duration) -> Duration,
}

impl Default for FanOut {
    fn default() -> Self {
        FanOut {
            concurrency: 128,
            under_way: 512,
            slow_after: Duration::from_millis(250),
            give_up_after: Duration::from_secs(2),
            deadline: Duration::from_secs(10),
            tries: 5,
            backoff: Duration::from_millis(50),
            max_backoff: Duration::from_secs(1),
            jitter: |longest| longest.mul_f64(fastrand::f64()),
        }
    }
}

impl FanOut {
    /// The longest pause after so many tries.
    fn longest_pause(&self, tries: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(tries - 1);
        self.backoff.saturating_mul(doubled).min(self.max_backoff)
    }
}

/// What came of it. Everybody in the audience is in here once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many connections have the message.
    pub sent: usize,
    /// The connections that are closed: their records can go.
    pub gone: Vec<ConnectionId>,
    /// The connections that may be open and may not have the message, and why.
    pub failed: Vec<(ConnectionId, PostError)>,
}

impl Report {
    fn add(&mut self, id: &ConnectionId, result: Result<(), PostError>) {
        match result {
            Ok(()) => self.sent += 1,
            Err(PostError::Gone) => self.gone.push(id.clone()),
            Err(error) => self.failed.push((id.clone(), error)),
        }
    }
}

/// Sends a message to everybody in an audience; nobody waits for anybody slow.
///
/// [`PostError::Busy`] is tried again after a pause, several times; [`PostError::Failed`] once, which may deliver a
/// message twice if it was the answer that got lost. A message that was too large or not answered in time is not tried
/// again.
pub async fn fan_out<B: Broadcaster>(
    broadcaster: &B,
    audience: &[ConnectionId],
    message: Bytes,
    how: &FanOut,
) -> Report {
    let places = Semaphore::new(how.concurrency.clamp(1, Semaphore::MAX_PERMITS));
    let sending = Sending {
        broadcaster,
        message,
        places: &places,
        deadline: Instant::now() + how.deadline,
        how,
    };
    let mut report = Report::default();
    let mut waiting = audience.iter();
    let mut under_way = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            Some((id, result)) = under_way.next() => report.add(id, result),
            place = sending.place(), if waiting.len() > 0 && under_way.len() < how.under_way.max(1) => {
                let Some(place) = place else {
                    waiting.by_ref().for_each(|id| report.add(id, Err(PostError::TimedOut)));
                    continue;
                };
                let sending = &sending;
                under_way.extend(waiting.next().map(|id| async move { (id, sending.send(id, place).await) }));
            }
            else => return report,
        }
    }
}

struct Sending<'a, B> {
    broadcaster: &'a B,
    /// Cloning it counts a reference; the text is there once.
    message: Bytes,
    places: &'a Semaphore,
    deadline: Instant,
    how: &'a FanOut,
}

impl<'a, B: Broadcaster> Sending<'a, B> {
    /// A place, as soon as there is one; `None` if there is none before the deadline.
    async fn place(&self) -> Option<SemaphorePermit<'a>> {
        let place = timeout_at(self.deadline, self.places.acquire()).await;
        // One that is given back at the deadline, by a post that was given up, is of no use any more.
        let place = place.ok().filter(|_| Instant::now() < self.deadline);
        place?.ok()
    }

    /// Posts to one connection until it has the message, or will not get it.
    async fn send(
        &self,
        to: &ConnectionId,
        mut place: SemaphorePermit<'_>,
    ) -> Result<(), PostError> {
        let mut tries = 1;
        let mut failed_before = false;
        loop {
            let Err(error) = self.post(to, place).await else {
                return Ok(());
            };
            let again = match error {
                PostError::Busy => tries < self.how.tries,
                PostError::Failed(_) => !std::mem::replace(&mut failed_before, true),
                PostError::Gone | PostError::TooLarge | PostError::TimedOut => false,
            };
            let pause = (self.how.jitter)(self.how.longest_pause(tries));
            if !again || Instant::now() + pause >= self.deadline {
                return Err(error);
            }
            sleep(pause).await;
            place = match self.place().await {
                Some(place) => place,
                None => return Err(error),
            };
            tries += 1;
        }
    }

    /// Posts once.
    async fn post(&self, to: &ConnectionId, place: SemaphorePermit<'_>) -> Result<(), PostError> {
        let start = Instant::now();
        let give_up = self.deadline.min(start + self.how.give_up_after);
        let slow = give_up.min(start + self.how.slow_after);
        let mut post = pin!(self.broadcaster.post(to, self.message.clone()));
        if let Ok(result) = timeout_at(slow, &mut post).await {
            return result;
        }
        drop(place);
        let result = timeout_at(give_up, post).await;
        result.unwrap_or(Err(PostError::TimedOut))
    }
}

#[cfg(test)]
mod tests;
