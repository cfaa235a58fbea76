//! The life of an environment, from its process's start to its end.

use std::io;
use std::net::Ipv4Addr;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process_group};
use stackgen_gateway_common::invoke::{InvokeError, InvokeErrorKind};
use stackgen_gateway_common::{EpochMillis, Event};
use tokio::net::TcpListener;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::task::{JoinHandle, JoinSet};

use super::super::pool::Pool;
use super::super::{kill_marked, processes};
use super::output::{self, Log, Marker};
use super::report::{self, Ending};
use super::{Due, Environment, Launch, Phase, State, runtime_api};

/// How long a process that ended may still be read from: what it wrote last is here already.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Why a life ends.
enum End {
    /// The process ended by itself.
    Exit(Option<ExitStatus>),
    /// An invocation ran out of time.
    Timeout,
    /// The process did not ask for its first event in time.
    Init,
    /// The process told that it cannot start.
    InitError(Bytes),
    /// It was not needed any more.
    Stopped,
}

/// What was started.
struct Started {
    environment: Arc<Environment>,
    listener: TcpListener,
    child: Child,
    group: Group,
    mark: String,
    log: JoinHandle<()>,
}

/// A process group, killed when it is dropped: whatever a function left running goes with it.
struct Group(Option<Pid>);

impl Group {
    fn kill(&mut self) {
        let Some(pid) = self.0.take() else { return };
        // Found first: once their parent has ended, nobody knows whose those are that carry no mark.
        let descendants = processes::descendants(pid);
        // It may be gone already.
        let _ = kill_process_group(pid, Signal::KILL);
        descendants.into_iter().for_each(processes::kill);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts a process, lets it work, and ends it.
pub(in super::super) async fn live(pool: Arc<Pool>) {
    let launch = match pool.launch().await {
        Ok(launch) => launch,
        Err(reason) => return pool.unborn(&unrunnable(&pool, reason)),
    };
    let mut started = match start(&pool, launch).await {
        Ok(started) => started,
        Err(error) => return pool.unborn(&unrunnable(&pool, launch.explain(&error))),
    };
    let environment = started.environment.clone();
    let mut connections = JoinSet::new();
    let end = watch(&mut started, &mut connections).await;
    // Before it is reaped, while its number is its own.
    started.group.kill();
    let _ = started.child.wait().await;
    if let End::Exit(_) = end {
        // An answer may be on its way to be read.
        let drained = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LAST_WORDS, drained).await;
    }
    connections.shutdown().await;
    let phase = environment.conclude(end);
    environment.log.note(Marker::Over);
    let _ = started.log.await;
    pool.gone(&environment, &phase);
    // When everything ends, all of them go at once.
    if !pool.host().stop.is_cancelled() {
        kill_marked(started.mark).await;
    }
}

/// Serves the process until something ends it.
async fn watch(started: &mut Started, connections: &mut JoinSet<()>) -> End {
    let environment = started.environment.clone();
    let stop = environment.stop.clone();
    loop {
        let look = match environment.due(Instant::now()) {
            Due::Nothing(until) => until,
            Due::Timeout => return End::Timeout,
            Due::Init => return End::Init,
            Due::Unused if environment.give_up() => return End::Stopped,
            // An invocation comes at this moment.
            Due::Unused => {
                tokio::task::yield_now().await;
                continue;
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => return environment.stopped(),
            status = started.child.wait() => return End::Exit(status.ok()),
            accepted = started.listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(runtime_api::serve(environment.clone(), stream));
                }
            }
            Some(_) = connections.join_next() => {}
            () = tokio::time::sleep_until(look.into()) => {}
        }
    }
}

async fn start(pool: &Arc<Pool>, launch: &Launch) -> io::Result<Started> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let name = stream_name(pool.version());
    let mark = pool.host().next_mark();
    let (reader, writer) = io::pipe()?;
    let mut command = Command::new(&launch.program);
    command
        .args(&launch.arguments)
        .current_dir(&launch.root)
        .env_clear()
        .envs(launch.environment(pool, address, &name, &mark))
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .process_group(0)
        .kill_on_drop(true);
    let born = Instant::now();
    let child = spawn(&mut command).await?;
    // The process has the only other ends of the pipe now.
    drop(command);
    let pid = child.id();
    let group = Group(pid.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)));
    let (log, markers) = Log::new();
    let output = pipe::Receiver::from_owned_fd(reader.into())?;
    let collect = tokio::spawn(output::collect(pool.clone(), name, pid, output, markers));
    log.note(Marker::Lines(vec![report::init_start(
        pool.configuration(),
    )]));
    let environment = Environment {
        pool: pool.clone(),
        log,
        stop: pool.host().stop.child_token(),
        born,
        state: Mutex::new(State {
            phase: Phase::Init,
            since: born,
            init: None,
            init_error: None,
        }),
    };
    Ok(Started {
        environment: Arc::new(environment),
        listener,
        child,
        group,
        mark,
        log: collect,
    })
}

