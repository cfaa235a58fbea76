//! `stackgen replay`

mod callers;
mod human;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use stackgen_probe::{
    EventResult, ProbeTarget, RecordedAction, Recording, ReplayPlan, ReplayReport,
    ReplayedConnection, replay,
};

use crate::error::CliError;
use crate::local::LocalGateway;
use crate::outcome::CommandOutcome;
use crate::own_gateway::OwnGateway;
use crate::recording;
use crate::runtime::run_on_all_processors;
use crate::signals::stop_requested;
use crate::source::SourceArgs;
use crate::stage_address::StageAddressArgs;
use crate::template;
use crate::ui::Ui;
use crate::values::duration;
use crate::write;
use callers::{LocalStages, ReplayCallerArgs};

/// Play a recording again, and compare what the clients see
///
/// Opens the recorded connections, sends their messages in the recorded order, and compares the statuses of handshakes, the
/// messages that arrive, their order on each connection, and close codes. Without a target, it runs the project on a local
/// gateway of its own, with empty tables.
///
/// Placeholders in a recording stand for values that differ from run to run: `<id-1>` is the same ID everywhere, and `<id>`,
/// `<time>`, `<number>`, `<string>` and `<any>` match any value of their kind. Tokens are not recorded: the local gateway
/// creates one for each caller, and for other targets you give them.
///
/// Exits with 0 if everything is as recorded, with 3 if something differs, and with 1 if there was no answer.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReplayCommand {
    /// Recording of `stackgen dev --record` or `stackgen probe --record`
    #[arg(value_name = "RECORDING")]
    recording: PathBuf,

    #[command(flatten)]
    stage: StageAddressArgs,

    #[command(flatten)]
    callers: ReplayCallerArgs,

    /// Longest wait for a message or a close, in addition to the recorded pause
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration, help_heading = "Comparison")]
    timeout: Duration,

    /// Accept messages of a connection in any order
    #[arg(long, help_heading = "Comparison")]
    any_order: bool,

    /// Replace the recording by what happens now; what is the same keeps its placeholders
    #[arg(long, help_heading = "Comparison")]
    update: bool,

    /// Send messages after the recorded pauses (default: as soon as the messages before them arrived)
    #[arg(long, help_heading = "Connection")]
    paced: bool,

    /// Run functions as they were built before
    #[arg(long, help_heading = "Functions")]
    no_build: bool,
}

const EXAMPLES: &str = "\
Examples:
  stackgen replay recordings/chat.jsonl
  stackgen replay recordings/chat.jsonl --update
  stackgen replay recordings/chat.jsonl --env dev --caller ada=ADA_TOKEN
  stackgen replay session.jsonl wss://abc123.execute-api.eu-west-1.amazonaws.com/prod --token-env TOKEN";

/// Output of `--json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReplayOutput<'a> {
    recording: String,
    same: bool,
    updated: bool,
    #[serde(flatten)]
    report: &'a ReplayReport,
}

