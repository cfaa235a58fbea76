//! `stackgen drift`

use std::fmt::Write;

use clap::Args;
use serde_json::json;
use stackgen_deploy::drift::{DriftRequest, ServedDeployment, StageDrift, StagePointer, drift};
use stackgen_deploy::{DeployStep, VerifyRecord};

use crate::account::{
    AccountArgs, ProjectScope, StepProgress, TargetArgs, account_defaults, ago, change_lines,
    creator_text, interrupt_on_signals,
};
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::runtime::block_on;
use crate::style::{BOLD, DIM, GREEN, RED};
use crate::ui::Ui;

/// Compare stages and APIs with the template of their stack
///
/// Reads the template that CloudFormation holds, and the account. Reports a stage that serves another deployment than the one
/// that the template names, and the origin of that deployment, apart from routes, integrations, authorizers and models that
/// were changed outside CloudFormation. CloudFormation's own drift detection does not support stages (row D8). Code of
/// functions is not compared: a template does not name its digest.
///
/// Exits with 0 if nothing drifted, and with 3 if something drifted or could not be compared.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DriftCommand {
    #[command(flatten)]
    target: TargetArgs,

    #[command(flatten)]
    account: AccountArgs,
}

const EXAMPLES: &str = "\
Examples:
  stackgen drift --env prod
  stackgen drift --api-id a1b2c3d4e5 --stage-name prod --json";

impl DriftCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        if self.account.local {
            return Err(
                CliError::input("the local gateway has no stack to compare with")
                    .hint("compare it with the project by `stackgen status --local`"),
            );
        }
        block_on(self.compare(ui))
    }

    async fn compare(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let targets = self.target.resolve(ProjectScope::Names, None, ui)?;
        let account = self
            .account
            .connect(None, account_defaults(&targets), ui)
            .await?;
        let progress = StepProgress::new(ui);
        let interrupt = interrupt_on_signals(&progress);
        let steps = |step: DeployStep<'_>| progress.step(&step);
        let ctx = account.context(&steps, &interrupt);
        let mut found = Vec::new();
        for target in &targets {
            progress.begin("looking at the account");
            let (api, stage) = target.find(&account, ctx).await?;
            let request = DriftRequest {
                api: &api,
                stage: &stage.name,
                stack: target.stack.as_ref(),
            };
            found.push(drift(&account.aws, &account.aws, &request, ctx).await?);
        }
        drop(progress);
        if ui.wants_json() {
            ui.json_result(&json!({ "stages": found }))?;
        } else {
            for drift in &found {
                ui.print(&shown(drift))?;
            }
        }
        for drift in &found {
            note_running_operation(drift, ui);
        }
        Ok(match found.iter().all(StageDrift::is_none) {
            true => CommandOutcome::Done,
            false => CommandOutcome::Found,
        })
    }
}

/// Notes that an operation on the stack still changes the account.
fn note_running_operation(drift: &StageDrift, ui: &Ui) {
    if drift.stack_status.ends_with("_IN_PROGRESS") {
        ui.note(
            &format!(
                "stack {} is {}: compare again when that is done",
                drift.stack, drift.stack_status
            ),
            None,
        );
    }
}

fn shown(drift: &StageDrift) -> String {
    let mut text = format!(
        "{BOLD}{}{BOLD:#} ({}), stage {}: {}\n",
        drift.api.name,
        drift.api.id,
        drift.stage.name,
        verdict(drift)
    );
    let mut line = |word: &str, value: &str| {
        writeln!(text, "  {DIM}{word:<9}{DIM:#} {value}").expect("writing to a String cannot fail");
    };
    line("stack", drift.stack.as_str());
    line("stage", &pointer_text(&drift.pointer));
    match drift.wiring.is_empty() {
        true => line("wiring", "as in the template"),
        false => line("changes", "from the template to the account:"),
    }
    if drift.unresolved > 0 {
        let plural = if drift.unresolved == 1 { "" } else { "s" };
        let value = format!(
            "{} value{plural} that the template alone does not determine",
            drift.unresolved
        );
        line("skipped", &value);
    }
    text.push_str(&change_lines(&drift.wiring_text));
    text
}

fn verdict(drift: &StageDrift) -> String {
    let pointer = match drift.pointer {
        StagePointer::AsInTemplate | StagePointer::AutoDeploy => None,
        StagePointer::AutoDeployChanged { .. } => Some("AutoDeploy changed"),
        StagePointer::Moved { .. } => Some("stage pointer moved"),
        StagePointer::Unknown { .. } => Some("stage pointer unknown"),
    };
    let wiring = (!drift.wiring.is_empty()).then_some("wiring changed");
    let found: Vec<_> = pointer.into_iter().chain(wiring).collect();
    match found.is_empty() {
        true => format!("{GREEN}no drift{GREEN:#}"),
        false => format!("{RED}{}{RED:#}", found.join(", ")),
    }
}

fn pointer_text(pointer: &StagePointer) -> String {
    match pointer {
        StagePointer::AsInTemplate => "serves the deployment of the template".to_owned(),
        StagePointer::AutoDeploy => "is under AutoDeploy, as in the template (row D5)".to_owned(),
        StagePointer::AutoDeployChanged { template: true } => {
            "AutoDeploy is off, and the template turns it on".to_owned()
        }
        StagePointer::AutoDeployChanged { template: false } => {
            "AutoDeploy is on, and the template does not turn it on".to_owned()
        }
        StagePointer::Moved { template, served } => {
            let served = served
                .as_ref()
                .map_or_else(|| "no deployment".to_owned(), |served| served_text(served));
            format!("serves {served}; the template names {template}")
        }
        StagePointer::Unknown { reason } => format!("cannot be compared: {reason}"),
    }
}

/// Formats the deployment that a moved stage serves, and its origin.
fn served_text(served: &ServedDeployment) -> String {
    let deployment = &served.deployment;
    let mut words = vec![
        format!("deployment {}, {}", deployment.id, ago(deployment.created)),
        creator_text(served.created_by).to_owned(),
    ];
    if let Some(metadata) = &served.metadata {
        words.extend(metadata.git.as_ref().map(|git| format!("git:{git}")));
        words.extend(metadata.verification.as_ref().map(|record| match record {
            VerifyRecord::Verified { at, .. } => format!("verified {at}"),
            VerifyRecord::Failed { .. } => "failed verification".to_owned(),
        }));
    }
    words.join(", ")
}
