//! Execution environments of a version: assigns invocations to them and starts new ones.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stackgen_gateway_common::invoke::InvokeError;
use stackgen_gateway_common::{Event, FunctionArn, FunctionSettings};
use tokio::sync::Mutex as AsyncMutex;

use super::credentials::FunctionCredentials;
use super::environment::{
    EnvironmentPhase, ExecutionEnvironment, LaunchCommand, LaunchContext, QueuedInvocation,
    run_to_exit,
};
use super::{CodeCopy, Configuration, FunctionHost};

/// Time that an invocation waits for a process that has answered and will soon ask for the next event. After that, another
/// process is started.
const REUSE_GRACE: Duration = Duration::from_millis(50);

pub(super) struct EnvironmentPool {
    host: Arc<FunctionHost>,
    function: FunctionArn,
    version: String,
    configuration: Arc<Configuration>,
    credentials: FunctionCredentials,
    log_group: String,
    /// Keeps the folder in which the processes run.
    code: Arc<CodeCopy>,
    launch: AsyncMutex<Option<Arc<LaunchCommand>>>,
    state: Mutex<PoolState>,
}

struct PoolState {
    /// Environments that wait for an event. The most recently used one is the last and is used first.
    idle: Vec<Arc<ExecutionEnvironment>>,
    /// Invocations that no environment has accepted yet, oldest first.
    waiting: VecDeque<QueuedInvocation>,
    /// Number of environments.
    environments: usize,
    /// Number of environments that have not asked for their first event.
    starting: usize,
    /// Number of environments that have answered but not asked for the next event.
    finishing: usize,
    /// Maximum number of environments.
    limit: usize,
    /// True if a task will check the waiting invocations after [`REUSE_GRACE`].
    check_scheduled: bool,
    /// True if no invocations follow: idle environments end.
    retired: bool,
}

/// Result of submitting an invocation.
pub(super) enum SubmitResult {
    /// A process has accepted it.
    Taken,
    /// It waits for a process.
    Waiting,
    /// The limit of environments is zero.
    Throttled,
}

impl EnvironmentPool {
    pub(super) fn new(
        host: &Arc<FunctionHost>,
        function: &FunctionArn,
        version: &str,
        configuration: &Arc<Configuration>,
        code: &Arc<CodeCopy>,
        credentials: &FunctionCredentials,
    ) -> Arc<Self> {
        Arc::new(EnvironmentPool {
            host: host.clone(),
            function: function.clone(),
            version: version.to_owned(),
            configuration: configuration.clone(),
            credentials: credentials.clone(),
            log_group: configuration.log_group(&function.name),
            code: code.clone(),
            launch: AsyncMutex::default(),
            state: Mutex::new(PoolState {
                idle: Vec::new(),
                waiting: VecDeque::new(),
                environments: 0,
                starting: 0,
                finishing: 0,
                limit: host.settings.functions.environments,
                check_scheduled: false,
                retired: false,
            }),
        })
    }

