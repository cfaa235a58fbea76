//! `stackgen probe`

mod actions;
mod human;
mod records;

use std::path::PathBuf;

use serde::Serialize;
use stackgen_gateway::FailureRecord;
use stackgen_probe::{
    BrowserView, ConnectError, Explanation, HandshakeOutcome, ProbeEvent, ProbeReport, explain,
    explain_with_records, run, run_and_record,
};

use crate::caller::{CallerArgs, CallerContext};
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::recording;
use crate::runtime::block_on;
use crate::signals::stop_requested;
use crate::stage_address::StageAddressArgs;
use crate::ui::Ui;

/// Connect to a WebSocket API as a caller, and explain what happens
///
/// Shows what browsers hide: status and body of a handshake that fails. Sends messages, waits for expected ones, measures
/// latency, and explains errors, close codes and silence: cause, evidence, next step, and rows of the API Gateway reference.
///
/// Tokens and keys are never shown. HTTPS_PROXY, HTTP_PROXY, NO_PROXY and AWS_CA_BUNDLE apply.
///
/// Exits with 0 if all expectations were met, with 3 if one was not, and with 1 if there was no answer.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ProbeCommand {
    #[command(flatten)]
    stage: StageAddressArgs,

    #[command(flatten)]
    caller: CallerArgs,

    #[command(flatten)]
    actions: actions::ActionArgs,

    /// Write a recording of the connection, for `stackgen replay`; tokens are left out
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "count",
        help_heading = "Output"
    )]
    record: Option<PathBuf>,

    /// Show what a page in a browser would see
    #[arg(long, help_heading = "Output")]
    browser: bool,
}

const EXAMPLES: &str = "\
Examples:
  stackgen probe wss://abc123.execute-api.eu-west-1.amazonaws.com/prod
  stackgen probe --env prod --as anonymous --expect-status 401
  stackgen probe --endpoint-url http://127.0.0.1:4510 --region us-east-1 --api chat-api-dev
  stackgen probe --local --as alice --send '{\"action\":\"ping\"}' --expect '{\"type\":\"pong\"}'
  stackgen probe wss://… --token-env TOKEN --token-in header --hold 11m --expect-close 1001
  stackgen probe --local --send @echo.json --count 1000 --concurrency 20
  stackgen probe --local --as ada --send '{\"action\":\"ping\"}' --record ping.jsonl";

/// Output of `--json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProbeOutput<'a> {
    #[serde(flatten)]
    report: &'a ProbeReport,
    passed: bool,
    browser: BrowserView,
    explanations: &'a [Explanation],
    /// Records of the local gateway.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    gateway: &'a [FailureRecord],
}

impl ProbeCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        block_on(self.probe(ui))
    }

    async fn probe(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        if let Some(path) = &self.record {
            recording::check_replaceable(path)?;
        }
        let local = self.stage.gateway().await?;
        let mut target = self.stage.target(local.as_ref(), ui).await?;
        target.timeout = self.actions.connect_timeout;
        let declared = self.stage.declared(local.as_ref(), ui)?;
        let known = CallerContext {
            local: local.as_ref(),
            declared,
        };
        let (target, caller) = self.caller.apply(target, &known, ui).await?;
        let plan = self.actions.plan(caller)?;
        ui.done(&human::opening(&target, &plan))?;
        let mut printed = Ok(());
        let mut print = |event: ProbeEvent<'_>| {
            if printed.is_ok() {
                printed = ui.done(&human::event(event));
            }
        };
        let interrupted = async {
            let _ = stop_requested().await;
        };
        let (report, recorded) = match &self.record {
            None => (run(&target, &plan, interrupted, &mut print).await, Ok(())),
            Some(path) => {
                let (report, recording) =
                    run_and_record(&target, &plan, interrupted, &mut print).await;
                (report, recording::write(path, &recording, ui))
            }
        };
        printed?;
        let mut explanations = explain(&report);
        let mut failures = Vec::new();
        if let (Some(local), false) = (&local, explanations.is_empty()) {
            failures = records::look_up(local, &report, target.secrets(), ui).await;
            let evidence: Vec<_> = failures.iter().map(records::as_evidence).collect();
            explanations = explain_with_records(&report, &evidence);
        }
        if ui.wants_json() {
            ui.json_result(&ProbeOutput {
                report: &report,
                passed: report.passed(),
                browser: report.browser(),
                explanations: &explanations,
                gateway: &failures,
            })?;
        } else {
            ui.print(&human::ending(&report, &explanations, self.browser))?;
        }
        // A file that cannot be written must not cost the result.
        recorded?;
        Ok(outcome(&report))
    }
}

fn outcome(report: &ProbeReport) -> CommandOutcome {
    match &report.outcome {
        HandshakeOutcome::Error(ConnectError::Interrupted) => CommandOutcome::Found,
        HandshakeOutcome::Error(_) => CommandOutcome::Failed,
        HandshakeOutcome::Handshake(_) if report.passed() => CommandOutcome::Done,
        HandshakeOutcome::Handshake(_) => CommandOutcome::Found,
    }
}
