//! `stackgen load`

mod args;
mod files;
mod html;
mod human;
mod live;
mod messages;
mod project;
mod quota;
mod targets;

use std::path::PathBuf;

use serde::Serialize;
use stackgen_probe::{LoadTestPlan, LoadTestReport, run_load};

use crate::caller::CallerArgs;
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::runtime::run_on_all_processors;
use crate::signals::stop_requested;
use crate::stage_address::StageAddressArgs;
use crate::text::counted;
use crate::ui::Ui;
use crate::write;
use args::{MessageArgs, ReportFileArgs, ShapeArgs};
use live::LiveLoad;
use project::LoadProject;
use targets::ManyCallersArgs;

/// Put load on a WebSocket API, and report latency, losses, refusals and closes
///
/// Opens connections at a steady rate, sends messages by their weights, and measures the time from each message to its answer.
/// `<number>` in a message becomes a number by which the answer is recognized: then lost and reordered messages are known.
/// Senders, listeners, rate, size and route come from `load` in stackgen.yaml, as for `stackgen cost`; flags replace them.
///
/// A load of an account is held to the quota of 500 new connections per second, and asks first, with an estimate of its price.
/// Ctrl-C ends the load early, with a report.
///
/// Exits with 0 if all connections stayed open and all messages were answered, with 3 if not, and with 1 if no connection opened.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LoadCommand {
    #[command(flatten)]
    stage: StageAddressArgs,

    #[command(flatten)]
    shape: ShapeArgs,

    #[command(flatten)]
    messages: MessageArgs,

    #[command(flatten)]
    caller: CallerArgs,

    #[command(flatten)]
    many: ManyCallersArgs,

    #[command(flatten)]
    output: ReportFileArgs,

    /// Start a load of an account without asking
    #[arg(long, help_heading = "Account")]
    yes: bool,

    /// Open connections of an account faster than its quota of new connections
    #[arg(long, help_heading = "Account")]
    over_quota: bool,
}

const EXAMPLES: &str = "\
Examples:
  stackgen load --local --connections 1000 --send '{\"action\":\"ping\",\"n\":<number>}'
  stackgen load --local --route 3=sendMessage --route joinRoom --callers 50 --think 1s
  stackgen load --local --connections 100 --think 0s --send hello --html load.html
  stackgen load --env dev --duration 2m --yes
  stackgen load wss://abc123.execute-api.eu-west-1.amazonaws.com/prod --token-env TOKEN --send @ping.json";

/// Output of `--json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoadOutput<'a> {
    clean: bool,
    notes: Vec<String>,
    #[serde(flatten)]
    report: &'a LoadTestReport,
}

impl LoadCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        run_on_all_processors(self.load(ui))?
    }

    async fn load(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let local = self.stage.gateway().await?;
        let project = LoadProject::read(&self.stage, local.as_ref(), ui)?;
        let messages = self.messages.messages(&project.messages)?;
        let mut shape = self.shape.shape(project.load.as_ref());
        let target = self.stage.target(local.as_ref(), ui).await?;
        let is_account = !target.is_on_this_machine();
        if is_account {
            quota::hold_ramp(&mut shape, self.over_quota, ui);
        }
        let declared = self.stage.declared(local.as_ref(), ui)?;
        let targets = self
            .many
            .targets(&self.caller, target.clone(), local.as_ref(), declared, ui);
        let plan = LoadTestPlan {
            targets: targets.await?,
            senders: shape.senders,
            listeners: shape.listeners,
            ramp: shape.ramp,
            duration: self.shape.duration,
            messages,
            pacing: shape.pacing,
            in_flight: shape.in_flight,
            timeout: self.messages.timeout,
        };
        files::raise_limit(plan.connections(), ui)?;
        if is_account && !quota::is_confirmed(&plan, &project, &target, self.yes, ui).await? {
            ui.aside("not started");
            return Ok(CommandOutcome::Found);
        }
        let report = self.run_plan(plan, ui).await;
        // Before the files: a file that cannot be written must not cost the result, nor a closed output the files.
        let printed = match ui.wants_json() {
            true => ui.json_result(&output(&report)),
            false => ui.print(&human::report(&report)),
        };
        self.write_files(&report, ui)?;
        printed?;
        Ok(
            match (report.opened, report.is_clean() && !report.interrupted) {
                (0, _) if !report.interrupted => CommandOutcome::Failed,
                (_, true) => CommandOutcome::Done,
                (_, false) => CommandOutcome::Found,
            },
        )
    }

    async fn run_plan(&self, plan: LoadTestPlan, ui: &Ui) -> LoadTestReport {
        ui.aside(&format!(
            "{}, {:.0} a second, then {} s; Ctrl-C ends the load with a report",
            counted(plan.connections(), "connection"),
            plan.ramp,
            plan.duration.as_secs_f64()
        ));
        let live = LiveLoad::new(&plan, ui);
        let stopped = async {
            let _ = stop_requested().await;
        };
        let report = run_load(plan, stopped, &mut |progress| live.show(progress)).await;
        live.finish();
        report
    }

    fn write_files(&self, report: &LoadTestReport, ui: &Ui) -> Result<(), CliError> {
        let mut files: Vec<(PathBuf, String)> = Vec::new();
        if let Some(path) = &self.output.html {
            files.push((path.clone(), html::page(report)));
        }
        if let Some(path) = &self.output.json_file {
            let text = serde_json::to_string_pretty(&output(report))
                .map_err(|error| CliError::failed(format!("cannot write JSON: {error}")))?;
            files.push((path.clone(), text + "\n"));
        }
        write::write_all(&files)?;
        for path in self.output.files() {
            ui.aside(&format!("wrote {}", path.display()));
        }
        Ok(())
    }
}

fn output(report: &LoadTestReport) -> LoadOutput<'_> {
    LoadOutput {
        clean: report.is_clean(),
        notes: human::notes(report),
        report,
    }
}
