//! Callers that verify a stage, and their handshakes.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use clap::Args;
use stackgen_deploy::{
    ApiProtocol, CallerProfile, HandshakeAnswer, RetryPolicy, StageClient, VerifyRequest,
};
use stackgen_network::NetworkOptions;
use stackgen_probe::{
    ClientClose, ClientConnection, Expectation, Incoming, ProbeTarget, connect, request_status,
};
use stackgen_synth::spec::{VerifyApi, VerifyCallerSpec, VerifyValue};
use tokio::process::Command;
use tokio::time::{Instant, timeout};

use super::target::StageTarget;
use crate::error::{CliError, reason};
use crate::values::duration;

/// Timeout of a handshake: an integration has 29 s (row C8).
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(35);

/// Longest wait for an expected message.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);

/// Timeout of a command that prints a value.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// Name of the caller that flags declare.
const FLAGS_CALLER: &str = "flags";

/// Flags of verification.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Verification")]
pub(crate) struct VerifyArgs {
    /// Skip verification; the deployment is not recorded as verified
    #[arg(long)]
    no_verify: bool,

    /// Longest wait for the expected answer after a move (default: 20s; 5s for an endpoint on this machine)
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with = "no_verify")]
    verify_timeout: Option<Duration>,

    /// Further handshake status to accept as an answer of `$connect`, besides 101; repeatable
    #[arg(
        long = "expect-status",
        value_name = "STATUS",
        value_parser = clap::value_parser!(u16).range(100..600),
        conflicts_with = "no_verify"
    )]
    expect: Vec<u16>,

    /// Query parameter of an additional caller: NAME=env:VARIABLE, NAME=command:LINE or NAME=text:VALUE
    #[arg(long, value_name = "NAME=VALUE", value_parser = named_caller_value, conflicts_with = "no_verify")]
    verify_query: Vec<(String, VerifyValue)>,

    /// Header of the additional caller, in the same form
    #[arg(long, value_name = "NAME=VALUE", value_parser = named_caller_value, conflicts_with = "no_verify")]
    verify_header: Vec<(String, VerifyValue)>,

    /// Subprotocol that the additional caller offers: env:VARIABLE, command:LINE or text:VALUE
    #[arg(long, value_name = "VALUE", value_parser = caller_value, conflicts_with = "no_verify")]
    verify_subprotocol: Vec<VerifyValue>,

    /// Message to send once connected
    #[arg(long, value_name = "TEXT", conflicts_with = "no_verify")]
    verify_send: Option<String>,

    /// Message to wait for: part of its text, or a JSON document that it must contain
    #[arg(long, value_name = "TEXT", conflicts_with = "no_verify")]
    verify_expect: Option<String>,

    /// Also record the result on a deployment that CloudFormation created; deploys of stackgen.yaml always do
    #[arg(long, conflicts_with = "no_verify")]
    pub(crate) mark: bool,
}

pub(super) fn caller_value(text: &str) -> Result<VerifyValue, String> {
    VerifyValue::parse(text).map_err(|error| {
        format!("{error}; a secret in an argument would be in the list of processes")
    })
}

pub(super) fn named_caller_value(text: &str) -> Result<(String, VerifyValue), String> {
    let (name, text) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), caller_value(text)?))
}

impl VerifyArgs {
    /// Returns true if a flag is given.
    pub(crate) fn is_given(&self) -> bool {
        self.no_verify
            || self.mark
            || self.verify_timeout.is_some()
            || !self.expect.is_empty()
            || self.flags_caller().is_some()
    }

    /// Sets the time limit of verification.
    pub(crate) fn apply(&self, retry: &mut RetryPolicy) {
        if let Some(timeout) = self.verify_timeout {
            retry.verify.timeout = timeout;
        }
    }

    /// Returns the verification of a dry run, which needs no values of callers.
    pub(crate) fn planned(&self) -> Option<VerifyRequest> {
        (!self.no_verify).then(VerifyRequest::default)
    }

