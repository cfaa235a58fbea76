//! `stackgen doctor`

mod facts;
mod fix;
mod human;
mod run;

use std::time::Duration;

use clap::Args;
use serde_json::json;
use stackgen_deploy::{
    AccountErrorKind, ApiInfo, ApiProtocol, DeployError, DeployStep, OperationContext, StageInfo,
};
use stackgen_diagnose::doctor::{DoctorReport, IdMask, SYMPTOMS, Symptom};

use self::run::DoctorRun;
use crate::account::{
    AccountArgs, AccountClient, ProjectScope, StageTarget, StepProgress, TargetArgs,
    account_defaults, interrupt_on_signals,
};
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::runtime::block_on;
use crate::ui::Ui;
use crate::values::duration;

/// Longest time for all attempts of one call: a doctor that waits for a service helps nobody.
const CALL_TIMEOUT: Duration = Duration::from_secs(8);

/// Check a live stage, and name the cause of closed sockets
///
/// Reads the API, the stage, its functions, permissions, tables, logs, metrics and stack, opens a handshake as each caller
/// that the project declares, and reports what is wrong: what was looked at, what was found, how sure that is, and the next
/// step. It changes nothing, and needs no permission to write. What it may not read is reported with the missing permission,
/// and the rest is checked. docs/reference/doctor.md lists all checks.
///
/// Exits with 0 if nothing is wrong, and with 3 if something is, or if the API or its stage cannot be read.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DoctorCommand {
    /// Close code, status or line of a log: run only the checks that can tell its cause
    #[arg(long, value_name = "TEXT", help_heading = "Checks")]
    symptom: Option<String>,

    /// Span of logs and metrics
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "3h", help_heading = "Checks")]
    since: Duration,

    /// Offer changes that are safe, and ask for each; needs a terminal
    #[arg(long, help_heading = "Changes", conflicts_with_all = ["markdown", "mask"])]
    fix: bool,

    /// Role that `--fix` sets as API Gateway's role for logs, if the account has none (default: `--fix` asks for it)
    #[arg(long, value_name = "ARN", requires = "fix", help_heading = "Changes")]
    log_role: Option<String>,

    /// Print the report as Markdown, to paste it into an issue
    #[arg(long, help_heading = "Report")]
    markdown: bool,

    /// Replace IDs of the account, the API, deployments and connections in the Markdown report
    #[arg(long, requires = "markdown", help_heading = "Report")]
    mask: bool,

    #[command(flatten)]
    target: TargetArgs,

    #[command(flatten)]
    account: AccountArgs,
}

const EXAMPLES: &str = "\
Examples:
  stackgen doctor --env prod
  stackgen doctor --local --symptom 1006
  stackgen doctor --env prod --symptom 'Connection not found in database'
  stackgen doctor --api-id a1b2c3d4e5 --stage-name prod --markdown --mask";

impl DoctorCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        block_on(self.examine(ui))
    }

    async fn examine(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        self.require_somebody_to_ask(ui)?;
        let symptom = self.symptom.as_deref().map(find_symptom).transpose()?;
        let gateway = self.account.gateway(&self.target.file).await?;
        let targets = self
            .target
            .resolve(ProjectScope::Code, gateway.as_ref(), ui)?;
        let defaults = account_defaults(&targets);
        let mut account = self.account.connect(gateway.as_ref(), defaults, ui).await?;
        account.retry.call_timeout = account.retry.call_timeout.min(CALL_TIMEOUT);
        let progress = StepProgress::new(ui);
        let interrupt = interrupt_on_signals(&progress);
        let steps = |step: DeployStep<'_>| progress.step(&step);
        let (selector, account_flags) = (self.selector(), self.account.aws_selector().join(" "));
        let run = DoctorRun {
            account: &account,
            file: &self.target.file,
            selector: &selector,
            account_flags: &account_flags,
            since: self.since,
            symptom,
            log_role: self.log_role.as_deref(),
            progress: &progress,
            interrupt: &interrupt,
            ctx: account.context(&steps, &interrupt),
            ui,
        };
        let (mut examined, mut reports, mut denied) = (Vec::new(), Vec::new(), Vec::new());
        for target in &targets {
            progress.begin("finding the API");
            match target.find_readable(&account, run.ctx).await? {
                Ok((api, _)) if api.protocol == ApiProtocol::Http => {}
                Ok((api, stage)) => {
                    reports.push(run.one(target, api, stage).await?);
                    examined.push(target);
                }
                Err(error) => denied.push(error),
            }
        }
        progress.pause();
        if reports.is_empty() && denied.is_empty() {
            return Err(CliError::input("there is no WebSocket API to examine")
                .hint("`stackgen status` and `stackgen probe` take HTTP APIs, too"));
        }
        self.show(&reports, &denied, ui)?;
        let is_wrong = reports.iter().any(DoctorReport::is_wrong) || !denied.is_empty();
        if self.fix {
            for (target, report) in examined.into_iter().zip(&reports) {
                fix::offer(run, target, report).await?;
            }
        }
        Ok(match is_wrong {
            true => CommandOutcome::Found,
            false => CommandOutcome::Done,
        })
    }

    fn require_somebody_to_ask(&self, ui: &Ui) -> Result<(), CliError> {
        match self.fix && !ui.can_prompt() {
            true => Err(CliError::input(
                "`--fix` asks before each change, and there is nobody to ask",
            )
            .hint("run it on a terminal, without `--json` and CI")),
            false => Ok(()),
        }
    }

    fn show(
        &self,
        reports: &[DoctorReport],
        denied: &[DeployError],
        ui: &Ui,
    ) -> Result<(), CliError> {
        if ui.wants_json() {
            let unread: Vec<_> = denied.iter().map(human::denied_json).collect();
            return ui.json_result(&json!({ "stages": reports, "unread": unread }));
        }
        for report in reports {
            if !self.markdown {
                ui.print(&human::text(report))?;
                continue;
            }
            let markdown = report.markdown();
            match self.mask {
                true => ui.result(&IdMask::new(report).apply(&markdown))?,
                false => ui.result(&markdown)?,
            }
        }
        for error in denied {
            ui.print(&human::denied(error))?;
        }
        Ok(())
    }
}

impl DoctorCommand {
    /// Returns the flags that select the same stage in another command.
    fn selector(&self) -> String {
        let mut flags = self.target.selector();
        flags.extend(self.account.selector());
        flags.join(" ")
    }
}

fn find_symptom(text: &str) -> Result<&'static Symptom, CliError> {
    Symptom::find(text).ok_or_else(|| {
        let names: Vec<_> = SYMPTOMS.iter().map(|symptom| symptom.name).collect();
        CliError::input(format!("no check is about the symptom {text:?}")).hint(format!(
            "leave `--symptom` out to run all checks; it takes codes, statuses and lines such as: {}",
            names.join(", ")
        ))
    })
}

impl StageTarget {
    /// Finds API and stage. The inner error is a missing permission, with which an examination ends without a result.
    async fn find_readable(
        &self,
        account: &AccountClient,
        ctx: OperationContext<'_>,
    ) -> Result<Result<(ApiInfo, StageInfo), DeployError>, CliError> {
        self.declared.require(account, ctx).await?;
        match self.find_in(account, ctx).await {
            Ok(found) => Ok(Ok(found)),
            Err(DeployError::Account(error)) if error.kind == AccountErrorKind::AccessDenied => {
                Ok(Err(DeployError::Account(error)))
            }
            Err(error) => Err(error.into()),
        }
    }
}
