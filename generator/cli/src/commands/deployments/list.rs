//! `stackgen deployments list`

use clap::Args;
use serde_json::json;
use stackgen_deploy::deployments::{self, ListedDeployment};
use stackgen_deploy::{CreatedBy, DeployStep, DeploymentState, VerifyRecord};

use super::target::{DeploymentsArgs, api_label, find};
use crate::account::{StepProgress, ago, interrupt_on_signals, short_digest};
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::style::{BOLD, GREEN};
use crate::ui::Ui;

/// List deployments, newest first
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct ListCommand {
    #[command(flatten)]
    api: DeploymentsArgs,
}

const EXAMPLES: &str = "\
Examples:
  stackgen deployments list --env prod
  stackgen deployments list --api-id a1b2c3d4e5 --json";

impl ListCommand {
    pub(super) async fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let (account, target) = self.api.open(ui).await?;
        let progress = StepProgress::new(ui);
        let interrupt = interrupt_on_signals(&progress);
        let steps = |step: DeployStep<'_>| progress.step(&step);
        let ctx = account.context(&steps, &interrupt);
        let (api, _) = find(&account, &target, &progress, ctx).await?;
        let listed = deployments::list(&account.aws, &api.id, ctx).await?;
        drop(progress);
        if ui.wants_json() {
            ui.json_result(&json!({ "api": api, "deployments": listed }))?;
            return Ok(CommandOutcome::Done);
        }
        ui.print(&format!("{BOLD}{}{BOLD:#}\n", api_label(&api)))?;
        let width = listed
            .iter()
            .map(|one| one.deployment.id.as_str().len())
            .max()
            .unwrap_or_default();
        for one in &listed {
            ui.print(&format!("{}\n", line(one, width)))?;
        }
        if listed.is_empty() {
            ui.print("no deployments\n")?;
        }
        Ok(CommandOutcome::Done)
    }
}

/// `* k3j2h1  dev  3 minutes ago  sha256:0c646b459342 git:abc1234 env:dev`
fn line(one: &ListedDeployment, width: usize) -> String {
    let mark = if one.stages.is_empty() {
        " ".to_owned()
    } else {
        format!("{GREEN}*{GREEN:#}")
    };
    let deployment = &one.deployment;
    let age = ago(deployment.created);
    let mut words = vec![format!("{mark} {:<width$}  {age:<14}", deployment.id)];
    match &one.metadata {
        Some(metadata) => {
            words.push(format!(
                "sha256:{}",
                short_digest(&metadata.digest.to_string())
            ));
            words.extend(metadata.git.as_ref().map(|git| format!("git:{git}")));
            words.extend(
                metadata
                    .environment
                    .as_ref()
                    .map(|environment| format!("env:{environment}")),
            );
            match &metadata.verification {
                Some(VerifyRecord::Verified { at, .. }) => words.push(format!("verified {at}")),
                Some(VerifyRecord::Failed { .. }) => words.push("failed verification".to_owned()),
                None => {}
            }
        }
        None => words.extend(
            deployment
                .description
                .iter()
                .map(|text| format!("{text:?}")),
        ),
    }
    words.push(match one.created_by {
        CreatedBy::Redeploy => "by redeploy".to_owned(),
        CreatedBy::Template => "by CloudFormation".to_owned(),
        CreatedBy::AutoDeploy => "by AutoDeploy".to_owned(),
        CreatedBy::Unknown => "not by stackgen".to_owned(),
    });
    match deployment.status {
        DeploymentState::Deployed => {}
        DeploymentState::Pending => words.push("PENDING".to_owned()),
        DeploymentState::Failed => {
            words.push(format!(
                "FAILED: {}",
                deployment.message.as_deref().unwrap_or("no reason")
            ));
        }
    }
    for stage in &one.stages {
        words.push(format!("{GREEN}serves {stage}{GREEN:#}"));
    }
    words.join("  ")
}
