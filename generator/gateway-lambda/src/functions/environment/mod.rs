//! An execution environment: one process, one invocation at a time.

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
use stackgen_gateway_common::{EpochMillis, uuid};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::pool::Pool;
pub(super) use launch::Launch;
pub(super) use life::live;
use output::{Log, Marker};
use report::Ending;

/// An invocation on its way to a process.
pub(super) struct Job {
    pub(super) request_id: String,
    /// The ARN as it was called, with its qualifier.
    pub(super) arn: String,
    pub(super) payload: Bytes,
    pub(super) trace_id: String,
    /// Takes the answer; nobody may wait for it any more.
    pub(super) answer: oneshot::Sender<Result<Outcome, InvokeError>>,
    /// Takes the lines of this invocation, if anybody asked for them.
    pub(super) tail: Option<oneshot::Sender<Vec<String>>>,
    /// When it was made.
    pub(super) since: Instant,
}

/// An execution environment.
pub(super) struct Environment {
    pool: Arc<Pool>,
    log: Log,
    /// Cancelled to end it.
    stop: CancellationToken,
    born: Instant,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    since: Instant,
    /// How long the process took to ask for its first event; told in the first report.
    init: Option<Duration>,
    /// Why it cannot start, as it told itself.
    init_error: Option<Bytes>,
}

/// What an environment does.
pub(super) enum Phase {
    /// The process has not asked for an event yet.
    Init,
    /// It waits for an event on this connection.
    Idle(Arc<OwnedWriteHalf>),
    /// It works.
    Busy(Running),
    /// It has answered, and not asked for the next event yet.
    Answered { deadline: Instant },
    /// It closed the connection on which it waited.
    Away,
    /// It ended, or is about to.
    Over,
}

pub(super) struct Running {
    request_id: String,
    answer: oneshot::Sender<Result<Outcome, InvokeError>>,
    tail: Option<oneshot::Sender<Vec<String>>>,
    deadline: Instant,
}

/// What a look at the clock finds.
enum Due {
    /// Nothing before then.
    Nothing(Instant),
    /// The invocation's time is up, or that of what the process does after its answer.
    Timeout,
    /// The process has not asked for its first event in time.
    Init,
    /// It had nothing to do for long.
    Unused,
}

/// Why the Runtime API refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Misuse {
    /// No such invocation is running.
    RequestId,
    /// The process asked for an event while it has one.
    State,
}

impl Environment {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process asks for an event on this connection.
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

    /// Gives the process an event. The job comes back if the process does not wait for one.
    pub(super) fn begin(&self, job: Job) -> Result<(), Box<Job>> {
        let mut state = self.state();
        let Phase::Idle(connection) = &state.phase else {
            return Err(Box::new(job));
        };
        let connection = connection.clone();
        let timeout = self.pool.configuration().timeout;
        let now = Instant::now();
        let event = runtime_api::event(&job, EpochMillis::now().after(timeout));
        // Before the process can write anything.
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

    /// The process answers an invocation.
    fn answer(&self, request_id: &str, payload: Bytes, ending: Ending) -> Result<(), Misuse> {
        let mut state = self.state();
        match &state.phase {
            Phase::Busy(running) if running.request_id == request_id => {
                let deadline = running.deadline;
                let answered = Phase::Answered { deadline };
                let before = std::mem::replace(&mut state.phase, answered);
                let (duration, init) = (state.since.elapsed(), state.init.take());
                // Before the process can ask for the next event, on whichever connection.
                self.pool.answered();
                drop(state);
                self.finish(before, payload, ending, duration, init);
                Ok(())
            }
            _ => Err(Misuse::RequestId),
        }
    }

    /// Tells the caller, and the log.
    fn finish(
        &self,
        phase: Phase,
        payload: Bytes,
        ending: Ending,
        duration: Duration,
        init: Option<Duration>,
    ) {
        let Phase::Busy(running) = phase else { return };
        // Whoever called may have given up waiting.
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

    /// The process closed a connection.
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

    /// What is due at this moment. Whoever does nothing now cannot be overdue within a time-out: so nobody has to be woken
    /// when an invocation begins.
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

    /// Ends the process at once.
    pub(super) fn end(&self) {
        self.stop.cancel();
    }
}

impl Job {
    /// A job, and where its answer comes.
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
