//! Execution environment: a process that runs one invocation at a time.

mod http;
mod launch;
mod life;
mod log_line;
mod output;
mod proxies;
mod report;
mod runtime_api;
mod shared_options;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use stackgen_gateway_common::invoke::{Invocation, InvocationOutcome, InvokeError};
use stackgen_gateway_common::{EpochMillis, uuid};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::{mpsc::UnboundedSender, oneshot};
use tokio_util::sync::CancellationToken;

use super::pool::EnvironmentPool;
pub use launch::start_error;
pub(super) use launch::{LaunchCommand, LaunchContext, bootstrap};
pub(super) use life::run_to_exit;
pub use log_line::{InvocationLine, ReportLine};
use output::{LogEntry, LogSender};
use report::InvocationEnd;

/// Invocation that waits for a process or runs on one.
pub(super) struct QueuedInvocation {
    pub(super) request_id: String,
    /// Invoked ARN, with its qualifier.
    pub(super) arn: String,
    pub(super) payload: Bytes,
    pub(super) trace_id: String,
    /// Receives the answer. The other end may be closed if the caller no longer waits.
    pub(super) answer: oneshot::Sender<Result<InvocationOutcome, InvokeError>>,
    /// Receives the log lines of this invocation, if the caller asked for them.
    pub(super) tail: Option<UnboundedSender<Vec<String>>>,
    /// Time of the invocation.
    pub(super) since: Instant,
}

/// Execution environment.
pub(super) struct ExecutionEnvironment {
    pool: Arc<EnvironmentPool>,
    log: LogSender,
    launch: Arc<LaunchCommand>,
    /// Cancelled to end the environment.
    stop: CancellationToken,
    /// Start of the process.
    started: Instant,
    state: Mutex<EnvironmentState>,
}

struct EnvironmentState {
    phase: EnvironmentPhase,
    /// Start of the phase.
    since: Instant,
    /// Time until the process asked for its first event. Only the first `REPORT` line shows it.
    init: Option<Duration>,
    /// Error that the process sent to `init/error`.
    init_error: Option<Bytes>,
}

/// Phase in the life of an environment.
pub(super) enum EnvironmentPhase {
    /// The process has not asked for an event yet.
    Starting,
    /// The process waits for an event on this connection.
    Idle(Arc<OwnedWriteHalf>),
    /// The process runs an invocation.
    Busy(RunningInvocation),
    /// The process has answered but not asked for the next event yet.
    Answered { deadline: Instant },
    /// The process closed the connection on which it waited.
    Disconnected,
    /// The process has ended or is about to end.
    Ended,
}

/// Invocation that a process runs.
pub(super) struct RunningInvocation {
    request_id: String,
    answer: oneshot::Sender<Result<InvocationOutcome, InvokeError>>,
    tail: Option<UnboundedSender<Vec<String>>>,
    deadline: Instant,
}

/// Result of checking the deadlines.
enum DeadlineCheck {
    /// No deadline passes before this time.
    NotDue(Instant),
    /// The function's timeout has expired, while the invocation or its work after the answer runs.
    Timeout,
    /// The process did not ask for its first event in time.
    StartTimeout,
    /// The process was idle for too long.
    IdleTimeout,
}

/// Reason why the Runtime API refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RuntimeApiMisuse {
    /// The invocation is not running here.
    RequestId,
    /// The process asked for an event while it still has one.
    State,
}

impl ExecutionEnvironment {
    fn state(&self) -> MutexGuard<'_, EnvironmentState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called when the process asks for an event on this connection.
    fn event_requested(
        self: &Arc<Self>,
        connection: &Arc<OwnedWriteHalf>,
    ) -> Result<(), RuntimeApiMisuse> {
        let mut state = self.state();
        let before = match state.phase {
            EnvironmentPhase::Starting
            | EnvironmentPhase::Answered { .. }
            | EnvironmentPhase::Disconnected => {
                std::mem::replace(&mut state.phase, EnvironmentPhase::Idle(connection.clone()))
            }
            EnvironmentPhase::Idle(_) | EnvironmentPhase::Busy(_) | EnvironmentPhase::Ended => {
                return Err(RuntimeApiMisuse::State);
            }
        };
        state.since = Instant::now();
        if matches!(before, EnvironmentPhase::Starting) {
            state.init = Some(self.started.elapsed());
        }
        drop(state);
        let first = matches!(before, EnvironmentPhase::Starting);
        let answered = matches!(before, EnvironmentPhase::Answered { .. });
        self.pool.environment_ready(self, first, answered);
        Ok(())
    }

