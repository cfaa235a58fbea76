//! Runs an environment from the start of its process to the end.

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

use super::super::pool::EnvironmentPool;
use super::super::{kill_marked, processes};
use super::output::{self, LogEntry, LogSender};
use super::report::{self, InvocationEnd};
use super::{
    DeadlineCheck, EnvironmentPhase, EnvironmentState, ExecutionEnvironment, LaunchCommand,
    runtime_api,
};

/// Time for reading the last requests of a process that has ended. They have already arrived.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(500);

/// Reason for the end of an environment.
enum EndReason {
    /// The process exited.
    Exit(Option<ExitStatus>),
    /// An invocation timed out.
    Timeout,
    /// The process did not ask for its first event in time.
    StartTimeout,
    /// The process reported that it cannot start.
    InitError(Bytes),
    /// The environment was no longer needed.
    NotNeeded,
}

/// Started environment.
struct StartedEnvironment {
    environment: Arc<ExecutionEnvironment>,
    listener: TcpListener,
    child: Child,
    group: ProcessGroup,
    mark: String,
    log: JoinHandle<()>,
}

/// Process group of a function. Dropping it kills the group and all descendants.
struct ProcessGroup(Option<Pid>);

impl ProcessGroup {
    fn kill(&mut self) {
        let Some(pid) = self.0.take() else { return };
        // Search first: after the end of their parent, unmarked descendants cannot be found any more.
        let descendants = processes::descendants(pid);
        // The group may have ended already.
        let _ = kill_process_group(pid, Signal::KILL);
        descendants.into_iter().for_each(processes::kill);
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts a process, serves it, and cleans up after its end.
pub(in super::super) async fn run_to_exit(pool: Arc<EnvironmentPool>) {
    let launch = match pool.launch().await {
        Ok(launch) => launch,
        Err(reason) => return pool.start_failed(&unrunnable(&pool, reason)),
    };
    let mut started = match start_process(&pool, &launch).await {
        Ok(started) => started,
        Err(error) => return pool.start_failed(&unrunnable(&pool, launch.explain(&error))),
    };
    let environment = started.environment.clone();
    let mut connections = JoinSet::new();
    let end = serve_until_end(&mut started, &mut connections).await;
    // Before `wait` reaps the process: until then, its number cannot be reused.
    started.group.kill();
    let _ = started.child.wait().await;
    if let EndReason::Exit(_) = end {
        // An answer may have arrived that is not read yet.
        let drained = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(DRAIN_TIMEOUT, drained).await;
    }
    connections.shutdown().await;
    let phase = environment.fail_running(end);
    if let EnvironmentPhase::Starting = phase {
        pool.clear_launch_command().await;
    }
    environment.log.send(LogEntry::ProcessEnded);
    let _ = started.log.await;
    pool.environment_ended(&environment, &phase);
    // When the gateway stops, `Functions::stop` kills all marked processes at once.
    if !pool.host().stop.is_cancelled() {
        kill_marked(started.mark).await;
    }
}

/// Serves the process until the environment ends.
async fn serve_until_end(
    started: &mut StartedEnvironment,
    connections: &mut JoinSet<()>,
) -> EndReason {
    let environment = started.environment.clone();
    let stop = environment.stop.clone();
    loop {
        let next_check = match environment.check_deadlines(Instant::now()) {
            DeadlineCheck::NotDue(until) => until,
            DeadlineCheck::Timeout => return EndReason::Timeout,
            DeadlineCheck::StartTimeout => return EndReason::StartTimeout,
            DeadlineCheck::IdleTimeout if environment.retire_if_idle() => {
                return EndReason::NotNeeded;
            }
            // An invocation is just being assigned.
            DeadlineCheck::IdleTimeout => {
                tokio::task::yield_now().await;
                continue;
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => return environment.stop_reason(),
            status = started.child.wait() => return EndReason::Exit(status.ok()),
            accepted = started.listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(runtime_api::serve(environment.clone(), stream));
                }
            }
            Some(_) = connections.join_next() => {}
            () = tokio::time::sleep_until(next_check.into()) => {}
        }
    }
}

async fn start_process(
    pool: &Arc<EnvironmentPool>,
    launch: &Arc<LaunchCommand>,
) -> io::Result<StartedEnvironment> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let name = stream_name(pool.version());
    let mark = pool.host().next_mark();
    let (reader, writer) = io::pipe()?;
    let mount = match &pool.configuration().layers {
        Some(layers) => pool.host().layer_mount(layers).await.ok().zip(Some(layers)),
        None => None,
    };
    let mut command = launch.command(mount.map(|(helper, layers)| (helper, &**layers)));
    command
        .current_dir(&launch.root)
        .env_clear()
        .envs(launch.environment(pool, address, &name, &mark))
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .process_group(0)
        .kill_on_drop(true);
    let started = Instant::now();
    let child = spawn(&mut command).await?;
    // Closes our copies of the pipe's write end, so that the pipe ends with the process.
    drop(command);
    let pid = child.id();
    let group = ProcessGroup(pid.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)));
    let (log, entries) = LogSender::new();
    let output = pipe::Receiver::from_owned_fd(reader.into())?;
    let collect = tokio::spawn(output::collect(pool.clone(), name, pid, output, entries));
    log.send(LogEntry::Lines(vec![report::init_start(
        pool.configuration(),
    )]));
    let environment = ExecutionEnvironment {
        pool: pool.clone(),
        log,
        launch: launch.clone(),
        stop: pool.host().stop.child_token(),
        started,
        state: Mutex::new(EnvironmentState {
            phase: EnvironmentPhase::Starting,
            since: started,
            init: None,
            init_error: None,
        }),
    };
    Ok(StartedEnvironment {
        environment: Arc::new(environment),
        listener,
        child,
        group,
        mark,
        log: collect,
    })
}

