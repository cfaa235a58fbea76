//! The command `stackgen`, as a person runs it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

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

/// `stackgen dev`, running.
pub(crate) struct Dev {
    child: Child,
    events: Lines<BufReader<ChildStdout>>,
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
            events: BufReader::new(out).lines(),
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
            let line = self.events.next_line().await.told("stackgen dev")?;
            let line = line.ok_or_else(|| Failed::new(&said))?;
            match serde_json::from_str::<Value>(&line) {
                Ok(event) if event["event"] == name => return Ok(event),
                Ok(Value::Object(_)) => {}
                _ => said = format!("{said}\n{line}"),
            }
        }
    }

    /// Ctrl-C; true when it ended well.
    pub(crate) async fn end(mut self) -> Result<bool, Failed> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        let id = id.and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            rustix::process::kill_process(id, rustix::process::Signal::INT).told("Ctrl-C")?;
        }
        // Its last events are read, so that it need not wait for a reader.
        while let Ok(Some(_)) = self.events.next_line().await {}
        let ended = self.child.wait().await.told("stackgen dev")?;
        Ok(ended.success())
    }
}
