//! A function's binary, run as Lambda runs it.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use super::{InvocationResult, RuntimeApi};

/// Timeout of an event.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A function: the process of its binary, and its Runtime API.
///
/// The process has exactly the environment variables that Lambda would set, and none of this process. Dropping this
/// kills it.
#[derive(Debug)]
pub struct Function {
    api: RuntimeApi,
    child: Child,
    logs: watch::Receiver<Vec<String>>,
    started: Instant,
}

/// A function whose process ended unexpectedly.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the function ended with exit code {code:?}; its logs:\n{}", .logs.join("\n"))]
pub struct ProcessExited {
    /// Exit code; `None` if a signal ended the process.
    pub code: Option<i32>,
    /// Lines that the process wrote to stdout and stderr.
    pub logs: Vec<String>,
}

impl Function {
    /// Starts a binary with these environment variables and Lambda's own. Its timeout is 30 seconds per event.
    ///
    /// # Errors
    ///
    /// Fails if the binary cannot be started.
    pub async fn start(
        binary: impl AsRef<Path>,
        environment: &[(&str, &str)],
    ) -> io::Result<Function> {
        let api = RuntimeApi::start(TIMEOUT).await;
        let mut command = Command::new(binary.as_ref());
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.address().to_string())
            .envs(RESERVED.iter().copied())
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let started = Instant::now();
        let mut child = command.spawn()?;
        let (lines, logs) = watch::channel(Vec::new());
        let lines = Arc::new(lines);
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(collect(stdout, Arc::clone(&lines)));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(collect(stderr, lines));
        }
        Ok(Function {
            api,
            child,
            logs,
            started,
        })
    }

    /// Invokes the function with an event, and waits for the result.
    ///
    /// # Errors
    ///
    /// Fails if the process ends instead.
    pub async fn invoke(&mut self, event: &Value) -> Result<InvocationResult, ProcessExited> {
        tokio::select! {
            answer = self.api.invoke(event) => return Ok(answer),
            _ = self.child.wait() => {}
        }
        Err(self.exited().await)
    }

    /// Waits until the process ends by itself.
    pub async fn exited(&mut self) -> ProcessExited {
        let status = self.child.wait().await;
        ProcessExited {
            code: status.ok().and_then(|status| status.code()),
            logs: self.all_logs().await,
        }
    }

    /// Waits until the function asks for the next event. By then all log lines of the last event are written.
    ///
    /// # Errors
    ///
    /// Fails if the process ends instead.
    pub async fn idle(&mut self) -> Result<(), ProcessExited> {
        tokio::select! {
            () = self.api.idle() => return Ok(()),
            _ = self.child.wait() => {}
        }
        Err(self.exited().await)
    }

    /// Stops the process when it has finished the last event or exceeds its timeout. Returns all log lines.
    pub async fn stop(mut self) -> Vec<String> {
        if let Ok(Err(exited)) = tokio::time::timeout(TIMEOUT, self.idle()).await {
            return exited.logs;
        }
        // The only failure is that the process has ended already.
        let _ = self.child.kill().await;
        self.all_logs().await
    }

    /// Waits for a log line, and returns the first match. Returns `None` if the process ends without one.
    pub async fn log_line(&self, matches: impl Fn(&str) -> bool) -> Option<String> {
        let mut logs = self.logs.clone();
        let is_match = |line: &&String| matches(line);
        let found = logs
            .wait_for(|lines| lines.iter().any(|line| matches(line)))
            .await;
        match found {
            Ok(lines) => lines.iter().find(is_match).cloned(),
            Err(_) => self.logs.borrow().iter().find(is_match).cloned(),
        }
    }

    /// Returns the log lines so far.
    pub fn logs(&self) -> Vec<String> {
        self.logs.borrow().clone()
    }

    /// Returns the process ID, while the process runs.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Returns the start time of the process.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// Returns the Runtime API of the function.
    pub fn api(&self) -> &RuntimeApi {
        &self.api
    }

    /// Returns the log lines once stdout and stderr are closed.
    async fn all_logs(&mut self) -> Vec<String> {
        while self.logs.changed().await.is_ok() {}
        self.logs()
    }
}

async fn collect(from: impl AsyncRead + Unpin, into: Arc<watch::Sender<Vec<String>>>) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        into.send_modify(|lines| lines.push(line));
    }
}

/// Environment variables that Lambda sets on `provided.al2023`. The credentials are examples.
const RESERVED: &[(&str, &str)] = &[
    ("_HANDLER", "bootstrap"),
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
    ("AWS_DEFAULT_REGION", "us-east-1"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_FUNCTION_NAME", "under-test"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/under-test"),
    (
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "2026/01/01/[$LATEST]0123456789abcdef",
    ),
    ("AWS_REGION", "us-east-1"),
    (
        "AWS_SECRET_ACCESS_KEY",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    ),
    ("AWS_SESSION_TOKEN", "session-token-of-nobody"),
    ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
    ("LAMBDA_TASK_ROOT", "/var/task"),
    ("LANG", "en_US.UTF-8"),
    ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
    ("TZ", ":UTC"),
];
