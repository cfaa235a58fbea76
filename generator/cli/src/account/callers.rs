//! The callers that a stage is verified with, and trying it as each of them.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use clap::Args;
use stackgen_deploy::{Caller, Handshake, Protocol, RetryPolicy, Verification, Verify};
use stackgen_probe::{
    ClientClose, ClientConnection, Expectation, Incoming, ProbeTarget, connect, request_status,
};
use stackgen_synth::spec::{VerifyApi, VerifyCaller, VerifyValue};
use tokio::process::Command;
use tokio::time::{Instant, timeout};

use super::Goal;
use crate::args::duration;
use crate::error::CliError;
use crate::report::reason;

/// The longest time for one handshake: an integration has 29 s (row C8).
const HANDSHAKE: Duration = Duration::from_secs(35);

/// The longest time until an expected message comes.
const MESSAGE: Duration = Duration::from_secs(10);

/// The longest time for a command that prints a value.
const COMMAND: Duration = Duration::from_secs(30);

/// The name of the caller that flags declare.
const FLAGS: &str = "flags";

/// How a stage is verified.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Verification")]
pub(crate) struct VerifyArgs {
    /// Do not try the stage; the deployment is not recorded as verified
    #[arg(long)]
    no_verify: bool,

    /// How long bad answers are tolerated after a move [default: 20s; 5s for an endpoint on this machine]
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with = "no_verify")]
    verify_timeout: Option<Duration>,

    /// A further handshake status that counts as the expected answer
    #[arg(
        long = "expect-status",
        value_name = "STATUS",
        value_parser = clap::value_parser!(u16).range(100..600),
        conflicts_with = "no_verify"
    )]
    expect: Vec<u16>,

    /// Query parameter of a caller: NAME=env:VARIABLE, NAME=command:LINE or NAME=text:VALUE
    #[arg(long, value_name = "NAME=VALUE", value_parser = named, conflicts_with = "no_verify")]
    verify_query: Vec<(String, VerifyValue)>,

    /// Header of a caller, in the same form
    #[arg(long, value_name = "NAME=VALUE", value_parser = named, conflicts_with = "no_verify")]
    verify_header: Vec<(String, VerifyValue)>,

    /// Subprotocol that a caller offers: env:VARIABLE, command:LINE or text:VALUE
    #[arg(long, value_name = "VALUE", value_parser = value, conflicts_with = "no_verify")]
    verify_subprotocol: Vec<VerifyValue>,

    /// Message to send once connected
    #[arg(long, value_name = "TEXT", conflicts_with = "no_verify")]
    verify_send: Option<String>,

    /// Message that must arrive: a part of its text, or a JSON document that it must contain
    #[arg(long, value_name = "TEXT", conflicts_with = "no_verify")]
    verify_expect: Option<String>,

    /// Record the trial in the description of a deployment that CloudFormation made, too
    #[arg(long, conflicts_with = "no_verify")]
    pub(crate) mark: bool,
}

fn value(text: &str) -> Result<VerifyValue, String> {
    VerifyValue::parse(text).map_err(|error| {
        format!("{error}; a secret in an argument would be in the list of processes")
    })
}

fn named(text: &str) -> Result<(String, VerifyValue), String> {
    let (name, text) = text.split_once('=').ok_or("it is NAME=VALUE")?;
    Ok((name.to_owned(), value(text)?))
}

impl VerifyArgs {
    /// True if any of the flags is given.
    pub(crate) fn is_given(&self) -> bool {
        self.no_verify
            || self.mark
            || self.verify_timeout.is_some()
            || !self.expect.is_empty()
            || self.flags_caller().is_some()
    }

    /// Sets the time for trying.
    pub(crate) fn apply(&self, retry: &mut RetryPolicy) {
        if let Some(window) = self.verify_timeout {
            retry.tries.window = window;
        }
    }

    /// Returns a verification for a dry run, which needs no values of callers.
    pub(crate) fn planned(&self) -> Option<Verification> {
        (!self.no_verify).then(Verification::default)
    }

