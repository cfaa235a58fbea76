//! The environments of a version: which one takes an invocation, and when another is started.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stackgen_gateway_common::invoke::InvokeError;
use stackgen_gateway_common::{Event, FunctionArn, FunctionSettings};
use tokio::sync::OnceCell;

use super::environment::{Environment, Job, Launch, Phase, live};
use super::function::Credentials;
use super::{Configuration, Frozen, Host};

/// How long an invocation waits for a process that has answered and is about to ask for more, before another is started.
const GRACE: Duration = Duration::from_millis(50);

pub(super) struct Pool {
    host: Arc<Host>,
    function: FunctionArn,
    version: String,
    configuration: Arc<Configuration>,
    credentials: Credentials,
    log_group: String,
    /// Held on to, for processes run in it.
    code: Arc<Frozen>,
    launch: OnceCell<Launch>,
    state: Mutex<State>,
}

struct State {
    /// Those that wait for an event, the one used last at the end: it is used next.
    idle: Vec<Arc<Environment>>,
    /// Invocations that no environment has taken yet, oldest first.
    waiting: VecDeque<Job>,
    /// How many environments there are.
    live: usize,
    /// How many of them have not asked for their first event.
    starting: usize,
    /// How many have answered and not asked for the next event.
    finishing: usize,
    /// How many there may be.
    limit: usize,
    /// Somebody looks again after [`GRACE`].
    looking: bool,
    /// Nothing new comes: those that are done end.
    retired: bool,
}

/// What became of an invocation that was submitted.
pub(super) enum Submitted {
    /// A process has it.
    Taken,
    /// It waits for one.
    Waiting,
    /// There may be no process at all.
    Throttled,
}

impl Pool {
    pub(super) fn new(
        host: &Arc<Host>,
        function: &FunctionArn,
        version: &str,
        configuration: &Arc<Configuration>,
        code: &Arc<Frozen>,
        credentials: &Credentials,
    ) -> Arc<Self> {
        Arc::new(Pool {
            host: host.clone(),
            function: function.clone(),
            version: version.to_owned(),
            configuration: configuration.clone(),
            credentials: credentials.clone(),
            log_group: configuration.log_group(&function.name),
            code: code.clone(),
            launch: OnceCell::new(),
            state: Mutex::new(State {
                idle: Vec::new(),
                waiting: VecDeque::new(),
                live: 0,
                starting: 0,
                finishing: 0,
                limit: host.settings.functions.environments,
                looking: false,
                retired: false,
            }),
        })
    }

    pub(super) fn host(&self) -> &Host {
        &self.host
    }

    pub(super) fn settings(&self) -> &FunctionSettings {
        &self.host.settings.functions
    }

    pub(super) fn function(&self) -> &FunctionArn {
        &self.function
    }

    pub(super) fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    pub(super) fn log_group(&self) -> &str {
        &self.log_group
    }

