//! The simulated Lambda: execution environments of the audio handler, each with its own circuit breaker.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use live_session_core::limits::{AUDIO_POSTS_PER_SECOND, audio_rate};
use live_session_core::ports::{
    Admission, Capacity, ConnectionStore, Ports, Relay, RelayError, SessionStore,
};
use live_session_core::testing::{MemoryStore, SimulatedClock};
use live_session_core::{
    AudioMessage, AudioSender, AudioSettings, Clock, Connection, ConnectionId, GoneListeners,
    QualityTier, RateLimitFailure, Role, Session, Share,
};
use serde_json::json;
use stackgen_websocket::{BreakerOptions, Broadcaster, CircuitBreaker, PostError};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::account::Account;

const SESSION: &str = "merciful-truth-455-k7dq2m9x4hw3t";
const SPEAKER: &str = "speaker";
const LISTENERS_PER_INVOCATION: usize = 250;

/// Time from an asynchronous invocation to its start.
const INVOKE: Duration = Duration::from_millis(20);

tokio::task_local! {
    static INVOCATION: Invocation;
}

/// The breaker of the current execution environment, and the arrival of the chunk that it sends.
#[derive(Clone)]
struct Invocation {
    breaker: Arc<CircuitBreaker<Account>>,
    received_at: Instant,
}

/// Posts through the breaker of the current execution environment, and records the latency of each delivery.
#[derive(Default)]
pub struct Network {
    latencies: Mutex<Vec<Duration>>,
}

impl Broadcaster for Network {
    async fn post(&self, to: &ConnectionId, message: Bytes) -> Result<(), PostError> {
        let Invocation {
            breaker,
            received_at,
        } = INVOCATION.get();
        breaker.post(to, message).await?;
        let mut latencies = self
            .latencies
            .lock()
            .expect("nobody panics while holding it");
        latencies.push(received_at.elapsed());
        Ok(())
    }

    async fn close(&self, _: &ConnectionId) -> Result<(), PostError> {
        Ok(())
    }
}

/// Queues shares, as Lambda does with asynchronous invocations.
#[derive(Clone)]
struct Queue(UnboundedSender<(Share, Instant)>);

impl Relay for Queue {
    async fn hand_over(&self, share: &Share) -> Result<(), RelayError> {
        let received_at = INVOCATION.get().received_at;
        let sent = self.0.send((share.clone(), received_at));
        sent.map_err(|_| RelayError("the simulation ended".to_owned()))
    }

    async fn hand_over_removal(&self, _: &GoneListeners) -> Result<(), RelayError> {
        Ok(())
    }
}

struct ExecutionEnvironment {
    breaker: Arc<CircuitBreaker<Account>>,
    audio: AudioSender<Queue>,
}

/// The audio handler, with as many execution environments as run at once.
pub struct AudioFunction {
    ports: Ports<MemoryStore, Network, SimulatedClock>,
    account: Account,
    settings: AudioSettings,
    queue: Queue,
    idle: Mutex<Vec<ExecutionEnvironment>>,
}

impl AudioFunction {
    /// Returns the function of a session with this many listeners, whose speaker may send `chunks_per_second`.
    pub async fn new(
        account: Account,
        listeners: usize,
        chunks_per_second: u32,
    ) -> (Arc<Self>, UnboundedReceiver<(Share, Instant)>) {
        let (sender, shares) = unbounded_channel();
        let function = AudioFunction {
            ports: Ports {
                store: MemoryStore::default(),
                broadcaster: Network::default(),
                clock: SimulatedClock::default(),
            },
            account,
            settings: AudioSettings {
                listeners_per_invocation: LISTENERS_PER_INVOCATION,
                posts_per_second: AUDIO_POSTS_PER_SECOND,
                rate: audio_rate(chunks_per_second),
                rate_limit_failure: RateLimitFailure::Open,
            },
            queue: Queue(sender),
            idle: Mutex::default(),
        };
        function.open_session(listeners).await;
        (Arc::new(function), shares)
    }