    /// Resolves the values of an API's callers: those that the stack declares, and the one of the flags. The verification is
    /// `None` with `--no-verify`.
    ///
    /// # Errors
    ///
    /// If a variable is not set, or a command fails.
    pub(crate) async fn callers(
        &self,
        target: &StageTarget,
        protocol: ApiProtocol,
        network: &NetworkOptions,
    ) -> Result<(Option<VerifyRequest>, StageCallers), CliError> {
        if self.no_verify {
            return Ok((None, StageCallers::default()));
        }
        let api = match protocol {
            ApiProtocol::WebSocket => VerifyApi::WebSocket,
            ApiProtocol::Http => VerifyApi::Http,
        };
        let from_flags = self
            .flags_caller()
            .map(|caller| (FLAGS_CALLER.to_owned(), caller));
        let declared = target.callers.iter().cloned();
        let of_api = declared
            .filter(|(_, caller)| caller.api == api)
            .chain(from_flags.filter(|_| api == VerifyApi::WebSocket));
        let mut callers = Vec::new();
        for (name, caller) in of_api {
            callers.push(StageCaller::prepare(name, caller, &target.folder).await?);
        }
        let verification = VerifyRequest {
            callers: callers.iter().map(|one| one.caller.clone()).collect(),
            accepted: self.expect.clone(),
        };
        let network = network.clone();
        Ok((Some(verification), StageCallers { callers, network }))
    }

    fn flags_caller(&self) -> Option<VerifyCallerSpec> {
        let caller = VerifyCallerSpec {
            query: self.verify_query.iter().cloned().collect(),
            headers: self.verify_header.iter().cloned().collect(),
            subprotocols: self.verify_subprotocol.clone(),
            send: self.verify_send.clone(),
            expect: self.verify_expect.clone(),
            ..VerifyCallerSpec::default()
        };
        (caller != VerifyCallerSpec::default()).then_some(caller)
    }
}

impl StageCallers {
    /// Resolves the values of the callers that a project declares for its WebSocket API. Callers without a value, because a
    /// variable is not set or a command fails, are left out, with the reason.
    pub(crate) async fn declared(
        target: &StageTarget,
        network: &NetworkOptions,
    ) -> (VerifyRequest, StageCallers, Vec<CliError>) {
        let (mut callers, mut problems) = (Vec::new(), Vec::new());
        for (name, caller) in &target.callers {
            if caller.api != VerifyApi::WebSocket {
                continue;
            }
            match StageCaller::prepare(name.clone(), caller.clone(), &target.folder).await {
                Ok(caller) => callers.push(caller),
                Err(problem) => problems.push(problem),
            }
        }
        let request = VerifyRequest {
            callers: callers.iter().map(|one| one.caller.clone()).collect(),
            accepted: Vec::new(),
        };
        let network = network.clone();
        (request, StageCallers { callers, network }, problems)
    }
}

/// Callers of a stage, with their values. They have no `Debug`, because values may be secret.
#[derive(Default)]
pub(crate) struct StageCallers {
    callers: Vec<StageCaller>,
    network: NetworkOptions,
}

/// A caller, with its values.
pub(super) struct StageCaller {
    caller: CallerProfile,
    declared: VerifyCallerSpec,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    subprotocols: Vec<String>,
}

