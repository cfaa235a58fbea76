//! The command `stackgen`, as a person runs it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::tell::{Failed, Told, command, output};

/// The binary that was built with this story.
pub(crate) fn binary() -> PathBuf {
    let story = std::env::current_exe().unwrap_or_default();
    let profile = story.parent().and_then(Path::parent);
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

/// Runs it, shows what it says, and goes on if all was well.
pub(crate) async fn run(project: &Path, words: &str) -> Result<(), Failed> {
    command(&format!("stackgen {words}"));
    let ended = stackgen(project, words).output().await.told("stackgen")?;
    output(&String::from_utf8_lossy(&ended.stdout));
    match ended.status.success() {
        true => Ok(()),
        false => Err(Failed::new(
            String::from_utf8_lossy(&ended.stderr).trim_end(),
        )),
    }
}

/// Runs it for its result alone.
pub(crate) async fn result(project: &Path, words: &str) -> Result<String, Failed> {
    let ended = stackgen(project, words).output().await.told("stackgen")?;
    match ended.status.success() {
        true => Ok(String::from_utf8_lossy(&ended.stdout).trim_end().to_owned()),
        false => Err(Failed::new(
            String::from_utf8_lossy(&ended.stderr).trim_end(),
        )),
    }
}

/// How long `stackgen dev` may take to end.
const FAREWELL: Duration = Duration::from_secs(10);

/// `stackgen dev`, running.
pub(crate) struct Dev {
    child: Child,
    /// `None` once nobody listens any more.
    events: Option<Lines<BufReader<ChildStdout>>>,
    /// Where clients connect.
    pub(crate) websocket: String,
    /// Where the HTTP API is.
    pub(crate) http: String,
}

impl Dev {
    /// Starts it for an environment; ready when this returns.
    pub(crate) async fn start(project: &Path, environment: &str) -> Result<Dev, Failed> {
        command(&format!("stackgen dev --env {environment}"));
        let mut child = stackgen(project, &format!("dev --env {environment} --port 0 --json"))
            .stdout(Stdio::piped())
            .spawn()
            .told("stackgen dev")?;
        let out = child
            .stdout
            .take()
            .ok_or(Failed::new("no standard output"))?;
        let mut dev = Dev {
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

    /// The next event of this name, whatever comes before it.
    pub(crate) async fn event(&mut self, name: &str) -> Result<Value, Failed> {
        // What is no event is an error, told over several lines.
        let mut said = String::from("stackgen dev ended");
        loop {
            let line = self.line().await?.ok_or_else(|| Failed::new(&said))?;
            match serde_json::from_str::<Value>(&line) {
                Ok(event) if event["event"] == name => return Ok(event),
                Ok(Value::Object(_)) => {}
                _ => said = format!("{said}\n{line}"),
            }
        }
    }

    async fn line(&mut self) -> Result<Option<String>, Failed> {
        match &mut self.events {
            Some(events) => events.next_line().await.told("stackgen dev"),
            None => Ok(None),
        }
    }

    /// Ctrl-C; true when it ended well.
    pub(crate) async fn end(mut self) -> Result<bool, Failed> {
        self.interrupt();
        // Its last events are read, so that it need not wait for a reader.
        while let Ok(Some(_)) = self.line().await {}
        let ended = self.child.wait().await.told("stackgen dev")?;
        Ok(ended.success())
    }

    fn interrupt(&self) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(id) = id.and_then(Pid::from_raw) {
            // It may have ended by itself.
            let _ = kill_process(id, Signal::INT);
        }
    }
}

/// A story that breaks off ends it all the same as Ctrl-C does: killed, it could not end its functions.
impl Drop for Dev {
    fn drop(&mut self) {
        self.events = None;
        self.interrupt();
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < FAREWELL {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
