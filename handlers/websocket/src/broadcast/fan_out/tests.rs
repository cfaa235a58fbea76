use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

use proptest::prelude::*;

use super::*;

const MILLISECOND: Duration = Duration::from_millis(1);

/// Behavior of a connection.
#[derive(Clone, Debug)]
enum Listener {
    Takes(Duration),
    Hangs,
    Fails { error: PostError, times: u32 },
}

impl Listener {
    fn always(error: PostError) -> Self {
        Listener::Fails {
            error,
            times: u32::MAX,
        }
    }

    fn busy(times: u32) -> Self {
        let error = PostError::Busy;
        Listener::Fails { error, times }
    }
}

/// Connections that behave as tests specify, and the posts that they received.
struct Audience {
    listeners: HashMap<ConnectionId, Listener>,
    ids: Vec<ConnectionId>,
    slow_after: Duration,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    posts: HashMap<ConnectionId, u32>,
    messages: Vec<(ConnectionId, Instant, Bytes)>,
    in_flight: HashMap<u64, Instant>,
    started: u64,
    most: usize,
    most_with_slow: usize,
}

impl Audience {
    fn new(listeners: impl IntoIterator<Item = Listener>) -> Self {
        let named = |(index, listener)| (ConnectionId::new(format!("c{index}=")), listener);
        let listeners: Vec<_> = listeners.into_iter().enumerate().map(named).collect();
        Audience {
            ids: listeners.iter().map(|(id, _)| id.clone()).collect(),
            listeners: listeners.into_iter().collect(),
            slow_after: FanOutOptions::default().slow_after,
            seen: Mutex::default(),
        }
    }

    async fn post_to_all(&self, options: &FanOutOptions) -> FanOutReport {
        fan_out(self, &self.ids, Bytes::from_static(b"hello"), options).await
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    fn posts(&self, index: usize) -> u32 {
        self.seen()
            .posts
            .get(&self.ids[index])
            .copied()
            .unwrap_or(0)
    }

    /// Returns the arrival time of each message.
    fn arrivals(&self) -> Vec<Instant> {
        self.seen().messages.iter().map(|(_, at, _)| *at).collect()
    }
}

/// A post in flight. Dropping it ends the post.
struct InFlight<'a>(&'a Audience, u64);

impl<'a> InFlight<'a> {
    /// Starts a post, and updates the maximum number of posts that were in flight and not slow.
    fn start(audience: &'a Audience) -> Self {
        let mut seen = audience.seen();
        let now = Instant::now();
        let number = seen.started;
        seen.started += 1;
        seen.in_flight.insert(number, now);
        seen.most_with_slow = seen.most_with_slow.max(seen.in_flight.len());
        let quick = seen.in_flight.values();
        let quick = quick.filter(|start| now.duration_since(**start) < audience.slow_after);
        seen.most = seen.most.max(quick.count());
        InFlight(audience, number)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.seen().in_flight.remove(&self.1);
    }
}

impl Broadcaster for Audience {
    async fn post(&self, to: &ConnectionId, message: Bytes) -> Result<(), PostError> {
        let _in_flight = InFlight::start(self);
        let before = {
            let mut seen = self.seen();
            let posts = seen.posts.entry(to.clone()).or_default();
            *posts += 1;
            *posts - 1
        };
        match &self.listeners[to] {
            Listener::Takes(time) => sleep(*time).await,
            Listener::Hangs => std::future::pending().await,
            Listener::Fails { error, times } => {
                sleep(MILLISECOND).await;
                if before < *times {
                    return Err(error.clone());
                }
            }
        }
        self.seen()
            .messages
            .push((to.clone(), Instant::now(), message));
        Ok(())
    }

    async fn close(&self, _: &ConnectionId) -> Result<(), PostError> {
        Ok(())
    }
}

/// Returns the default options with the maximum pauses, so that results are reproducible.
fn options() -> FanOutOptions {
    FanOutOptions {
        jitter: |longest| longest,
        ..FanOutOptions::default()
    }
}

#[tokio::test(start_paused = true)]
async fn every_connection_gets_the_message_once_and_it_is_not_copied() {
    let audience = Audience::new(vec![Listener::Takes(MILLISECOND); 300]);
    let report = audience.post_to_all(&options()).await;
    assert_eq!(report.sent, 300);
    assert_eq!(report.gone, []);
    assert_eq!(report.failed, []);
    let seen = audience.seen();
    let reached: HashSet<_> = seen.messages.iter().map(|(id, ..)| id).collect();
    assert_eq!((reached.len(), seen.messages.len()), (300, 300));
    let first = seen.messages[0].2.as_ptr();
    assert!(
        seen.messages
            .iter()
            .all(|(.., message)| message.as_ptr() == first)
    );
}