    /// Finds the values of all callers of an API: those that the stack declares, and the one of the flags. Returns `None`
    /// for the verification if the stage is not to be tried.
    ///
    /// # Errors
    ///
    /// If a variable is not set, or a command fails.
    pub(crate) async fn callers(
        &self,
        goal: &Goal,
        protocol: Protocol,
    ) -> Result<(Option<Verification>, StageCallers), CliError> {
        if self.no_verify {
            return Ok((None, StageCallers::default()));
        }
        let api = match protocol {
            Protocol::WebSocket => VerifyApi::WebSocket,
            Protocol::Http => VerifyApi::Http,
        };
        let from_flags = self.flags_caller().map(|caller| (FLAGS.to_owned(), caller));
        let declared = goal.callers.iter().cloned();
        let of_api = declared
            .filter(|(_, caller)| caller.api == api)
            .chain(from_flags.filter(|_| api == VerifyApi::WebSocket));
        let mut callers = StageCallers::default();
        for (name, caller) in of_api {
            callers
                .0
                .push(StageCaller::prepare(name, caller, &goal.folder).await?);
        }
        let verification = Verification {
            callers: callers.0.iter().map(|one| one.caller.clone()).collect(),
            also: self.expect.clone(),
        };
        Ok((Some(verification), callers))
    }

    fn flags_caller(&self) -> Option<VerifyCaller> {
        let caller = VerifyCaller {
            query: self.verify_query.iter().cloned().collect(),
            headers: self.verify_header.iter().cloned().collect(),
            subprotocols: self.verify_subprotocol.clone(),
            send: self.verify_send.clone(),
            expect: self.verify_expect.clone(),
            ..VerifyCaller::default()
        };
        (caller != VerifyCaller::default()).then_some(caller)
    }
}

/// The callers of a stage, with their values. It has no `Debug`: the values may be secret.
#[derive(Default)]
pub(crate) struct StageCallers(Vec<StageCaller>);

struct StageCaller {
    caller: Caller,
    declared: VerifyCaller,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    subprotocols: Vec<String>,
}

impl StageCaller {
    async fn prepare(
        name: String,
        declared: VerifyCaller,
        folder: &Path,
    ) -> Result<Self, CliError> {
        let mut query = Vec::new();
        for (key, value) in &declared.query {
            query.push((key.clone(), resolve(&name, value, folder).await?));
        }
        let mut headers = Vec::new();
        for (key, value) in &declared.headers {
            headers.push((key.clone(), resolve(&name, value, folder).await?));
        }
        let mut subprotocols = Vec::new();
        for value in &declared.subprotocols {
            subprotocols.push(resolve(&name, value, folder).await?);
        }
        let values = declared.query.values().chain(declared.headers.values());
        let mut values = values.chain(&declared.subprotocols);
        let status = match declared.api {
            VerifyApi::WebSocket => declared.status,
            VerifyApi::Http => Some(declared.expected_status()),
        };
        let caller = Caller {
            name,
            has_credentials: values.any(|value| !matches!(value, VerifyValue::Text(_))),
            status,
            path: None,
        };
        Ok(StageCaller {
            caller,
            declared,
            query,
            headers,
            subprotocols,
        })
    }
}

/// Finds a value. Errors name the caller and where its value comes from, and never the value.
async fn resolve(caller: &str, value: &VerifyValue, folder: &Path) -> Result<String, CliError> {
    let failed = |what: String| {
        CliError::input(format!("caller {caller} cannot be tried: {what}"))
            .hint("`--no-verify` goes on without trying")
    };
    let found = match value {
        VerifyValue::Text(text) => return Ok(text.clone()),
        VerifyValue::Environment(variable) => std::env::var(variable)
            .ok()
            .filter(|value| !value.is_empty())
            .ok_or_else(|| failed(format!("the environment variable {variable} is not set")))?,
        VerifyValue::Command(line) => {
            let mut command = Command::new("sh");
            command.args(["-c", line]).current_dir(folder);
            command.stdin(Stdio::null()).kill_on_drop(true);
            let output = timeout(COMMAND, command.output()).await;
            let output = output
                .map_err(|_| failed(format!("its command takes over {} s", COMMAND.as_secs())))?
                .map_err(|error| failed(format!("its command does not run: {}", reason(&error))))?;
            if !output.status.success() {
                return Err(failed(format!("its command ended with {}", output.status)));
            }
            let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            match text.is_empty() {
                true => return Err(failed("its command prints nothing".to_owned())),
                false => text,
            }
        }
    };
    match found.contains(char::is_control) {
        true => Err(failed("its value has control characters".to_owned())),
        false => Ok(found),
    }
}