    async fn open_session(&self, listeners: usize) {
        let (store, now) = (&self.ports.store, self.ports.clock.now());
        let owner = "ada".try_into().expect("it is a user");
        let language = "en".try_into().expect("it is a language");
        let id = SESSION.try_into().expect("it is a session");
        let session = Session::new(id, owner, language, QualityTier::Standard, now);
        store.create(&session).await.expect("memory does not fail");
        let connection = |number: usize| Connection {
            connection_id: ConnectionId::new(format!("{number:05}")),
            session_id: session.session_id.clone(),
            role: Role::Listener,
            target_language: Some(
                ["de", "fr", "es", "pt"][number % 4]
                    .try_into()
                    .expect("valid"),
            ),
            user_id: None,
            connected_at: now,
            ip_address: format!("10.0.{}.{}", number / 256, number % 256),
            last_seen_at: now,
            refresh_requested_at: None,
            ttl: Connection::ttl_in(&session),
        };
        let speaker = Connection {
            connection_id: ConnectionId::new(SPEAKER),
            role: Role::Speaker,
            target_language: None,
            user_id: Some(session.speaker_id.clone()),
            ..connection(0)
        };
        let admitted = store.admit_speaker(&speaker, now).await;
        assert_eq!(admitted, Ok(Admission::Admitted));
        let capacity = Capacity {
            listeners: 100_000,
            per_address: 100_000,
        };
        for number in 0..listeners {
            let admitted = store
                .admit_listener(&connection(number), capacity, now)
                .await;
            assert_eq!(admitted, Ok(Admission::Admitted));
        }
    }

    fn environment(&self) -> ExecutionEnvironment {
        let mut idle = self.idle.lock().expect("nobody panics while holding it");
        idle.pop().unwrap_or_else(|| ExecutionEnvironment {
            breaker: Arc::new(CircuitBreaker::new(
                self.account.clone(),
                BreakerOptions::default(),
                |_| {},
            )),
            audio: AudioSender::new(self.queue.clone(), self.settings),
        })
    }

    fn release(&self, environment: ExecutionEnvironment) {
        let mut idle = self.idle.lock().expect("nobody panics while holding it");
        idle.push(environment);
    }

    /// Handles a chunk. Returns false if the rate limit refused it.
    pub async fn chunk(&self, index: u64) -> bool {
        let environment = self.environment();
        let invocation = Invocation {
            breaker: Arc::clone(&environment.breaker),
            received_at: Instant::now(),
        };
        let chunk = json!({"sessionId": SESSION, "audioData": STANDARD.encode([7; 100]), "timestamp": 1,
                           "format": "opus", "chunkIndex": index});
        let sender = ConnectionId::new(SPEAKER);
        let body = chunk.to_string();
        let message = AudioMessage {
            sender: &sender,
            request_id: None,
            body: &body,
        };
        let sending = environment.audio.send(&self.ports, message);
        let sent = INVOCATION.scope(invocation, sending).await;
        self.release(environment);
        sent.is_ok()
    }

    async fn share(&self, share: Share, received_at: Instant) {
        sleep(INVOKE).await;
        let environment = self.environment();
        let invocation = Invocation {
            breaker: Arc::clone(&environment.breaker),
            received_at,
        };
        let sending = environment.audio.send_share(&self.ports, share);
        INVOCATION.scope(invocation, sending).await;
        self.release(environment);
    }

    /// Runs the shares that invocations hand over, until there are none for a while.
    pub async fn run_shares(
        self: Arc<Self>,
        mut shares: UnboundedReceiver<(Share, Instant)>,
        until: Instant,
    ) {
        let mut running = JoinSet::new();
        while let Ok(Some((share, received_at))) =
            tokio::time::timeout_at(until, shares.recv()).await
        {
            let this = Arc::clone(&self);
            running.spawn(async move { this.share(share, received_at).await });
        }
        while running.join_next().await.is_some() {}
    }

    /// Returns the latencies of all deliveries.
    pub fn latencies(&self) -> Vec<Duration> {
        let network = &self.ports.broadcaster;
        let latencies = network.latencies.lock();
        latencies.expect("nobody panics while holding it").clone()
    }
}
