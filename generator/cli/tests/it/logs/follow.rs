//! `stackgen logs --follow`: live tail of the emulator, polls, and the end by Ctrl-C.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Signal, kill_process};

use super::LoggedApi;
use crate::release::recorder::Recorder;

/// Longest wait for a line.
const PATIENCE: Duration = Duration::from_secs(60);

/// A command that follows.
pub(super) struct Follower {
    process: Child,
    lines: Receiver<String>,
}

impl Follower {
    fn start(logged: &LoggedApi, endpoint: &str, line: &str) -> Follower {
        Follower::spawn(logged.command(endpoint, &format!("--follow {line}")))
    }

    pub(super) fn spawn(mut command: Command) -> Follower {
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let stderr = BufReader::new(process.stderr.take().unwrap());
        let notes = sender.clone();
        std::thread::spawn(move || {
            stdout
                .lines()
                .for_each(|line| drop(sender.send(line.unwrap())))
        });
        std::thread::spawn(move || {
            stderr
                .lines()
                .for_each(|line| drop(notes.send(line.unwrap())))
        });
        Follower { process, lines }
    }

    /// Waits for a line with this text.
    pub(super) fn wait_for(&self, text: &str) -> String {
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => seen.push(line),
                Err(_) => panic!("no {text:?} in {seen:#?}"),
            }
        }
    }

    /// Presses Ctrl-C. Returns the exit code and the lines that were not read.
    pub(super) fn interrupt(mut self) -> (Option<i32>, Vec<String>) {
        let id = i32::try_from(self.process.id()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), Signal::INT).unwrap();
        let code = self.process.wait().unwrap().code();
        (code, self.lines.iter().collect())
    }
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

fn put(logged: &LoggedApi, texts: &[&str]) {
    let lines: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(number, text)| {
            let at = now() + i64::try_from(number).unwrap();
            let message = format!(
                r#"{{"level":"INFO","message":"{text}","connectionId":"C0000000000000="}}"#
            );
            ("connection", "e", at, message)
        })
        .collect();
    logged.put(&lines);
}

#[test]
fn live_tail_shows_earlier_and_new_lines_once_and_ends_with_ctrl_c() {
    let Some(logged) = LoggedApi::create() else {
        return;
    };
    put(&logged, &["before"]);
    let follower = Follower::start(&logged, &logged.emulator.url(), "--since 5m");
    follower.wait_for("in a session of live tail: $0.01 a minute");
    follower.wait_for("before");
    put(&logged, &["first", "second"]);
    let line = follower.wait_for("first");
    assert!(
        line.contains("chat-connection") && line.contains("C0000000000000="),
        "{line}"
    );
    follower.wait_for("second");
    put(&logged, &["third"]);
    follower.wait_for("third");
    let (code, rest) = follower.interrupt();
    assert_eq!(code, Some(0), "{rest:?}");
    assert!(
        rest.iter().all(|line| !line.contains("INFO")),
        "shown twice: {rest:?}"
    );
    assert!(
        rest.iter().any(|line| line.starts_with("live tail: ")),
        "{rest:?}"
    );
}

#[test]
fn without_permission_for_live_tail_the_groups_are_polled() {
    let Some(logged) = LoggedApi::create() else {
        return;
    };
    let address = logged.emulator.url();
    let recorder = Recorder::start(address.trim_start_matches("http://").parse().unwrap());
    recorder.deny(Some("logs:StartLiveTail "));
    let follower = Follower::start(&logged, &recorder.url(), "--since 5m --json --verbose");
    put(&logged, &["polled"]);
    let line = follower.wait_for("polled");
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["connectionId"], "C0000000000000=");
    put(&logged, &["again"]);
    follower.wait_for("again");
    let (code, rest) = follower.interrupt();
    assert_eq!(code, Some(0), "{rest:?}");
    assert!(
        rest.iter().all(|line| !line.contains("\"message\"")),
        "shown twice: {rest:?}"
    );
    let human = Follower::start(&logged, &recorder.url(), "--since 5m");
    human.wait_for("needs logs:StartLiveTail");
    assert_eq!(human.interrupt().0, Some(0));
    let wanted = Follower::start(
        &logged,
        &logged.emulator.url(),
        "--no-live-tail --connection C0000000000000=",
    );
    wanted.wait_for("by polls of FilterLogEvents");
    wanted.wait_for("again");
    assert_eq!(wanted.interrupt().0, Some(0));
}