    /// What is started for this version, found out once; but what is missing may be installed meanwhile.
    pub(super) async fn launch(&self) -> Result<&Launch, String> {
        let find = async || match &self.code.root {
            Ok(root) => Launch::new(root, &self.configuration, self.settings()).await,
            Err(reason) => Err(reason.clone()),
        };
        self.launch.get_or_try_init(find).await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives an invocation to the environment that was used last, or lets it wait for the next.
    pub(super) fn submit(self: &Arc<Self>, mut job: Job) -> Submitted {
        loop {
            let mut state = self.state();
            if state.limit == 0 {
                return Submitted::Throttled;
            }
            let Some(environment) = state.idle.pop() else {
                state.waiting.push_back(job);
                self.scale(state);
                return Submitted::Waiting;
            };
            drop(state);
            match environment.begin(job) {
                Ok(()) => return Submitted::Taken,
                // It went away at this moment.
                Err(back) => job = *back,
            }
        }
    }

    /// Starts as many environments as invocations wait for. Those that are about to be free count for a moment.
    fn scale(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        state.waiting.retain(|job| !job.answer.is_closed());
        let patient = state
            .waiting
            .iter()
            .filter(|job| job.since.elapsed() < GRACE);
        let patient = patient.count().min(state.finishing);
        let wanted = state.waiting.len().saturating_sub(state.starting + patient);
        let room = state.limit.saturating_sub(state.live);
        let starts = wanted.min(room);
        state.live += starts;
        state.starting += starts;
        let look = patient > 0 && !state.looking;
        state.looking |= look;
        drop(state);
        for _ in 0..starts {
            self.host.tasks.spawn(live(self.clone()));
        }
        if look {
            let pool = self.clone();
            self.host.tasks.spawn(async move {
                tokio::time::sleep(GRACE).await;
                let mut state = pool.state();
                state.looking = false;
                pool.scale(state);
            });
        }
    }

    /// An environment waits for an event: for its first, or after an answer.
    pub(super) fn free(
        self: &Arc<Self>,
        environment: &Arc<Environment>,
        first: bool,
        answered: bool,
    ) {
        let mut state = self.state();
        state.starting -= usize::from(first);
        state.finishing -= usize::from(answered);
        while let Some(job) = state.waiting.pop_front() {
            if job.answer.is_closed() {
                continue;
            }
            drop(state);
            let Err(job) = environment.begin(job) else {
                return;
            };
            state = self.state();
            state.waiting.push_front(*job);
            return self.scale(state);
        }
        if state.retired {
            drop(state);
            environment.end();
        } else {
            state.idle.push(environment.clone());
        }
    }

    /// An environment has answered.
    pub(super) fn answered(&self) {
        self.state().finishing += 1;
    }

    /// Takes an environment out of those that wait; false when it does not.
    pub(super) fn withdraw(&self, environment: &Arc<Environment>) -> bool {
        let mut state = self.state();
        let mut idle = state.idle.iter();
        let found = idle.position(|one| Arc::ptr_eq(one, environment));
        found.map(|at| state.idle.remove(at)).is_some()
    }

    /// Takes back an invocation that waits; false when a process has it.
    pub(super) fn take_back(&self, request_id: &str) -> bool {
        let mut state = self.state();
        let mut waiting = state.waiting.iter();
        let found = waiting.position(|job| job.request_id == request_id);
        found.and_then(|at| state.waiting.remove(at)).is_some()
    }

    /// The invocation that waits longest.
    pub(super) fn next_job(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            let job = state.waiting.pop_front()?;
            if !job.answer.is_closed() {
                return Some(job);
            }
        }
    }

    /// An environment ended; this is what it did last.
    pub(super) fn gone(self: &Arc<Self>, environment: &Arc<Environment>, last: &Phase) {
        self.withdraw(environment);
        let mut state = self.state();
        state.live -= 1;
        state.starting -= usize::from(matches!(last, Phase::Init));
        state.finishing -= usize::from(matches!(last, Phase::Answered { .. }));
        if !self.host.stop.is_cancelled() {
            self.scale(state);
        }
    }

    /// An environment could not be started. If there is no other, whoever waits is told.
    pub(super) fn unborn(&self, error: &InvokeError) {
        let mut state = self.state();
        state.live -= 1;
        state.starting -= 1;
        let waiting = match state.live {
            0 => std::mem::take(&mut state.waiting),
            _ => VecDeque::new(),
        };
        drop(state);
        self.host.events.send(|| Event::FunctionFailed {
            function: self.function.name.clone(),
            reason: error.message.clone(),
        });
        for job in waiting {
            let _ = job.answer.send(Err(error.clone()));
        }
    }

    /// How many environments there may be, at most as many as the settings allow.
    pub(super) fn reserve(&self, environments: Option<usize>) {
        let most = self.settings().environments;
        self.state().limit = environments.map_or(most, |reserved| reserved.min(most));
    }

    /// Ends environments as soon as they have nothing to do.
    pub(super) fn retire(&self) {
        let mut state = self.state();
        state.retired = true;
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        for environment in idle {
            environment.end();
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.state();
        f.debug_struct("Pool")
            .field("live", &state.live)
            .field("waiting", &state.waiting.len())
            .finish_non_exhaustive()
    }
}