#[tokio::test(start_paused = true)]
async fn an_empty_audience_takes_no_time() {
    let audience = Audience::new([]);
    let start = Instant::now();
    assert_eq!(
        audience.post_to_all(&options()).await,
        FanOutReport::default()
    );
    assert_eq!(Instant::now(), start);
}

#[tokio::test(start_paused = true)]
async fn as_many_posts_run_at_once_as_there_are_permits() {
    let audience = Audience::new(vec![Listener::Takes(10 * MILLISECOND); 100]);
    let start = Instant::now();
    let options = FanOutOptions {
        concurrency: 25,
        ..options()
    };
    assert_eq!(audience.post_to_all(&options).await.sent, 100);
    assert_eq!(start.elapsed(), 40 * MILLISECOND);
    assert_eq!(audience.seen().most, 25);
}

#[tokio::test(start_paused = true)]
async fn with_zero_permits_one_post_runs_at_a_time() {
    let audience = Audience::new(vec![Listener::Takes(MILLISECOND); 3]);
    let options = FanOutOptions {
        concurrency: 0,
        ..options()
    };
    assert_eq!(audience.post_to_all(&options).await.sent, 3);
    assert_eq!(audience.seen().most, 1);
}

#[tokio::test(start_paused = true)]
async fn with_half_of_the_connections_hanging_the_others_wait_until_posts_are_slow() {
    let pair = [Listener::Hangs, Listener::Takes(5 * MILLISECOND)];
    let audience = Audience::new(pair.into_iter().cycle().take(500));
    let start = Instant::now();
    let report = audience.post_to_all(&options()).await;
    assert_eq!(report.sent, 250);
    assert_eq!(report.failed.len(), 250);
    assert!(
        report
            .failed
            .iter()
            .all(|(_, error)| *error == PostError::TimedOut)
    );
    // The 250 connections that hang use all 128 permits once, for 250 ms each. Nothing waits for their timeout of 2 s.
    let last = audience.arrivals().into_iter().max().unwrap();
    assert_eq!(last - start, 285 * MILLISECOND);
    assert!(audience.seen().most <= 128);
    assert!(start.elapsed() <= Duration::from_millis(2000 + 285));
}

#[tokio::test(start_paused = true)]
async fn with_spare_permits_hanging_connections_delay_nobody() {
    let pair = [Listener::Hangs, Listener::Takes(5 * MILLISECOND)];
    let audience = Audience::new(pair.into_iter().cycle().take(200));
    let start = Instant::now();
    assert_eq!(audience.post_to_all(&options()).await.sent, 100);
    let last = audience.arrivals().into_iter().max().unwrap();
    assert!(last - start <= 40 * MILLISECOND, "{:?}", last - start);
}

#[tokio::test(start_paused = true)]
async fn a_slow_post_releases_its_permit_and_still_arrives() {
    let audience = Audience::new([
        Listener::Takes(1000 * MILLISECOND),
        Listener::Takes(10 * MILLISECOND),
    ]);
    let start = Instant::now();
    let options = FanOutOptions {
        concurrency: 1,
        ..options()
    };
    assert_eq!(audience.post_to_all(&options).await.sent, 2);
    let arrivals = audience.arrivals();
    assert_eq!(arrivals[0] - start, 260 * MILLISECOND);
    assert_eq!(arrivals[1] - start, 1000 * MILLISECOND);
}

#[tokio::test(start_paused = true)]
async fn a_pause_before_a_retry_holds_no_permit() {
    let audience = Audience::new([Listener::busy(1), Listener::Takes(10 * MILLISECOND)]);
    let start = Instant::now();
    let options = FanOutOptions {
        concurrency: 1,
        ..options()
    };
    assert_eq!(audience.post_to_all(&options).await.sent, 2);
    let arrivals = audience.arrivals();
    assert_eq!(arrivals[0] - start, 11 * MILLISECOND);
    assert_eq!(arrivals[1] - start, 52 * MILLISECOND);
}

#[tokio::test(start_paused = true)]
async fn a_retry_waits_for_a_permit() {
    let audience = Audience::new([
        Listener::busy(1),
        Listener::Takes(100 * MILLISECOND),
        Listener::Takes(100 * MILLISECOND),
    ]);
    let options = FanOutOptions {
        concurrency: 1,
        ..options()
    };
    assert_eq!(audience.post_to_all(&options).await.sent, 3);
    assert_eq!(audience.seen().most, 1);
}

