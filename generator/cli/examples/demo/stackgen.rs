//! Runs of `stackgen`.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::print::{DemoError, WithContext, command, output};

/// Returns the binary that was built with the demo.
pub(crate) fn binary() -> PathBuf {
    let demo = std::env::current_exe().unwrap_or_default();
    let profile = demo.parent().and_then(Path::parent);
    profile.unwrap_or(Path::new(".")).join("stackgen")
}

fn stackgen(project: &Path, words: &str) -> Command {
    let mut command = Command::new(binary());
    command
        .args(words.split(' '))
        .current_dir(project)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Runs a command and prints its output.
pub(crate) async fn run(project: &Path, words: &str) -> Result<(), DemoError> {
    command(&format!("stackgen {words}"));
    let ended = stackgen(project, words)
        .output()
        .await
        .context("stackgen")?;
    output(&String::from_utf8_lossy(&ended.stdout));
    match ended.status.success() {
        true => Ok(()),
        false => Err(DemoError::new(
            String::from_utf8_lossy(&ended.stderr).trim_end(),
        )),
    }
}

/// Runs a command and returns its output.
pub(crate) async fn result(project: &Path, words: &str) -> Result<String, DemoError> {
    let ended = stackgen(project, words)
        .output()
        .await
        .context("stackgen")?;
    match ended.status.success() {
        true => Ok(String::from_utf8_lossy(&ended.stdout).trim_end().to_owned()),
        false => Err(DemoError::new(
            String::from_utf8_lossy(&ended.stderr).trim_end(),
        )),
    }
}

/// Longest wait for the end of `stackgen dev`.
const END_TIMEOUT: Duration = Duration::from_secs(10);

/// A running `stackgen dev`.
pub(crate) struct DevProcess {
    child: Child,
    /// `None` once events are no longer read.
    events: Option<Lines<BufReader<ChildStdout>>>,
    /// URL of the WebSocket API.
    pub(crate) websocket: String,
    /// URL of the HTTP API.
    pub(crate) http: String,
}

impl DevProcess {
    /// Starts an environment and waits until it is ready.
    pub(crate) async fn start(project: &Path, environment: &str) -> Result<DevProcess, DemoError> {
        command(&format!("stackgen dev --env {environment}"));
        let mut child = stackgen(project, &format!("dev --env {environment} --port 0 --json"))
            .stdout(Stdio::piped())
            .spawn()
            .context("stackgen dev")?;
        let out = child
            .stdout
            .take()
            .ok_or(DemoError::new("no standard output"))?;
        let mut dev = DevProcess {
            child,
            events: Some(BufReader::new(out).lines()),
            websocket: String::new(),
            http: String::new(),
        };
        let ready = dev.event("ready").await?;
        for api in ready["gateway"]["apis"].as_array().into_iter().flatten() {
            let url = api["stages"][0]["url"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            match api["protocolType"].as_str() {
                Some("WEBSOCKET") => dev.websocket = url,
                _ => dev.http = url,
            }
        }
        Ok(dev)
    }

    /// Waits for an event of a name, and drops others.
    pub(crate) async fn event(&mut self, name: &str) -> Result<Value, DemoError> {
        // Lines that are no events belong to an error.
        let mut error = String::from("stackgen dev ended");
        loop {
            let line = self.line().await?.ok_or_else(|| DemoError::new(&error))?;
            match serde_json::from_str::<Value>(&line) {
                Ok(event) if event["event"] == name => return Ok(event),
                Ok(Value::Object(_)) => {}
                _ => error = format!("{error}\n{line}"),
            }
        }
    }

    async fn line(&mut self) -> Result<Option<String>, DemoError> {
        match &mut self.events {
            Some(events) => events.next_line().await.context("stackgen dev"),
            None => Ok(None),
        }
    }

    /// Sends SIGINT. Returns true if the exit code is 0.
    pub(crate) async fn end(mut self) -> Result<bool, DemoError> {
        self.interrupt();
        // The last events are read, so that the process does not wait for a reader.
        while let Ok(Some(_)) = self.line().await {}
        let ended = self.child.wait().await.context("stackgen dev")?;
        Ok(ended.success())
    }

    fn interrupt(&self) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(id) = id.and_then(Pid::from_raw) {
            // The process may have ended already.
            let _ = kill_process(id, Signal::INT);
        }
    }
}

/// Ends the process by SIGINT: after SIGKILL it could not end its functions.
impl Drop for DevProcess {
    fn drop(&mut self) {
        self.events = None;
        self.interrupt();
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < END_TIMEOUT {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
