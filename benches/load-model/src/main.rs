//! Load model of the audio handler: a simulated account and network, and the real code of the fan-out.
//!
//! Prints one line of JSON per model, audience and rate. Time is simulated, and random numbers are seeded, so that every run
//! prints the same.

mod account;
mod lambda;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use stackgen_websocket::{Broadcaster, ConnectionId, FanOutOptions, PostError, fan_out};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, sleep_until};

use account::Account;
use lambda::AudioFunction;

/// Time for which the speaker sends.
const SPEECH: Duration = Duration::from_secs(5);

/// Time after which everything has ended.
const END: Duration = Duration::from_secs(35);

/// Maximum duration of an invocation.
const TIMEOUT: Duration = Duration::from_secs(25);

/// A way to send audio.
#[derive(Clone, Copy, Debug)]
enum Model {
    /// A loop over the listeners, one after the other, with boto3's five attempts.
    Loop,
    /// The fan-out as it was: five attempts, and no breaker.
    Before,
    /// The audio handler, with a rate limit that admits the chunks.
    After,
}

#[derive(Default)]
struct Counts {
    chunks: AtomicU64,
    delivered: AtomicU64,
    latencies: std::sync::Mutex<Vec<Duration>>,
}

fn main() {
    for (listeners, rates) in [
        (50, [1, 4, 20, 50]),
        (500, [1, 4, 20, 50]),
        (2_000, [1, 4, 20, 50]),
    ] {
        for rate in rates {
            for model in [Model::Loop, Model::Before, Model::After] {
                // The pauses of retries take their random numbers from the thread.
                fastrand::seed(7);
                let mut runtime = tokio::runtime::Builder::new_current_thread();
                let runtime = runtime.enable_time().start_paused(true).build();
                let runtime = runtime.expect("a runtime without I/O");
                println!("{}", runtime.block_on(measure(model, listeners, rate)));
            }
        }
    }
}

async fn measure(model: Model, listeners: usize, rate: u32) -> Value {
    let account = Account::new();
    let counts = Arc::new(Counts::default());
    let start = Instant::now();
    let other = tokio::spawn(other_api(account.clone(), start));
    let mut chunks = JoinSet::new();
    let (function, shares) = AudioFunction::new(account.clone(), listeners, rate).await;
    let shares = tokio::spawn(Arc::clone(&function).run_shares(shares, start + END));
    for index in 0..u64::from(rate) * SPEECH.as_secs() {
        sleep_until(start + Duration::from_secs(index) / rate).await;
        let (account, counts) = (account.clone(), Arc::clone(&counts));
        let function = Arc::clone(&function);
        chunks.spawn(async move {
            let is_accepted = match model {
                Model::After => function.chunk(index).await,
                Model::Before => before(&account, &counts, listeners).await,
                Model::Loop => one_after_the_other(&account, &counts, listeners).await,
            };
            counts
                .chunks
                .fetch_add(u64::from(is_accepted), Ordering::Relaxed);
        });
    }
    while chunks.join_next().await.is_some() {}
    shares.await.expect("it does not panic");
    let mut latencies = match model {
        Model::After => function.latencies(),
        _ => counts.latencies.lock().expect("nobody panics").clone(),
    };
    latencies.sort();
    let delivered = match model {
        Model::After => latencies.len() as u64,
        _ => counts.delivered.load(Ordering::Relaxed),
    };
    let sent = u64::from(rate) * SPEECH.as_secs();
    let due = sent * listeners as u64;
    let percentile = |share: f64| {
        let index = (latencies.len() as f64 * share) as usize;
        let latency = latencies.get(index.min(latencies.len().saturating_sub(1)));
        latency.map(|latency| latency.as_millis() as u64)
    };
    let other = other.await.expect("it does not panic");
    json!({
        "model": format!("{model:?}"), "listeners": listeners, "rate": rate,
        "sent": sent, "accepted": counts.chunks.load(Ordering::Relaxed), "due": due, "delivered": delivered,
        "attempts": account.posts(), "p50": percentile(0.5), "p99": percentile(0.99), "other": other,
    })
}

/// Another API of the account, with 100 requests per second while the speaker speaks. Returns the share that was admitted.
async fn other_api(account: Account, start: Instant) -> f64 {
    let mut ticks = interval(Duration::from_millis(10));
    let (mut sent, mut admitted) = (0, 0);
    while start.elapsed() < SPEECH {
        ticks.tick().await;
        sent += 1;
        admitted += u32::from(account.request());
    }
    f64::from(admitted) / f64::from(sent)
}

fn ids(listeners: usize) -> Vec<ConnectionId> {
    let ids = (0..listeners).map(|number| ConnectionId::new(format!("{number:05}")));
    ids.collect()
}

/// Records latencies of the fan-out.
struct Recorded<'a> {
    account: &'a Account,
    counts: &'a Counts,
    received_at: Instant,
}

impl Broadcaster for Recorded<'_> {
    async fn post(&self, to: &ConnectionId, message: Bytes) -> Result<(), PostError> {
        self.account.post(to, message).await?;
        self.counts.delivered.fetch_add(1, Ordering::Relaxed);
        let latency = self.received_at.elapsed();
        self.counts
            .latencies
            .lock()
            .expect("nobody panics")
            .push(latency);
        Ok(())
    }

    async fn close(&self, _: &ConnectionId) -> Result<(), PostError> {
        Ok(())
    }
}

/// Sends a chunk in shares of 250 listeners, with five attempts each.
async fn before(account: &Account, counts: &Counts, listeners: usize) -> bool {
    let recorded = Recorded {
        account,
        counts,
        received_at: Instant::now(),
    };
    let options = FanOutOptions {
        deadline: Duration::from_secs(5),
        attempts: 5,
        ..FanOutOptions::default()
    };
    let ids = ids(listeners);
    let shares = ids.chunks(250).enumerate().map(|(number, share)| {
        let (recorded, options) = (&recorded, &options);
        async move {
            if number > 0 {
                sleep(Duration::from_millis(20)).await;
            }
            fan_out(recorded, share, Bytes::new(), options).await;
        }
    });
    join_all(shares).await;
    true
}

/// Waits for all futures, in one task.
async fn join_all<F: Future<Output = ()>>(futures: impl Iterator<Item = F>) {
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        futures.retain_mut(|future| future.as_mut().poll(context).is_pending());
        match futures.is_empty() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await
}

/// Sends a chunk to one listener after the other, as `for connection in connections: post_to_connection(...)` does, until the
/// function times out. Throttled posts are repeated up to four times, with pauses that double.
async fn one_after_the_other(account: &Account, counts: &Counts, listeners: usize) -> bool {
    let recorded = Recorded {
        account,
        counts,
        received_at: Instant::now(),
    };
    for id in ids(listeners) {
        for attempt in 0..5_u32 {
            if recorded.received_at.elapsed() > TIMEOUT {
                return true;
            }
            if recorded.post(&id, Bytes::new()).await.is_ok() {
                break;
            }
            sleep(Duration::from_millis(500) * 2_u32.pow(attempt) / 2).await;
        }
    }
    true
}