#[tokio::test(start_paused = true)]
async fn a_busy_connection_is_retried_after_pauses_that_double() {
    for (times, elapsed) in [(0, 1), (1, 52), (2, 153), (3, 354), (4, 755)] {
        let audience = Audience::new([Listener::busy(times)]);
        let start = Instant::now();
        assert_eq!(audience.post_to_all(&options()).await.sent, 1);
        assert_eq!(start.elapsed(), elapsed * MILLISECOND, "{times}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_stays_busy_fails() {
    let audience = Audience::new([Listener::busy(5)]);
    let report = audience.post_to_all(&options()).await;
    assert_eq!(report.failed, [(audience.ids[0].clone(), PostError::Busy)]);
    assert_eq!(audience.posts(0), 5);
}

#[tokio::test(start_paused = true)]
async fn a_pause_has_a_maximum() {
    let audience = Audience::new([Listener::busy(4)]);
    let start = Instant::now();
    let options = FanOutOptions {
        max_backoff: 60 * MILLISECOND,
        ..options()
    };
    assert_eq!(audience.post_to_all(&options).await.sent, 1);
    assert_eq!(start.elapsed(), (5 + 50 + 60 + 60 + 60) * MILLISECOND);
}

#[tokio::test(start_paused = true)]
async fn a_pause_beyond_the_deadline_fails_at_once() {
    let audience = Audience::new([Listener::busy(1)]);
    let start = Instant::now();
    let options = FanOutOptions {
        deadline: 51 * MILLISECOND,
        ..options()
    };
    let report = audience.post_to_all(&options).await;
    assert_eq!(report.failed, [(audience.ids[0].clone(), PostError::Busy)]);
    assert_eq!(start.elapsed(), MILLISECOND);
}

#[tokio::test(start_paused = true)]
async fn a_failed_post_is_retried_once() {
    let error = PostError::Failed("500".to_owned());
    let once = Listener::Fails {
        error: error.clone(),
        times: 1,
    };
    let audience = Audience::new([once, Listener::always(error.clone())]);
    let report = audience.post_to_all(&options()).await;
    assert_eq!(report.sent, 1);
    assert_eq!(report.failed, [(audience.ids[1].clone(), error)]);
    assert_eq!((audience.posts(0), audience.posts(1)), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn permanent_failures_are_not_retried() {
    let audience = Audience::new([
        Listener::always(PostError::Gone),
        Listener::always(PostError::TooLarge),
        Listener::always(PostError::TimedOut),
        Listener::Hangs,
    ]);
    let report = audience.post_to_all(&options()).await;
    let [gone, large, late, hangs] = audience.ids.clone().try_into().unwrap();
    assert_eq!(report.gone, [gone]);
    assert_eq!(
        report.failed,
        [
            (large, PostError::TooLarge),
            (late, PostError::TimedOut),
            (hangs, PostError::TimedOut),
        ]
    );
    assert!((0..4).all(|index| audience.posts(index) == 1));
}

#[tokio::test(start_paused = true)]
async fn a_post_times_out() {
    let audience = Audience::new([Listener::Hangs]);
    let start = Instant::now();
    audience.post_to_all(&options()).await;
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    assert!(audience.seen().in_flight.is_empty());
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_every_connection_is_reported() {
    let audience = Audience::new([
        Listener::Takes(100 * MILLISECOND),
        Listener::Hangs,
        Listener::Takes(100 * MILLISECOND),
        Listener::busy(1),
    ]);
    let start = Instant::now();
    let options = FanOutOptions {
        concurrency: 1,
        slow_after: Duration::from_secs(1),
        deadline: 300 * MILLISECOND,
        ..options()
    };
    let report = audience.post_to_all(&options).await;
    assert_eq!(start.elapsed(), 300 * MILLISECOND);
    assert_eq!(report.sent, 1);
    assert_eq!(report.failed.len(), 3);
    assert_eq!((audience.posts(2), audience.posts(3)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_waits_for_a_permit_keeps_its_reason_at_the_deadline() {
    let audience = Audience::new([Listener::busy(1), Listener::Hangs]);
    let options = FanOutOptions {
        concurrency: 1,
        slow_after: Duration::from_secs(1),
        deadline: 300 * MILLISECOND,
        ..options()
    };
    let report = audience.post_to_all(&options).await;
    let errors: HashMap<_, _> = report.failed.into_iter().collect();
    assert_eq!(errors[&audience.ids[0]], PostError::Busy);
    assert_eq!(errors[&audience.ids[1]], PostError::TimedOut);
}

#[test]
fn jitter_is_at_most_the_longest_pause() {
    let longest = Duration::from_millis(100);
    let jitter = FanOutOptions::default().jitter;
    let pauses: Vec<_> = (0..200).map(|_| jitter(longest)).collect();
    assert!(pauses.iter().all(|pause| *pause <= longest));
    assert!(pauses.iter().any(|pause| *pause < longest / 4));
    assert!(pauses.iter().any(|pause| *pause > longest / 4 * 3));
}

fn a_listener() -> impl Strategy<Value = Listener> {
    let error = prop_oneof![
        Just(PostError::Gone),
        Just(PostError::Busy),
        Just(PostError::CircuitOpen),
        Just(PostError::TooLarge),
        Just(PostError::TimedOut),
        Just(PostError::Failed("500".to_owned())),
    ];
    prop_oneof![
        4 => (0_u64..600).prop_map(|ms| Listener::Takes(Duration::from_millis(ms))),
        1 => Just(Listener::Hangs),
        2 => (error, 0_u32..8).prop_map(|(error, times)| Listener::Fails { error, times }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_connection_is_reported_once_in_time_and_within_the_limits(
        listeners in proptest::collection::vec(a_listener(), 0..80),
        concurrency in 1_usize..20,
        deadline in 1_u64..3000,
        slow_after in 1_u64..400,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let mut audience = Audience::new(listeners);
        audience.slow_after = Duration::from_millis(slow_after);
        let options = FanOutOptions {
            concurrency,
            slow_after: audience.slow_after,
            deadline: Duration::from_millis(deadline),
            ..options()
        };
        let (report, elapsed) = runtime.block_on(async {
            let start = Instant::now();
            (audience.post_to_all(&options).await, start.elapsed())
        });
        prop_assert!(elapsed <= options.deadline);
        let seen = audience.seen();
        prop_assert!(seen.most <= concurrency);
        prop_assert_eq!(report.sent, seen.messages.len());
        let sent = seen.messages.iter().map(|(id, ..)| id.clone());
        let failed = report.failed.iter().map(|(id, _)| id.clone());
        let mut reported: Vec<_> = sent.chain(failed).chain(report.gone.iter().cloned()).collect();
        let mut audience_ids = audience.ids.clone();
        reported.sort();
        audience_ids.sort();
        prop_assert_eq!(reported, audience_ids);
    }
}

#[tokio::test(start_paused = true)]
async fn slow_posts_do_not_exceed_the_maximum_in_flight() {
    let options = FanOutOptions {
        concurrency: 4,
        in_flight: 10,
        ..FanOutOptions::default()
    };
    let audience = Audience::new((0..40).map(|_| Listener::Takes(options.slow_after * 4)));
    let report = audience.post_to_all(&options).await;
    assert_eq!(report.sent, 40);
    assert_eq!(audience.seen().started, 40);
    assert_eq!(audience.seen().most_with_slow, 10);
}

#[tokio::test(start_paused = true)]
async fn posts_are_spread_over_time() {
    let audience = Audience::new(vec![Listener::Takes(Duration::ZERO); 500]);
    let start = Instant::now();
    let interval = Duration::from_micros(2_000);
    let options = FanOutOptions {
        interval,
        ..options()
    };
    assert_eq!(audience.post_to_all(&options).await.sent, 500);
    for (number, arrival) in (0..).zip(audience.arrivals()) {
        let due = start + interval * number;
        assert!((due..=due + 2 * MILLISECOND).contains(&arrival), "{number}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_spread_message_is_no_burst_after_a_stall() {
    // All permits are in use for 250 ms, until the hanging posts count as slow.
    let mut listeners = vec![Listener::Hangs; 128];
    listeners.extend(vec![Listener::Takes(Duration::ZERO); 200]);
    let audience = Audience::new(listeners);
    let options = FanOutOptions {
        interval: MILLISECOND,
        attempts: 1,
        ..options()
    };
    audience.post_to_all(&options).await;
    let arrivals = audience.arrivals();
    assert_eq!(arrivals.len(), 200);
    for window in arrivals.windows(20) {
        let took = window[19].duration_since(window[0]);
        assert!(took >= 13 * MILLISECOND, "20 posts in {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_spread_message_ends_at_the_deadline() {
    let audience = Audience::new(vec![Listener::Takes(Duration::ZERO); 100]);
    let options = FanOutOptions {
        interval: 100 * MILLISECOND,
        deadline: Duration::from_millis(950),
        ..options()
    };
    let start = Instant::now();
    let report = audience.post_to_all(&options).await;
    assert_eq!((report.sent, report.failed.len()), (10, 90));
    assert!(
        report
            .failed
            .iter()
            .all(|(_, error)| *error == PostError::TimedOut)
    );
    assert!(start.elapsed() < Duration::from_secs(1));
}
