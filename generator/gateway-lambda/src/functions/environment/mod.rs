//! Execution environment: a process that runs one invocation at a time.

mod http;
mod launch;
mod life;
mod output;
mod report;
mod runtime_api;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use stackgen_gateway_common::invoke::{InvokeError, Outcome};
use stackgen_gateway_common::{Timestamp, uuid};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::pool::Pool;
pub(super) use launch::Launch;
pub(super) use life::live;
use output::{Log, Marker};
use report::Ending;

/// Invocation that waits for a process or runs on one.
pub(super) struct Job {
    pub(super) request_id: String,
    /// Invoked ARN, with its qualifier.
    pub(super) arn: String,
    pub(super) payload: Bytes,
    pub(super) trace_id: String,
    /// Receives the answer. The other end may be closed if the caller no longer waits.
    pub(super) answer: oneshot::Sender<Result<Outcome, InvokeError>>,
    /// Receives the log lines of this invocation, if the caller asked for them.
    pub(super) tail: Option<oneshot::Sender<Vec<String>>>,
    /// Time of the invocation.
    pub(super) since: Instant,
}

/// Execution environment.
pub(super) struct Environment {
    pool: Arc<Pool>,
    log: Log,
    /// Cancelled to end the environment.
    stop: CancellationToken,
    born: Instant,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    since: Instant,
    /// Time until the process asked for its first event. Only the first `REPORT` line shows it.
    init: Option<Duration>,
    /// Error that the process sent to `init/error`.
    init_error: Option<Bytes>,
}

/// Phase in the life of an environment.
pub(super) enum Phase {
    /// The process has not asked for an event yet.
    Init,
    /// The process waits for an event on this connection.
    Idle(Arc<OwnedWriteHalf>),
    /// The process runs an invocation.
    Busy(Running),
    /// The process has answered but not asked for the next event yet.
    Answered { deadline: Instant },
    /// The process closed the connection on which it waited.
    Away,
    /// The process has ended or is about to end.
    Over,
}

pub(super) struct Running {
    request_id: String,
    answer: oneshot::Sender<Result<Outcome, InvokeError>>,
    tail: Option<oneshot::Sender<Vec<String>>>,
    deadline: Instant,
}

/// Result of checking the deadlines.
enum Due {
    /// No deadline passes before this time.
    Nothing(Instant),
    /// The function's timeout has expired, while the invocation or its work after the answer runs.
    Timeout,
    /// The process did not ask for its first event in time.
    Init,
    /// The process was idle for too long.
    Unused,
}

/// Reason why the Runtime API refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Misuse {
    /// The invocation is not running here.
    RequestId,
    /// The process asked for an event while it still has one.
    State,
}

impl Environment {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called when the process asks for an event on this connection.
    fn ask(self: &Arc<Self>, connection: &Arc<OwnedWriteHalf>) -> Result<(), Misuse> {
        let mut state = self.state();
        let before = match state.phase {
            Phase::Init | Phase::Answered { .. } | Phase::Away => {
                std::mem::replace(&mut state.phase, Phase::Idle(connection.clone()))
            }
            Phase::Idle(_) | Phase::Busy(_) | Phase::Over => return Err(Misuse::State),
        };
        state.since = Instant::now();
        if matches!(before, Phase::Init) {
            state.init = Some(self.born.elapsed());
        }
        drop(state);
        let first = matches!(before, Phase::Init);
        let answered = matches!(before, Phase::Answered { .. });
        self.pool.free(self, first, answered);
        Ok(())
    }

