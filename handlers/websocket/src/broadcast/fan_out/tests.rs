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
    under_way: HashMap<u64, Instant>,
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
            slow_after: FanOut::default().slow_after,
            seen: Mutex::default(),
        }
    }

    async fn hear(&self, how: &FanOut) -> Report {
        fan_out(self, &self.ids, Bytes::from_static(b"hello"), how).await
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
struct UnderWay<'a>(&'a Audience, u64);

impl<'a> UnderWay<'a> {
    /// Starts a post, and updates the maximum number of posts that were in flight and not slow.
    fn start(audience: &'a Audience) -> Self {
        let mut seen = audience.seen();
        let now = Instant::now();
        let number = seen.started;
        seen.started += 1;
        seen.under_way.insert(number, now);
        seen.most_with_slow = seen.most_with_slow.max(seen.under_way.len());
        let quick = seen.under_way.values();
        let quick = quick.filter(|start| now.duration_since(**start) < audience.slow_after);
        seen.most = seen.most.max(quick.count());
        UnderWay(audience, number)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.seen().under_way.remove(&self.1);
    }
}

impl Broadcaster for Audience {
    async fn post(&self, to: &ConnectionId, message: Bytes) -> Result<(), PostError> {
        let _under_way = UnderWay::start(self);
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
}

/// Returns the default options with the maximum pauses, so that results are reproducible.
fn how() -> FanOut {
    FanOut {
        jitter: |longest| longest,
        ..FanOut::default()
    }
}

#[tokio::test(start_paused = true)]
async fn everybody_gets_the_message_once_and_it_is_not_copied() {
    let audience = Audience::new(vec![Listener::Takes(MILLISECOND); 300]);
    let report = audience.hear(&how()).await;
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
    assert_eq!(audience.hear(&how()).await, Report::default());
    assert_eq!(Instant::now(), start);
}

#[tokio::test(start_paused = true)]
async fn posts_go_out_as_many_at_once_as_there_are_places() {
    let audience = Audience::new(vec![Listener::Takes(10 * MILLISECOND); 100]);
    let start = Instant::now();
    let how = FanOut {
        concurrency: 25,
        ..how()
    };
    assert_eq!(audience.hear(&how).await.sent, 100);
    assert_eq!(start.elapsed(), 40 * MILLISECOND);
    assert_eq!(audience.seen().most, 25);
}

#[tokio::test(start_paused = true)]
async fn without_places_there_is_one_at_a_time() {
    let audience = Audience::new(vec![Listener::Takes(MILLISECOND); 3]);
    let how = FanOut {
        concurrency: 0,
        ..how()
    };
    assert_eq!(audience.hear(&how).await.sent, 3);
    assert_eq!(audience.seen().most, 1);
}

#[tokio::test(start_paused = true)]
async fn with_half_of_the_listeners_hanging_the_others_lose_the_time_after_which_a_post_is_slow() {
    let pair = [Listener::Hangs, Listener::Takes(5 * MILLISECOND)];
    let audience = Audience::new(pair.into_iter().cycle().take(500));
    let start = Instant::now();
    let report = audience.hear(&how()).await;
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
async fn with_places_to_spare_hanging_listeners_cost_the_others_nothing() {
    let pair = [Listener::Hangs, Listener::Takes(5 * MILLISECOND)];
    let audience = Audience::new(pair.into_iter().cycle().take(200));
    let start = Instant::now();
    assert_eq!(audience.hear(&how()).await.sent, 100);
    let last = audience.arrivals().into_iter().max().unwrap();
    assert!(last - start <= 40 * MILLISECOND, "{:?}", last - start);
}

#[tokio::test(start_paused = true)]
async fn a_slow_post_gives_its_place_to_the_next_and_still_arrives() {
    let audience = Audience::new([
        Listener::Takes(1000 * MILLISECOND),
        Listener::Takes(10 * MILLISECOND),
    ]);
    let start = Instant::now();
    let how = FanOut {
        concurrency: 1,
        ..how()
    };
    assert_eq!(audience.hear(&how).await.sent, 2);
    let arrivals = audience.arrivals();
    assert_eq!(arrivals[0] - start, 260 * MILLISECOND);
    assert_eq!(arrivals[1] - start, 1000 * MILLISECOND);
}

#[tokio::test(start_paused = true)]
async fn a_pause_before_another_try_takes_no_place() {
    let audience = Audience::new([Listener::busy(1), Listener::Takes(10 * MILLISECOND)]);
    let start = Instant::now();
    let how = FanOut {
        concurrency: 1,
        ..how()
    };
    assert_eq!(audience.hear(&how).await.sent, 2);
    let arrivals = audience.arrivals();
    assert_eq!(arrivals[0] - start, 11 * MILLISECOND);
    assert_eq!(arrivals[1] - start, 52 * MILLISECOND);
}

#[tokio::test(start_paused = true)]
async fn another_try_waits_for_a_place() {
    let audience = Audience::new([
        Listener::busy(1),
        Listener::Takes(100 * MILLISECOND),
        Listener::Takes(100 * MILLISECOND),
    ]);
    let how = FanOut {
        concurrency: 1,
        ..how()
    };
    assert_eq!(audience.hear(&how).await.sent, 3);
    assert_eq!(audience.seen().most, 1);
}

#[tokio::test(start_paused = true)]
async fn a_busy_connection_is_tried_again_after_pauses_that_double() {
    for (times, elapsed) in [(0, 1), (1, 52), (2, 153), (3, 354), (4, 755)] {
        let audience = Audience::new([Listener::busy(times)]);
        let start = Instant::now();
        assert_eq!(audience.hear(&how()).await.sent, 1);
        assert_eq!(start.elapsed(), elapsed * MILLISECOND, "{times}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_stays_busy_is_given_up() {
    let audience = Audience::new([Listener::busy(5)]);
    let report = audience.hear(&how()).await;
    assert_eq!(report.failed, [(audience.ids[0].clone(), PostError::Busy)]);
    assert_eq!(audience.posts(0), 5);
}

#[tokio::test(start_paused = true)]
async fn a_pause_has_its_longest() {
    let audience = Audience::new([Listener::busy(4)]);
    let start = Instant::now();
    let how = FanOut {
        max_backoff: 60 * MILLISECOND,
        ..how()
    };
    assert_eq!(audience.hear(&how).await.sent, 1);
    assert_eq!(start.elapsed(), (5 + 50 + 60 + 60 + 60) * MILLISECOND);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_would_outlast_the_deadline_is_not_waited_out() {
    let audience = Audience::new([Listener::busy(1)]);
    let start = Instant::now();
    let how = FanOut {
        deadline: 51 * MILLISECOND,
        ..how()
    };
    let report = audience.hear(&how).await;
    assert_eq!(report.failed, [(audience.ids[0].clone(), PostError::Busy)]);
    assert_eq!(start.elapsed(), MILLISECOND);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_failed_is_tried_once_more() {
    let error = PostError::Failed("500".to_owned());
    let once = Listener::Fails {
        error: error.clone(),
        times: 1,
    };
    let audience = Audience::new([once, Listener::always(error.clone())]);
    let report = audience.hear(&how()).await;
    assert_eq!(report.sent, 1);
    assert_eq!(report.failed, [(audience.ids[1].clone(), error)]);
    assert_eq!((audience.posts(0), audience.posts(1)), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_helped_is_not_tried_again() {
    let audience = Audience::new([
        Listener::always(PostError::Gone),
        Listener::always(PostError::TooLarge),
        Listener::always(PostError::TimedOut),
        Listener::Hangs,
    ]);
    let report = audience.hear(&how()).await;
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
async fn a_post_is_given_up_after_its_time() {
    let audience = Audience::new([Listener::Hangs]);
    let start = Instant::now();
    audience.hear(&how()).await;
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    assert!(audience.seen().under_way.is_empty());
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_everybody_is_accounted_for() {
    let audience = Audience::new([
        Listener::Takes(100 * MILLISECOND),
        Listener::Hangs,
        Listener::Takes(100 * MILLISECOND),
        Listener::busy(1),
    ]);
    let start = Instant::now();
    let how = FanOut {
        concurrency: 1,
        slow_after: Duration::from_secs(1),
        deadline: 300 * MILLISECOND,
        ..how()
    };
    let report = audience.hear(&how).await;
    assert_eq!(start.elapsed(), 300 * MILLISECOND);
    assert_eq!(report.sent, 1);
    assert_eq!(report.failed.len(), 3);
    assert_eq!((audience.posts(2), audience.posts(3)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_place_to_try_again_keeps_the_reason_at_the_deadline() {
    let audience = Audience::new([Listener::busy(1), Listener::Hangs]);
    let how = FanOut {
        concurrency: 1,
        slow_after: Duration::from_secs(1),
        deadline: 300 * MILLISECOND,
        ..how()
    };
    let report = audience.hear(&how).await;
    let errors: HashMap<_, _> = report.failed.into_iter().collect();
    assert_eq!(errors[&audience.ids[0]], PostError::Busy);
    assert_eq!(errors[&audience.ids[1]], PostError::TimedOut);
}

#[test]
fn jitter_is_anything_up_to_the_longest_pause() {
    let longest = Duration::from_millis(100);
    let jitter = FanOut::default().jitter;
    let pauses: Vec<_> = (0..200).map(|_| jitter(longest)).collect();
    assert!(pauses.iter().all(|pause| *pause <= longest));
    assert!(pauses.iter().any(|pause| *pause < longest / 4));
    assert!(pauses.iter().any(|pause| *pause > longest / 4 * 3));
}

fn a_listener() -> impl Strategy<Value = Listener> {
    let error = prop_oneof![
        Just(PostError::Gone),
        Just(PostError::Busy),
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
    fn everybody_is_accounted_for_once_in_time_and_within_the_places(
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
        let how = FanOut {
            concurrency,
            slow_after: audience.slow_after,
            deadline: Duration::from_millis(deadline),
            ..how()
        };
        let (report, elapsed) = runtime.block_on(async {
            let start = Instant::now();
            (audience.hear(&how).await, start.elapsed())
        });
        prop_assert!(elapsed <= how.deadline);
        let seen = audience.seen();
        prop_assert!(seen.most <= concurrency);
        prop_assert_eq!(report.sent, seen.messages.len());
        let sent = seen.messages.iter().map(|(id, ..)| id.clone());
        let failed = report.failed.iter().map(|(id, _)| id.clone());
        let mut accounted: Vec<_> = sent.chain(failed).chain(report.gone.iter().cloned()).collect();
        let mut everybody = audience.ids.clone();
        accounted.sort();
        everybody.sort();
        prop_assert_eq!(accounted, everybody);
    }
}

#[tokio::test(start_paused = true)]
async fn even_when_all_are_slow_no_more_are_under_way_than_allowed() {
    let how = FanOut {
        concurrency: 4,
        under_way: 10,
        ..FanOut::default()
    };
    let audience = Audience::new((0..40).map(|_| Listener::Takes(how.slow_after * 4)));
    let report = audience.hear(&how).await;
    assert_eq!(report.sent, 40);
    assert_eq!(audience.seen().started, 40);
    assert_eq!(audience.seen().most_with_slow, 10);
}