impl ReplayCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        run_on_all_processors(self.replay(ui))?
    }

    async fn replay(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let recording = recording::read(&self.recording)?;
        if self.stage.is_given() {
            let local = self.stage.gateway().await?;
            return match &local {
                Some(local) => {
                    let stages = self.running_stages(local, ui).await?;
                    self.replay_local(recording, &stages, ui).await
                }
                None => {
                    let target = self.stage.target(None, ui).await?;
                    let plan = self.plan_for(recording, &target)?;
                    self.play(&plan, ui).await
                }
            };
        }
        self.require_project()?;
        let source = self.source();
        let starting = OwnGateway::start(&source, ui);
        let own = tokio::select! {
            own = starting => own?,
            _ = stop_requested() => return Ok(CommandOutcome::Found),
        };
        let stages = LocalStages {
            state: &own.state,
            remote: own.remote(),
            selected: None,
        };
        let outcome = self.replay_local(recording, &stages, ui).await;
        own.shutdown().await;
        outcome
    }

    async fn running_stages<'l>(
        &self,
        local: &'l LocalGateway,
        ui: &Ui,
    ) -> Result<LocalStages<'l>, CliError> {
        let selected = match self.stage.names_a_stage() {
            true => Some(self.stage.address(Some(local), ui).await?.url),
            false => None,
        };
        Ok(LocalStages {
            state: &local.state,
            remote: local.remote(),
            selected,
        })
    }

    async fn replay_local(
        &self,
        recording: Recording,
        stages: &LocalStages<'_>,
        ui: &Ui,
    ) -> Result<CommandOutcome, CliError> {
        let secrets = self.callers.secrets(&recording)?;
        let callers = self.callers.local(&recording, stages, &secrets).await?;
        let plan = self.plan(recording, callers, secrets);
        self.play(&plan, ui).await
    }

    fn plan_for(&self, recording: Recording, target: &ProbeTarget) -> Result<ReplayPlan, CliError> {
        let secrets = self.callers.secrets(&recording)?;
        let callers = self.callers.remote(&recording, target, &secrets)?;
        Ok(self.plan(recording, callers, secrets))
    }

    fn plan(
        &self,
        recording: Recording,
        callers: BTreeMap<u32, stackgen_probe::ReplayCaller>,
        secrets: BTreeMap<u32, stackgen_probe::Secret>,
    ) -> ReplayPlan {
        ReplayPlan {
            recording,
            callers,
            secrets,
            timeout: self.timeout,
            paced: self.paced,
            any_order: self.any_order,
        }
    }

    async fn play(&self, plan: &ReplayPlan, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let stopped = async {
            let _ = stop_requested().await;
        };
        let mut on_event = |connection, event: &_| {
            ui.detail(|| human::event_line(connection, event));
        };
        let report = replay(plan, stopped, &mut on_event).await;
        let unanswered = unanswered(&report);
        let updates = self.update && !report.interrupted && unanswered.is_empty();
        // A file that cannot be written must not cost the result.
        let saved = match updates && !report.is_same() {
            true => {
                let file = (self.recording.clone(), report.updated.to_text());
                write::write_all(&[file]).map(|_| !report.updated.lines.is_empty())
            }
            false => Ok(false),
        };
        let written = matches!(saved, Ok(true));
        if ui.wants_json() {
            ui.json_result(&ReplayOutput {
                recording: self.recording.display().to_string(),
                same: report.is_same(),
                updated: written,
                report: &report,
            })?;
        } else {
            ui.print(&human::report(&self.recording, &report, written))?;
        }
        saved?;
        if self.update && !report.interrupted && !unanswered.is_empty() {
            // What is missing may only have failed this time.
            let (recording, which) = (self.recording.display(), human::numbers(&unanswered));
            ui.note(
                &format!("{recording} was not updated, because {which} had no answer"),
                None,
            );
            return Ok(CommandOutcome::Failed);
        }
        Ok(match (report.is_same() || updates, has_answer(&report)) {
            (true, _) => CommandOutcome::Done,
            (false, true) => CommandOutcome::Found,
            (false, false) => CommandOutcome::Failed,
        })
    }

    fn require_project(&self) -> Result<(), CliError> {
        match self.stage.file.exists() {
            true => Ok(()),
            false => Err(CliError::input(format!(
                "there is no {} to run, and no target is given",
                self.stage.file.display()
            ))
            .hint("name the project with `--file`, or give a URL, `--local` or `--env`")),
        }
    }

    /// Returns what the command's own gateway runs.
    fn source(&self) -> SourceArgs {
        let file = &self.stage.file;
        SourceArgs {
            template: template::is_template(file).then(|| file.clone()),
            stack: None,
            file: file.clone(),
            environment: None,
            parameters: Vec::new(),
            release: false,
            no_build: self.no_build,
        }
    }
}

/// Returns true if a handshake was answered, or the recording has none.
fn has_answer(report: &ReplayReport) -> bool {
    report.interrupted
        || report.connections.is_empty()
        || report.connections.iter().any(is_answered)
}

/// Returns the numbers of the connections whose handshakes were not answered.
fn unanswered(report: &ReplayReport) -> Vec<u32> {
    let connections = report.connections.iter();
    connections
        .filter(|connection| !is_answered(connection))
        .map(|connection| connection.connection)
        .collect()
}

fn is_answered(connection: &ReplayedConnection) -> bool {
    connection.events.iter().any(|event| {
        let is_open = matches!(event.action, RecordedAction::Open(_));
        is_open && event.result != EventResult::Missing
    })
}