/// Starts the process. A file that was just written counts as busy while any other thread is about to start a process, which
/// holds on to all files for a moment.
async fn spawn(command: &mut Command) -> io::Result<Child> {
    let mut tries = 0;
    loop {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && tries < 50 => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            done => return done,
        }
    }
}

/// `2024/02/09/[$LATEST]0123456789abcdef0123456789abcdef`.
fn stream_name(version: &str) -> String {
    let date = EpochMillis::now().iso8601();
    let day = date.get(..10).unwrap_or_default().replace('-', "/");
    format!("{day}/[{version}]{:032x}", fastrand::u128(..))
}

fn unrunnable(pool: &Pool, reason: impl std::fmt::Display) -> InvokeError {
    InvokeError {
        kind: InvokeErrorKind::Unrunnable,
        message: format!("{} cannot be run: {reason}", pool.function().name),
    }
}

impl Environment {
    /// The process tells that it cannot start.
    pub(super) fn fail_init(&self, error: Bytes) {
        self.state().init_error = Some(error);
        self.end();
    }

    /// True when it has nothing to do and nothing comes.
    fn give_up(self: &Arc<Self>) -> bool {
        self.pool.withdraw(self) || matches!(self.state().phase, Phase::Away)
    }

    /// Why it was stopped.
    fn stopped(&self) -> End {
        match self.state().init_error.take() {
            Some(error) => End::InitError(error),
            None => End::Stopped,
        }
    }

    /// Tells whoever waits for an answer what happened in place of it, and returns what the process did last.
    fn conclude(&self, end: End) -> Phase {
        let mut state = self.state();
        let phase = std::mem::replace(&mut state.phase, Phase::Over);
        let duration = state.since.elapsed();
        let init = state.init.take();
        drop(state);
        let timeout = self.pool.configuration().timeout;
        match phase {
            Phase::Busy(running) => {
                let id = running.request_id.clone();
                let (payload, ending, reason) = match &end {
                    End::Timeout => (
                        report::timed_out(&id, timeout),
                        Ending::Timeout,
                        format!("Task timed out after {:.2} seconds", timeout.as_secs_f64()),
                    ),
                    other => {
                        let reason = other.reason();
                        let ending = Ending::Exit(reason.clone());
                        (report::exited(&id, &reason), ending, reason)
                    }
                };
                self.tell_failure(reason);
                self.finish(Phase::Busy(running), payload, ending, duration, init);
                Phase::Over
            }
            Phase::Init => {
                self.conclude_init(&end);
                Phase::Init
            }
            other => other,
        }
    }

    fn conclude_init(&self, end: &End) {
        let took = self.born.elapsed();
        let format = self.pool.configuration().log_format;
        let (status, kind) = match end {
            End::Stopped => return,
            End::Init => ("timeout", "Sandbox.Timedout"),
            End::InitError(_) => ("error", "Runtime.InitError"),
            End::Exit(_) | End::Timeout => ("error", "Runtime.ExitError"),
        };
        let line = report::init_report(format, took, status, kind);
        self.log.note(Marker::Lines(vec![line]));
        self.tell_failure(format!("it did not start: {}", end.reason()));
        // One invocation fails for one process that does not start; the next has its own.
        let Some(job) = self.pool.next_job() else {
            return;
        };
        let (payload, ending) = match end {
            End::Init => (report::timed_out(&job.request_id, took), Ending::Timeout),
            End::InitError(error) => (error.clone(), Ending::NotStarted),
            other => {
                let reason = other.reason();
                let payload = report::exited(&job.request_id, &reason);
                (payload, Ending::Exit(reason))
            }
        };
        self.log.note(Marker::Start {
            request_id: job.request_id.clone(),
            collect: job.tail.is_some(),
        });
        let running = super::Running {
            request_id: job.request_id,
            answer: job.answer,
            tail: job.tail,
            deadline: Instant::now(),
        };
        self.finish(Phase::Busy(running), payload, ending, took, None);
    }

    fn tell_failure(&self, reason: String) {
        self.pool.host().events.send(|| Event::FunctionFailed {
            function: self.pool.function().name.clone(),
            reason,
        });
    }
}

impl End {
    /// In words.
    fn reason(&self) -> String {
        match self {
            End::Exit(status) => report::exit_reason(*status),
            End::Timeout => "Task timed out".to_owned(),
            End::Init => "the process did not ask for its first event in time".to_owned(),
            End::InitError(error) => String::from_utf8_lossy(error).into_owned(),
            End::Stopped => "Runtime exited with error: signal: killed".to_owned(),
        }
    }
}