    /// Sends an event to the process. Returns the job if the process does not wait for one.
    pub(super) fn begin(&self, job: Job) -> Result<(), Box<Job>> {
        let mut state = self.state();
        let Phase::Idle(connection) = &state.phase else {
            return Err(Box::new(job));
        };
        let connection = connection.clone();
        let timeout = self.pool.configuration().timeout;
        let now = Instant::now();
        let event = runtime_api::event(&job, Timestamp::now().after(timeout));
        // Before the event is sent: the `START` line must precede what the process writes.
        self.log.note(Marker::Start {
            request_id: job.request_id.clone(),
            collect: job.tail.is_some(),
        });
        state.phase = Phase::Busy(Running {
            request_id: job.request_id,
            answer: job.answer,
            tail: job.tail,
            deadline: now + timeout,
        });
        state.since = now;
        drop(state);
        runtime_api::send(connection, event);
        Ok(())
    }

    /// Called when the process answers an invocation.
    fn answer(&self, request_id: &str, payload: Bytes, ending: Ending) -> Result<(), Misuse> {
        let mut state = self.state();
        match &state.phase {
            Phase::Busy(running) if running.request_id == request_id => {
                let deadline = running.deadline;
                let answered = Phase::Answered { deadline };
                let before = std::mem::replace(&mut state.phase, answered);
                let (duration, init) = (state.since.elapsed(), state.init.take());
                // Under the lock: on another connection, the process may ask for the next event at once.
                self.pool.answered();
                drop(state);
                self.finish(before, payload, ending, duration, init);
                Ok(())
            }
            _ => Err(Misuse::RequestId),
        }
    }

    /// Sends the result to the caller and to the log.
    fn finish(
        &self,
        phase: Phase,
        payload: Bytes,
        ending: Ending,
        duration: Duration,
        init: Option<Duration>,
    ) {
        let Phase::Busy(running) = phase else { return };
        // The caller may no longer wait.
        let _ = running.answer.send(Ok(Outcome {
            payload,
            failed: ending != Ending::Success,
            executed_version: self.pool.version().to_owned(),
            request_id: running.request_id.clone(),
            duration,
        }));
        self.log.note(Marker::End {
            request_id: running.request_id,
            ending,
            duration,
            init,
            tail: running.tail,
        });
    }

    /// Called when the process has closed a connection.
    fn left(self: &Arc<Self>, connection: &Arc<OwnedWriteHalf>) {
        let mut state = self.state();
        if let Phase::Idle(waiting) = &state.phase
            && Arc::ptr_eq(waiting, connection)
        {
            state.phase = Phase::Away;
            state.since = Instant::now();
            drop(state);
            self.pool.withdraw(self);
        }
    }

    /// Returns the deadline that has passed, or the time of the next check. An idle process is checked after the function's
    /// timeout at the latest: no invocation that begins meanwhile can expire earlier, so `begin` need not wake the watcher.
    fn due(&self, now: Instant) -> Due {
        let state = self.state();
        let settings = self.pool.settings();
        let timeout = self.pool.configuration().timeout;
        let (end, due) = match &state.phase {
            Phase::Init => (state.since + settings.init, Due::Init),
            Phase::Busy(running) => (running.deadline, Due::Timeout),
            Phase::Answered { deadline } => (*deadline, Due::Timeout),
            Phase::Idle(_) | Phase::Away => (state.since + settings.keep, Due::Unused),
            Phase::Over => (now + timeout, Due::Nothing(now + timeout)),
        };
        if end <= now {
            return due;
        }
        match state.phase {
            Phase::Busy(_) | Phase::Answered { .. } => Due::Nothing(end),
            _ => Due::Nothing(end.min(now + timeout)),
        }
    }

    /// Ends the process immediately.
    pub(super) fn end(&self) {
        self.stop.cancel();
    }
}

impl Job {
    /// Creates a job and the receiver of its answer.
    pub(super) fn new(
        arn: String,
        payload: Bytes,
        trace_id: String,
        tail: Option<oneshot::Sender<Vec<String>>>,
    ) -> (Self, oneshot::Receiver<Result<Outcome, InvokeError>>) {
        let (answer, answered) = oneshot::channel();
        let job = Job {
            request_id: uuid(),
            arn,
            payload,
            trace_id,
            answer,
            tail,
            since: Instant::now(),
        };
        (job, answered)
    }
}