    /// Sends an event to the process. Returns the invocation if the process does not wait for one.
    pub(super) fn start_invocation(
        &self,
        invocation: QueuedInvocation,
    ) -> Result<(), Box<QueuedInvocation>> {
        let mut state = self.state();
        let EnvironmentPhase::Idle(connection) = &state.phase else {
            return Err(Box::new(invocation));
        };
        let connection = connection.clone();
        let timeout = self.pool.configuration().timeout;
        let now = Instant::now();
        let event = runtime_api::event(&invocation, EpochMillis::now().after(timeout));
        // Before the event is sent: the `START` line must precede what the process writes.
        self.log.send(LogEntry::Start {
            request_id: invocation.request_id.clone(),
            collect: invocation.tail.is_some(),
        });
        state.phase = EnvironmentPhase::Busy(RunningInvocation {
            request_id: invocation.request_id,
            answer: invocation.answer,
            tail: invocation.tail,
            deadline: now + timeout,
        });
        state.since = now;
        drop(state);
        runtime_api::send(connection, event);
        Ok(())
    }

    /// Called when the process answers an invocation.
    fn invocation_answered(
        &self,
        request_id: &str,
        payload: Bytes,
        ending: InvocationEnd,
    ) -> Result<(), RuntimeApiMisuse> {
        let mut state = self.state();
        match &state.phase {
            EnvironmentPhase::Busy(running) if running.request_id == request_id => {
                let deadline = running.deadline;
                let answered = EnvironmentPhase::Answered { deadline };
                let before = std::mem::replace(&mut state.phase, answered);
                let (duration, init) = (state.since.elapsed(), state.init.take());
                // Under the lock: on another connection, the process may ask for the next event at once.
                self.pool.environment_answered();
                drop(state);
                if let InvocationEnd::Thrown(_) = &ending
                    && let Some(hint) = self.launch.hint(&payload)
                {
                    self.report_failure(hint);
                }
                self.finish(before, payload, ending, duration, init);
                Ok(())
            }
            _ => Err(RuntimeApiMisuse::RequestId),
        }
    }

    /// Sends the result to the caller and to the log.
    fn finish(
        &self,
        phase: EnvironmentPhase,
        payload: Bytes,
        ending: InvocationEnd,
        duration: Duration,
        init: Option<Duration>,
    ) {
        let EnvironmentPhase::Busy(running) = phase else {
            return;
        };
        // The caller may no longer wait.
        let _ = running.answer.send(Ok(InvocationOutcome {
            payload,
            failed: ending != InvocationEnd::Success,
            executed_version: self.pool.version().to_owned(),
            request_id: running.request_id.clone(),
            duration,
        }));
        self.log.send(LogEntry::End {
            request_id: running.request_id,
            ending,
            duration,
            init,
            tail: running.tail,
        });
    }

    /// Called when the process has closed a connection.
    fn connection_closed(self: &Arc<Self>, connection: &Arc<OwnedWriteHalf>) {
        let mut state = self.state();
        if let EnvironmentPhase::Idle(waiting) = &state.phase
            && Arc::ptr_eq(waiting, connection)
        {
            state.phase = EnvironmentPhase::Disconnected;
            state.since = Instant::now();
            drop(state);
            self.pool.remove_idle(self);
        }
    }

    /// Returns the deadline that has passed, or the time of the next check. An idle process is checked after the function's
    /// timeout at the latest: no invocation that begins meanwhile can expire earlier, so `start_invocation` need not wake
    /// the task that checks.
    fn check_deadlines(&self, now: Instant) -> DeadlineCheck {
        let state = self.state();
        let settings = self.pool.settings();
        let timeout = self.pool.configuration().timeout;
        let (end, check) = match &state.phase {
            EnvironmentPhase::Starting => {
                (state.since + settings.init, DeadlineCheck::StartTimeout)
            }
            EnvironmentPhase::Busy(running) => (running.deadline, DeadlineCheck::Timeout),
            EnvironmentPhase::Answered { deadline } => (*deadline, DeadlineCheck::Timeout),
            EnvironmentPhase::Idle(_) | EnvironmentPhase::Disconnected => {
                (state.since + settings.keep, DeadlineCheck::IdleTimeout)
            }
            EnvironmentPhase::Ended => (now + timeout, DeadlineCheck::NotDue(now + timeout)),
        };
        if end <= now {
            return check;
        }
        match state.phase {
            EnvironmentPhase::Busy(_) | EnvironmentPhase::Answered { .. } => {
                DeadlineCheck::NotDue(end)
            }
            _ => DeadlineCheck::NotDue(end.min(now + timeout)),
        }
    }

    /// Ends the process immediately.
    pub(super) fn stop_process(&self) {
        self.stop.cancel();
    }
}

impl QueuedInvocation {
    /// Creates an invocation and the receiver of its answer.
    pub(super) fn new(
        invocation: Invocation,
    ) -> (
        Self,
        oneshot::Receiver<Result<InvocationOutcome, InvokeError>>,
    ) {
        let (answer, answered) = oneshot::channel();
        let invocation = QueuedInvocation {
            request_id: uuid(),
            arn: invocation.function.to_string(),
            payload: invocation.payload,
            trace_id: invocation.trace_id,
            answer,
            tail: invocation.log,
            since: Instant::now(),
        };
        (invocation, answered)
    }
}