impl Verify for StageCallers {
    async fn attempt(&self, url: &str, protocol: Protocol, caller: &Caller) -> Handshake {
        let known = self.0.iter().find(|one| one.caller.name == caller.name);
        let answer = match protocol {
            Protocol::WebSocket => handshake(url, known).await,
            Protocol::Http => answered(url, caller, known).await,
        };
        answer.unwrap_or_else(Handshake::Unanswered)
    }
}

/// The target with everything that the caller sends.
fn target(url: &str, caller: Option<&StageCaller>) -> Result<ProbeTarget, String> {
    let mut target = ProbeTarget::new(url).map_err(|error| error.to_string())?;
    target.timeout = HANDSHAKE;
    let Some(caller) = caller else {
        return Ok(target);
    };
    for (name, value) in &caller.query {
        target = target.query(name, value);
    }
    for (name, value) in &caller.headers {
        target = target
            .header(name, value)
            .map_err(|error| error.to_string())?;
    }
    for subprotocol in &caller.subprotocols {
        target = target
            .subprotocol(subprotocol)
            .map_err(|error| error.to_string())?;
    }
    Ok(target)
}

async fn handshake(url: &str, caller: Option<&StageCaller>) -> Result<Handshake, String> {
    let target = target(url, caller)?;
    let attempt = connect(&target).await.map_err(|error| error.to_string())?;
    let status = attempt.handshake.status;
    let Some(mut connection) = attempt.connection else {
        return match status {
            101 => Err("101, but it breaks the WebSocket protocol".to_owned()),
            status => Ok(Handshake::Answered(status)),
        };
    };
    let exchanged = match caller {
        Some(caller) => exchange(&mut connection, &caller.declared).await,
        None => Ok(()),
    };
    connection.close(&ClientClose::NORMAL).await;
    Ok(match exchanged {
        Ok(()) => Handshake::Answered(status),
        Err(unmet) => Handshake::Unmet(unmet),
    })
}

/// Sends and waits for what the caller declares. Errors repeat no message.
async fn exchange(connection: &mut ClientConnection, caller: &VerifyCaller) -> Result<(), String> {
    let closed = |code: u16| format!("a WebSocket was opened and closed again ({code})");
    if let Some(message) = &caller.send {
        let sent = connection.send(message).await;
        sent.map_err(|close| closed(close.code))?;
    }
    let Some(expected) = caller.expect.as_deref().map(Expectation::parse) else {
        return Ok(());
    };
    let deadline = Instant::now() + MESSAGE;
    loop {
        match connection.receive(deadline).await {
            Incoming::Text(text) if expected.matches(text.as_str()) => return Ok(()),
            Incoming::Closed(close) => return Err(closed(close.code)),
            Incoming::Nothing => {
                let waited = MESSAGE.as_secs();
                return Err(format!(
                    "a WebSocket was opened, and the expected message did not come within {waited} s"
                ));
            }
            _ => {}
        }
    }
}

async fn answered(
    url: &str,
    caller: &Caller,
    known: Option<&StageCaller>,
) -> Result<Handshake, String> {
    let path = match known {
        Some(known) => known.declared.path(),
        None => caller.path.as_deref().unwrap_or("/"),
    };
    let target = target(&format!("{}{path}", url.trim_end_matches('/')), known)?;
    let method = known.map_or("GET", |known| known.declared.method());
    let status = request_status(&target, method).await;
    status
        .map(Handshake::Answered)
        .map_err(|error| error.to_string())
}
