use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use futures_util::future::{join, join_all};
use serde_json::json;
use stackgen_websocket_testing::SigningKey;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::*;

/// Clock and issuer of one test.
#[derive(Clone, Debug)]
struct World(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    millis: AtomicU64,
    fetches: AtomicUsize,
    published: Mutex<Result<KeySet, KeySourceError>>,
    /// A fetch needs a permit to complete, and advances the clock by `fetch_takes` milliseconds.
    gate: Semaphore,
    fetch_takes: AtomicU64,
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.millis.load(Ordering::SeqCst))
    }
}

impl KeySource for World {
    async fn fetch(&self) -> Result<KeySet, KeySourceError> {
        self.0.fetches.fetch_add(1, Ordering::SeqCst);
        let _passed = self.0.gate.acquire().await.unwrap();
        self.pass(self.0.fetch_takes.load(Ordering::SeqCst));
        self.0.published.lock().unwrap().clone()
    }
}

impl World {
    /// Returns an issuer that publishes the key `a`, and an empty cache.
    fn new() -> (World, KeyCache<World, World>) {
        let world = World(Arc::new(Inner {
            millis: AtomicU64::new(1_700_000_000_000),
            fetches: AtomicUsize::new(0),
            published: Mutex::new(Ok(keys(&["a"]))),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            fetch_takes: AtomicU64::new(0),
        }));
        let cache = KeyCache::new(world.clone(), world.clone());
        (world, cache)
    }

    fn pass(&self, millis: u64) {
        self.0.millis.fetch_add(millis, Ordering::SeqCst);
    }

    fn publish(&self, ids: &[&str]) {
        *self.0.published.lock().unwrap() = Ok(keys(ids));
    }

    fn break_down(&self) {
        *self.0.published.lock().unwrap() = Err(down());
    }