/// Starts the process. Retries if the program is busy: when another thread forks a process at this moment, the child holds
/// the program's file open for writing until it calls exec.
async fn spawn(command: &mut Command) -> io::Result<Child> {
    let mut tries = 0;
    loop {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && tries < 50 => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            result => return result,
        }
    }
}

/// Returns a name like `2024/02/09/[$LATEST]0123456789abcdef0123456789abcdef`.
fn stream_name(version: &str) -> String {
    let date = EpochMillis::now().iso8601();
    let day = date.get(..10).unwrap_or_default().replace('-', "/");
    format!("{day}/[{version}]{:032x}", fastrand::u128(..))
}

fn unrunnable(pool: &EnvironmentPool, reason: impl std::fmt::Display) -> InvokeError {
    InvokeError {
        kind: InvokeErrorKind::Unrunnable,
        message: format!("cannot run {}: {reason}", pool.function().name),
    }
}

impl ExecutionEnvironment {
    /// Called when the process reports that it cannot start.
    pub(super) fn fail_init(&self, error: Bytes) {
        self.state().init_error = Some(error);
        self.stop_process();
    }

    /// Removes the environment from the pool's idle ones. Returns false if it just got an invocation.
    fn retire_if_idle(self: &Arc<Self>) -> bool {
        self.pool.remove_idle(self) || matches!(self.state().phase, EnvironmentPhase::Disconnected)
    }

    /// Returns the reason why the environment was stopped.
    fn stop_reason(&self) -> EndReason {
        match self.state().init_error.take() {
            Some(error) => EndReason::InitError(error),
            None => EndReason::NotNeeded,
        }
    }

    /// Fails the invocation that runs or waits for the start, and returns the last phase.
    fn fail_running(&self, end: EndReason) -> EnvironmentPhase {
        let mut state = self.state();
        let phase = std::mem::replace(&mut state.phase, EnvironmentPhase::Ended);
        let duration = state.since.elapsed();
        let init = state.init.take();
        drop(state);
        let timeout = self.pool.configuration().timeout;
        match phase {
            EnvironmentPhase::Busy(running) => {
                let id = running.request_id.clone();
                let (payload, ending, reason) = match &end {
                    EndReason::Timeout => (
                        report::timed_out(&id, timeout),
                        InvocationEnd::Timeout,
                        format!("Task timed out after {:.2} seconds", timeout.as_secs_f64()),
                    ),
                    other => {
                        let reason = other.reason();
                        let ending = InvocationEnd::Exit(reason.clone());
                        (report::exited(&id, &reason), ending, reason)
                    }
                };
                self.report_failure(reason);
                self.finish(
                    EnvironmentPhase::Busy(running),
                    payload,
                    ending,
                    duration,
                    init,
                );
                EnvironmentPhase::Ended
            }
            EnvironmentPhase::Starting => {
                self.fail_start(&end);
                EnvironmentPhase::Starting
            }
            other => other,
        }
    }

    fn fail_start(&self, end: &EndReason) {
        let took = self.started.elapsed();
        let format = self.pool.configuration().log_format;
        let (status, kind) = match end {
            EndReason::NotNeeded => return,
            EndReason::StartTimeout => ("timeout", "Sandbox.Timedout"),
            EndReason::InitError(_) => ("error", "Runtime.InitError"),
            EndReason::Exit(_) | EndReason::Timeout => ("error", "Runtime.ExitError"),
        };
        let line = report::init_report(format, took, status, kind);
        self.log.send(LogEntry::Lines(vec![line]));
        let hint = match end {
            EndReason::InitError(error) => self.launch.hint(error),
            _ => None,
        };
        let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        self.report_failure(format!("it did not start: {}{hint}", end.reason()));
        // One failed start fails one invocation. The next waiting invocation gets a process of its own.
        let Some(invocation) = self.pool.take_oldest() else {
            return;
        };
        let (payload, ending) = match end {
            EndReason::StartTimeout => (
                report::timed_out(&invocation.request_id, took),
                InvocationEnd::Timeout,
            ),
            EndReason::InitError(error) => (error.clone(), InvocationEnd::NotStarted),
            other => {
                let reason = other.reason();
                let payload = report::exited(&invocation.request_id, &reason);
                (payload, InvocationEnd::Exit(reason))
            }
        };
        self.log.send(LogEntry::Start {
            request_id: invocation.request_id.clone(),
            collect: invocation.tail.is_some(),
        });
        let running = super::RunningInvocation {
            request_id: invocation.request_id,
            answer: invocation.answer,
            tail: invocation.tail,
            deadline: Instant::now(),
        };
        self.finish(EnvironmentPhase::Busy(running), payload, ending, took, None);
    }

    pub(super) fn report_failure(&self, reason: String) {
        self.pool.host().events.send(Event::FunctionFailed {
            function: self.pool.function().name.clone(),
            reason,
        });
    }
}

impl EndReason {
    /// Returns the reason in words.
    fn reason(&self) -> String {
        match self {
            EndReason::Exit(status) => report::exit_reason(*status),
            EndReason::Timeout => "Task timed out".to_owned(),
            EndReason::StartTimeout => {
                "the process did not ask for its first event in time".to_owned()
            }
            EndReason::InitError(error) => report::in_words(error),
            EndReason::NotNeeded => "Runtime exited with error: signal: killed".to_owned(),
        }
    }
}