    pub(super) fn host(&self) -> &FunctionHost {
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

    pub(super) fn credentials(&self) -> &FunctionCredentials {
        &self.credentials
    }

    pub(super) fn log_group(&self) -> &str {
        &self.log_group
    }

    /// Returns the command that starts this version. A success is cached; an error is not, because the user may install what
    /// is missing.
    pub(super) async fn launch(&self) -> Result<Arc<LaunchCommand>, String> {
        let mut launch = self.launch.lock().await;
        if let Some(known) = &*launch {
            return Ok(known.clone());
        }
        let root = self.code.root.as_ref().map_err(Clone::clone)?;
        let context = LaunchContext {
            root,
            source: self.code.source.as_deref(),
            configuration: &self.configuration,
            settings: self.settings(),
            bootstraps: &self.host.bootstraps,
        };
        let found = Arc::new(LaunchCommand::new(&context).await?);
        *launch = Some(found.clone());
        Ok(found)
    }

    /// Forgets the command after a failed start: the user may create a virtual environment next.
    pub(super) async fn clear_launch_command(&self) {
        *self.launch.lock().await = None;
    }

    fn state(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives an invocation to the most recently used environment, or queues it.
    pub(super) fn submit(self: &Arc<Self>, mut invocation: QueuedInvocation) -> SubmitResult {
        loop {
            let mut state = self.state();
            if state.limit == 0 {
                return SubmitResult::Throttled;
            }
            let Some(environment) = state.idle.pop() else {
                state.waiting.push_back(invocation);
                self.start_needed_environments(state);
                return SubmitResult::Waiting;
            };
            drop(state);
            match environment.start_invocation(invocation) {
                Ok(()) => return SubmitResult::Taken,
                // The environment ended in the meantime.
                Err(back) => invocation = *back,
            }
        }
    }

    /// Starts an environment per waiting invocation. For the time of [`REUSE_GRACE`], environments that are about to become free
    /// count as well.
    fn start_needed_environments(self: &Arc<Self>, mut state: MutexGuard<'_, PoolState>) {
        state
            .waiting
            .retain(|invocation| !invocation.answer.is_closed());
        let waiting_for_reuse = state
            .waiting
            .iter()
            .filter(|invocation| invocation.since.elapsed() < REUSE_GRACE);
        let waiting_for_reuse = waiting_for_reuse.count().min(state.finishing);
        let needed = state
            .waiting
            .len()
            .saturating_sub(state.starting + waiting_for_reuse);
        let available = state.limit.saturating_sub(state.environments);
        let starts = needed.min(available);
        state.environments += starts;
        state.starting += starts;
        let schedule_check = waiting_for_reuse > 0 && !state.check_scheduled;
        state.check_scheduled |= schedule_check;
        drop(state);
        for _ in 0..starts {
            self.host.tasks.spawn(run_to_exit(self.clone()));
        }
        if schedule_check {
            let pool = self.clone();
            self.host.tasks.spawn(async move {
                tokio::time::sleep(REUSE_GRACE).await;
                let mut state = pool.state();
                state.check_scheduled = false;
                pool.start_needed_environments(state);
            });
        }
    }

    /// Called when an environment asks for an event: gives it a waiting invocation, or marks it as idle.
    pub(super) fn environment_ready(
        self: &Arc<Self>,
        environment: &Arc<ExecutionEnvironment>,
        first: bool,
        answered: bool,
    ) {
        let mut state = self.state();
        state.starting -= usize::from(first);
        state.finishing -= usize::from(answered);
        while let Some(invocation) = state.waiting.pop_front() {
            if invocation.answer.is_closed() {
                continue;
            }
            drop(state);
            let Err(invocation) = environment.start_invocation(invocation) else {
                return;
            };
            state = self.state();
            state.waiting.push_front(*invocation);
            return self.start_needed_environments(state);
        }
        if state.retired {
            drop(state);
            environment.stop_process();
        } else {
            state.idle.push(environment.clone());
        }
    }

    /// Called when an environment has answered.
    pub(super) fn environment_answered(&self) {
        self.state().finishing += 1;
    }

    /// Removes an environment from the idle ones. Returns false if it is not idle.
    pub(super) fn remove_idle(&self, environment: &Arc<ExecutionEnvironment>) -> bool {
        let mut state = self.state();
        let mut idle = state.idle.iter();
        let found = idle.position(|one| Arc::ptr_eq(one, environment));
        found.map(|at| state.idle.remove(at)).is_some()
    }

    /// Removes a waiting invocation. Returns false if a process has accepted it.
    pub(super) fn cancel_waiting(&self, request_id: &str) -> bool {
        let mut state = self.state();
        let mut waiting = state.waiting.iter();
        let found = waiting.position(|invocation| invocation.request_id == request_id);
        found.and_then(|at| state.waiting.remove(at)).is_some()
    }

    /// Removes and returns the invocation that has waited longest.
    pub(super) fn take_oldest(&self) -> Option<QueuedInvocation> {
        let mut state = self.state();
        loop {
            let invocation = state.waiting.pop_front()?;
            if !invocation.answer.is_closed() {
                return Some(invocation);
            }
        }
    }

    /// Called when an environment has ended, with its last phase.
    pub(super) fn environment_ended(
        self: &Arc<Self>,
        environment: &Arc<ExecutionEnvironment>,
        last: &EnvironmentPhase,
    ) {
        self.remove_idle(environment);
        let mut state = self.state();
        state.environments -= 1;
        state.starting -= usize::from(matches!(last, EnvironmentPhase::Starting));
        state.finishing -= usize::from(matches!(last, EnvironmentPhase::Answered { .. }));
        if !self.host.stop.is_cancelled() {
            self.start_needed_environments(state);
        }
    }

    /// Called when an environment could not be started. If there is no other, the waiting invocations fail.
    pub(super) fn start_failed(&self, error: &InvokeError) {
        let mut state = self.state();
        state.environments -= 1;
        state.starting -= 1;
        let waiting = match state.environments {
            0 => std::mem::take(&mut state.waiting),
            _ => VecDeque::new(),
        };
        drop(state);
        self.host.events.send(Event::FunctionFailed {
            function: self.function.name.clone(),
            reason: error.message.clone(),
        });
        for invocation in waiting {
            let _ = invocation.answer.send(Err(error.clone()));
        }
    }

    /// Limits the number of environments, at most to the number in the settings.
    pub(super) fn limit_environments(&self, environments: Option<usize>) {
        let max = self.settings().environments;
        self.state().limit = environments.map_or(max, |reserved| reserved.min(max));
    }

    /// Ends every environment as soon as it is idle.
    pub(super) fn retire(&self) {
        let mut state = self.state();
        state.retired = true;
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        for environment in idle {
            environment.stop_process();
        }
    }
}

impl std::fmt::Debug for EnvironmentPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.state();
        f.debug_struct("EnvironmentPool")
            .field("environments", &state.environments)
            .field("waiting", &state.waiting.len())
            .finish_non_exhaustive()
    }
}