impl StageCaller {
    /// Resolves the values of a caller.
    pub(super) async fn prepare(
        name: String,
        declared: VerifyCallerSpec,
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
        let caller = CallerProfile {
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

/// Resolves a value. Errors name the caller and the source of the value, but never the value.
async fn resolve(caller: &str, value: &VerifyValue, folder: &Path) -> Result<String, CliError> {
    let failed = |reason: String| {
        CliError::input(format!("cannot verify as caller {caller}: {reason}"))
            .hint("skip verification with `--no-verify`")
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
            let output = timeout(COMMAND_TIMEOUT, command.output()).await;
            let output = output
                .map_err(|_| {
                    failed(format!(
                        "its command took more than {} s",
                        COMMAND_TIMEOUT.as_secs()
                    ))
                })?
                .map_err(|error| {
                    failed(format!("its command cannot be run: {}", reason(&error)))
                })?;
            if !output.status.success() {
                return Err(failed(format!("its command ended with {}", output.status)));
            }
            let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            match text.is_empty() {
                true => return Err(failed("its command printed nothing".to_owned())),
                false => text,
            }
        }
    };
    match found.contains(char::is_control) {
        true => Err(failed("its value contains control characters".to_owned())),
        false => Ok(found),
    }
}

impl StageClient for StageCallers {
    async fn attempt(
        &self,
        url: &str,
        protocol: ApiProtocol,
        caller: &CallerProfile,
    ) -> HandshakeAnswer {
        let mut callers = self.callers.iter();
        let known = callers.find(|one| one.caller.name == caller.name);
        let answer = match protocol {
            ApiProtocol::WebSocket => handshake(url, known, &self.network).await,
            ApiProtocol::Http => http_status(url, caller, known, &self.network).await,
        };
        answer.unwrap_or_else(HandshakeAnswer::Unanswered)
    }
}

/// Returns the URL with all that the caller sends.
pub(super) fn caller_target(
    url: &str,
    caller: Option<&StageCaller>,
    network: &NetworkOptions,
) -> Result<ProbeTarget, String> {
    let target = ProbeTarget::new(url).map_err(|error| error.to_string())?;
    let target = target.network(network);
    let mut target = target.map_err(|error| error.to_string())?;
    target.timeout = HANDSHAKE_TIMEOUT;
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

async fn handshake(
    url: &str,
    caller: Option<&StageCaller>,
    network: &NetworkOptions,
) -> Result<HandshakeAnswer, String> {
    let target = caller_target(url, caller, network)?;
    let attempt = connect(&target).await.map_err(|error| error.to_string())?;
    let status = attempt.handshake.status;
    let Some(mut connection) = attempt.connection else {
        return match status {
            101 => Err("101 with an answer that violates the WebSocket protocol".to_owned()),
            status => Ok(HandshakeAnswer::Answered(status)),
        };
    };
    let exchanged = match caller {
        Some(caller) => exchange(&mut connection, &caller.declared).await,
        None => Ok(()),
    };
    connection.close(&ClientClose::NORMAL).await;
    Ok(match exchanged {
        Ok(()) => HandshakeAnswer::Answered(status),
        Err(unmet) => HandshakeAnswer::Unmet(unmet),
    })
}

/// Sends and awaits the messages that the caller declares. Errors never contain a message.
async fn exchange(
    connection: &mut ClientConnection,
    caller: &VerifyCallerSpec,
) -> Result<(), String> {
    let closed = |code: u16| format!("a WebSocket was opened and closed again ({code})");
    if let Some(message) = &caller.send {
        let sent = connection.send(message).await;
        sent.map_err(|close| closed(close.code))?;
    }
    let Some(expected) = caller.expect.as_deref().map(Expectation::parse) else {
        return Ok(());
    };
    let deadline = Instant::now() + MESSAGE_TIMEOUT;
    loop {
        match connection.receive(deadline).await {
            Incoming::Text(text) if expected.matches(text.as_str()) => return Ok(()),
            Incoming::Closed(close) => return Err(closed(close.code)),
            Incoming::Nothing => {
                let waited = MESSAGE_TIMEOUT.as_secs();
                return Err(format!(
                    "a WebSocket was opened, but the expected message did not arrive within {waited} s"
                ));
            }
            _ => {}
        }
    }
}

async fn http_status(
    url: &str,
    caller: &CallerProfile,
    known: Option<&StageCaller>,
    network: &NetworkOptions,
) -> Result<HandshakeAnswer, String> {
    let path = match known {
        Some(known) => known.declared.path(),
        None => caller.path.as_deref().unwrap_or("/"),
    };
    let url = format!("{}{path}", url.trim_end_matches('/'));
    let target = caller_target(&url, known, network)?;
    let method = known.map_or("GET", |known| known.declared.method());
    let status = request_status(&target, method).await;
    status
        .map(HandshakeAnswer::Answered)
        .map_err(|error| error.to_string())
}