    fn close_gate(&self) {
        self.0.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    fn open_gate(&self) {
        self.0.gate.add_permits(Semaphore::MAX_PERMITS);
    }

    fn fetches(&self) -> usize {
        self.0.fetches.load(Ordering::SeqCst)
    }
}

fn keys(ids: &[&str]) -> KeySet {
    let jwks: Vec<_> = ids.iter().map(|id| SigningKey::ec(id).jwk()).collect();
    KeySet::from_json(json!({"keys": jwks}).to_string().as_bytes()).unwrap()
}

fn down() -> KeySourceError {
    KeySourceError::Status {
        url: "https://issuer.example/keys".to_owned(),
        status: 503,
    }
}

type Cache = KeyCache<World, World>;

async fn ask(cache: &Cache, id: &str) -> Result<(), VerifyError> {
    cache.key(Some(id)).await.map(drop)
}

const UNKNOWN: Result<(), VerifyError> = Err(VerifyError::Token(TokenError::UnknownKey));
const SECOND: u64 = 1000;
const HOUR: u64 = 3600 * SECOND;

#[tokio::test]
async fn keys_are_fetched_once_and_cached() {
    let (world, cache) = World::new();
    assert_eq!(world.fetches(), 0);
    for _ in 0..3 {
        assert_eq!(ask(&cache, "a").await, Ok(()));
        assert!(cache.key(None).await.is_ok());
        world.pass(HOUR / 4);
    }
    assert_eq!(world.fetches(), 1);
}

#[tokio::test]
async fn concurrent_calls_share_one_fetch() {
    let (world, cache) = World::new();
    world.close_gate();
    let asking = join_all((0..100).map(|_| ask(&cache, "a")));
    let (answers, ()) = join(asking, async { world.open_gate() }).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(world.fetches(), 1);
}

#[tokio::test]
async fn concurrent_calls_share_one_failure_however_long_it_takes() {
    let (world, cache) = World::new();
    world.break_down();
    world.0.fetch_takes.store(3 * SECOND, Ordering::SeqCst);
    world.close_gate();
    let asking = join_all((0..100).map(|_| ask(&cache, "a")));
    let (answers, ()) = join(asking, async { world.open_gate() }).await;
    assert!(answers.iter().all(|answer| *answer == Err(down().into())));
    assert_eq!(world.fetches(), 1);
}

#[tokio::test]
async fn an_unknown_key_is_looked_for_once_in_30_seconds() {
    let (world, cache) = World::new();
    assert_eq!(ask(&cache, "a").await, Ok(()));
    world.pass(30 * SECOND - 1);
    assert_eq!(ask(&cache, "b").await, UNKNOWN);
    assert_eq!(world.fetches(), 1);
    world.pass(1);
    assert_eq!(ask(&cache, "b").await, UNKNOWN);
    assert_eq!(world.fetches(), 2);
    world.pass(30 * SECOND - 1);
    assert_eq!(ask(&cache, "c").await, UNKNOWN);
    assert_eq!(world.fetches(), 2);
}

#[tokio::test]
async fn ten_thousand_unknown_keys_cost_one_fetch() {
    let (world, cache) = World::new();
    assert_eq!(ask(&cache, "a").await, Ok(()));
    world.pass(HOUR / 2);
    let names: Vec<_> = (0..10_000).map(|id| id.to_string()).collect();
    let answers = join_all(names.iter().map(|id| ask(&cache, id))).await;
    assert!(answers.iter().all(|answer| *answer == UNKNOWN));
    assert_eq!(world.fetches(), 2);
}

#[tokio::test]
async fn a_rotated_key_is_found_and_the_old_one_is_dropped() {
    let (world, cache) = World::new();
    assert_eq!(ask(&cache, "a").await, Ok(()));
    world.publish(&["b"]);
    world.pass(30 * SECOND);
    assert_eq!(ask(&cache, "a").await, Ok(()));
    assert_eq!(ask(&cache, "b").await, Ok(()));
    assert_eq!(ask(&cache, "a").await, UNKNOWN);
    assert_eq!(world.fetches(), 2);
}

#[tokio::test]
async fn an_ambiguous_key_causes_no_fetch() {
    let (world, cache) = World::new();
    world.publish(&["a", "b"]);
    assert_eq!(ask(&cache, "a").await, Ok(()));
    world.pass(HOUR / 2);
    let answer = cache.key(None).await.map(drop);
    assert_eq!(answer, Err(TokenError::AmbiguousKey.into()));
    assert_eq!(world.fetches(), 1);
}

#[tokio::test]
async fn keys_over_an_hour_old_are_fetched_anew() {
    let (world, cache) = World::new();
    assert_eq!(ask(&cache, "a").await, Ok(()));
    world.pass(HOUR);
    assert_eq!(ask(&cache, "a").await, Ok(()));
    assert_eq!(world.fetches(), 1);
    world.pass(1);
    assert_eq!(ask(&cache, "a").await, Ok(()));
    assert_eq!(world.fetches(), 2);
}

#[tokio::test]
async fn while_the_issuer_is_down_cached_keys_stay_in_use() {
    let (world, cache) = World::new();
    assert_eq!(ask(&cache, "a").await, Ok(()));
    world.break_down();
    world.pass(2 * HOUR);
    assert_eq!(ask(&cache, "a").await, Ok(()));
    assert_eq!(ask(&cache, "b").await, UNKNOWN);
    assert_eq!(
        world.fetches(),
        2,
        "a failure counts for the minimum interval, too"
    );
    world.pass(30 * SECOND);
    assert_eq!(ask(&cache, "a").await, Ok(()));
    assert_eq!(world.fetches(), 3);
    world.publish(&["a", "b"]);
    world.pass(30 * SECOND);
    assert_eq!(ask(&cache, "b").await, Ok(()));
    assert_eq!(ask(&cache, "a").await, Ok(()));
    assert_eq!(world.fetches(), 4);
}

#[tokio::test]
async fn without_keys_a_second_passes_between_fetches() {
    let (world, cache) = World::new();
    world.break_down();
    assert_eq!(ask(&cache, "a").await, Err(down().into()));
    world.pass(SECOND - 1);
    assert_eq!(ask(&cache, "a").await, Err(down().into()));
    assert_eq!(world.fetches(), 1);
    world.pass(1);
    assert_eq!(ask(&cache, "a").await, Err(down().into()));
    assert_eq!(world.fetches(), 2);
    world.publish(&["a"]);
    world.pass(SECOND);
    assert_eq!(ask(&cache, "a").await, Ok(()));
    assert_eq!(world.fetches(), 3);
}

/// Starts a verification and drops it half-way, like an invocation that times out.
async fn give_up(world: &World, cache: &Cache, id: &str) {
    world.close_gate();
    let before = world.fetches();
    tokio::select! {
        biased;
        _ = ask(cache, id) => unreachable!("the gate is closed"),
        () = std::future::ready(()) => {}
    }
    assert_eq!(world.fetches(), before + 1, "it was under way");
    world.open_gate();
}

#[tokio::test]
async fn a_canceled_fetch_blocks_nobody() {
    let (world, cache) = World::new();
    give_up(&world, &cache, "a").await;
    let given_up = Err(KeySourceError::Canceled.into());
    assert_eq!(ask(&cache, "a").await, given_up);
    assert_eq!(world.fetches(), 1);
    world.pass(SECOND);
    assert_eq!(ask(&cache, "a").await, Ok(()));
    assert_eq!(world.fetches(), 2);
}

#[tokio::test]
async fn a_canceled_refresh_keeps_the_keys_and_counts_as_an_attempt() {
    let (world, cache) = World::new();
    assert_eq!(ask(&cache, "a").await, Ok(()));
    world.pass(30 * SECOND);
    give_up(&world, &cache, "b").await;
    assert_eq!(ask(&cache, "a").await, Ok(()));
    assert_eq!(ask(&cache, "b").await, UNKNOWN);
    assert_eq!(world.fetches(), 2);
    world.publish(&["b"]);
    world.pass(30 * SECOND);
    assert_eq!(ask(&cache, "b").await, Ok(()));
    assert_eq!(world.fetches(), 3);
}

#[tokio::test(start_paused = true)]
async fn known_keys_do_not_wait_for_a_fetch() {
    let (world, cache) = World::new();
    assert_eq!(ask(&cache, "a").await, Ok(()));
    world.pass(30 * SECOND);
    world.close_gate();
    let unknown = ask(&cache, "b");
    let known = async {
        let answer = ask(&cache, "a").await;
        world.open_gate();
        answer
    };
    let answers = timeout(Duration::from_secs(1), join(unknown, known)).await;
    assert_eq!(answers, Ok((UNKNOWN, Ok(()))));
}

#[tokio::test]
async fn the_limits_can_be_changed() {
    let (world, _) = World::new();
    let limits = CacheLimits {
        max_age: Duration::from_secs(10),
        min_interval: Duration::from_secs(2),
        initial_interval: Duration::from_secs(5),
    };
    let cache = KeyCache::with_limits(world.clone(), world.clone(), limits);
    world.break_down();
    assert!(ask(&cache, "a").await.is_err());
    world.publish(&["a"]);
    world.pass(4 * SECOND);
    assert!(ask(&cache, "a").await.is_err());
    world.pass(SECOND);
    assert_eq!(ask(&cache, "a").await, Ok(()));
    world.pass(2 * SECOND);
    assert_eq!(ask(&cache, "b").await, UNKNOWN);
    assert_eq!(world.fetches(), 3);
}
