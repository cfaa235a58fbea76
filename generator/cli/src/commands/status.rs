//! `stackgen status`

use std::fmt::Write;

use clap::Args;
use serde_json::json;
use stackgen_deploy::status::{
    ChangeBasis, Freshness, ProbeError, ProbeEvidence, RouteProbePlan, StageStatus,
    StatusConfidence, StatusRequest, status,
};
use stackgen_deploy::{DeployStep, OperationContext, VerifyRecord};

use crate::account::{
    AccountArgs, AccountClient, ProjectScope, RouteProbeArgs, StageTarget, StepProgress,
    TargetArgs, account_defaults, ago, change_lines, confirmed, creator_text, interrupt_on_signals,
    short_digest,
};
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::runtime::block_on;
use crate::style::{BOLD, DIM, GREEN, RED};
use crate::ui::Ui;

/// Show whether stages are current or stale
///
/// Compares the digest of the deployment that a stage serves with the digests of the API's current configuration in the
/// account and of the template rendered from the project file. Shows which changes are not served, whether functions run
/// the built code, and how certain the result is.
///
/// For a deployment that stackgen did not create, the result depends on the times at which CloudFormation changed routes,
/// integrations, authorizers and models of the API's stack, and on the calls that CloudTrail recorded. `--probe` asks the stage
/// itself: API Gateway answers Forbidden to a message for a route that the deployment lacks. Without the flag, a terminal asks
/// before such a message is sent.
///
/// Exits with 0 if every stage is current and was verified, and with 3 if one is stale, unknown or was never verified.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct StatusCommand {
    /// Exit with 0 even if a current stage was never verified
    #[arg(long, help_heading = "Result")]
    allow_unverified: bool,

    #[command(flatten)]
    probe: RouteProbeArgs,

    #[command(flatten)]
    target: TargetArgs,

    #[command(flatten)]
    account: AccountArgs,
}

const EXAMPLES: &str = "\
Examples:
  stackgen status --env prod
  stackgen status --local --allow-unverified
  stackgen status --api-id a1b2c3d4e5 --stage-name prod --json
  stackgen status --api-id a1b2c3d4e5 --stage-name prod --probe --probe-query token=env:TOKEN";

impl StatusCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        block_on(self.report(ui))
    }

    async fn report(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let gateway = self.account.gateway(&self.target.file).await?;
        let targets = self
            .target
            .resolve(ProjectScope::Code, gateway.as_ref(), ui)?;
        let account = self
            .account
            .connect(gateway.as_ref(), account_defaults(&targets), ui)
            .await?;
        let progress = StepProgress::new(ui);
        let interrupt = interrupt_on_signals(&progress);
        let steps = |step: DeployStep<'_>| progress.step(&step);
        let ctx = account.context(&steps, &interrupt);
        let mut found = Vec::new();
        for target in &targets {
            progress.begin("looking at the account");
            let (api, stage) = target.find(&account, ctx).await?;
            let request = StatusRequest {
                api: &api,
                stage: &stage.name,
                templates: &target.snapshots,
                built: &target.code,
                stack: target.stack.as_ref(),
            };
            let mut known = status(&account.aws, &account.aws, &request, ctx).await?;
            known.read_trail(&account.aws, ctx).await?;
            progress.pause();
            self.send_probe(&mut known, target, &account, ctx, ui)
                .await?;
            found.push(known);
        }
        drop(progress);
        if ui.wants_json() {
            ui.json_result(&json!({ "stages": found }))?;
        } else {
            for known in &found {
                ui.print(&shown(known))?;
            }
        }
        let is_good = |known: &StageStatus| {
            let verified = known.is_verified() || self.allow_unverified && !known.is_failed();
            known.is_current() && verified
        };
        Ok(match found.iter().all(is_good) {
            true => CommandOutcome::Done,
            false => CommandOutcome::Found,
        })
    }

    /// Probes a stage with `--probe`, or if its status is unknown and the user agrees.
    async fn send_probe(
        &self,
        known: &mut StageStatus,
        target: &StageTarget,
        account: &AccountClient,
        ctx: OperationContext<'_>,
        ui: &Ui,
    ) -> Result<(), CliError> {
        let is_unknown = known.verdict.freshness == Freshness::Unknown;
        if !known.needs_probe() || !self.probe.probe && !is_unknown {
            return Ok(());
        }
        let plan = match known.probe_plan(self.probe.probe_route.as_deref()) {
            Ok(plan) => plan,
            Err(error @ ProbeError::UnknownRoute { .. }) => {
                return Err(CliError::input(error.to_string()));
            }
            Err(error) => {
                if self.probe.probe {
                    ui.note(
                        &format!("stage {} cannot be probed: {error}", known.stage.name),
                        None,
                    );
                }
                return Ok(());
            }
        };
        if !self.probe.probe {
            if !ui.can_prompt() {
                let note = "a message for one of its routes would tell more";
                ui.note(note, Some("send it with `--probe`"));
                return Ok(());
            }
            if !confirmed(false, &question(&plan), ctx.interrupt, ui).await? {
                return Ok(());
            }
        }
        let sent = self.probe.send(&plan, target, &account.network);
        let answer = ctx.interrupt.unless(sent).await??;
        known.add_probe(ProbeEvidence {
            route_key: plan.route_key,
            answer,
        });
        Ok(())
    }
}

/// Returns the question before a probe.
fn question(plan: &RouteProbePlan) -> String {
    format!(
        "A message for the route {} shows whether the stage serves it.\nIt runs $connect and, if the stage serves the route, {}. Send {} to {}?",
        plan.route_key, plan.runs, plan.message, plan.url
    )
}

fn shown(known: &StageStatus) -> String {
    let mut text = format!(
        "{BOLD}{}{BOLD:#} ({}), stage {}: {}\n",
        known.api.name,
        known.api.id,
        known.stage.name,
        verdict(known)
    );
    let mut line = |word: &str, value: &str| {
        writeln!(text, "  {DIM}{word:<9}{DIM:#} {value}").expect("writing to a String cannot fail");
    };
    line("because", &known.verdict.reason);
    line("serves", &served(known));
    line("verified", &verified(known));
    line(
        "account",
        &format!("sha256:{}", short_digest(&known.account_digest.to_string())),
    );
    if let Some(digest) = &known.template_digest {
        line(
            "template",
            &format!("sha256:{}", short_digest(&digest.to_string())),
        );
    }
    for code in &known.code {
        let text = match &code.account {
            Some(sha256) if *sha256 == code.built => "runs the built code",
            Some(_) => "runs other code than the built one",
            None => "is not in the account",
        };
        line("code", &format!("{} {text}", code.function));
    }
    if let Some(of) = known.change_basis {
        line(
            "changes",
            match of {
                ChangeBasis::Undeployed => "in the account and not served:",
                ChangeBasis::FromTemplate => "from the template to the account:",
            },
        );
        text.push_str(&change_lines(&known.changes_text));
    }
    text
}

/// Formats the deployment that the stage serves.
fn served(known: &StageStatus) -> String {
    let Some(deployment) = &known.deployment else {
        return "nothing".to_owned();
    };
    let age = ago(deployment.created);
    let mut words = vec![format!("deployment {}, {age}", deployment.id)];
    words.extend(
        known
            .created_by
            .map(|origin| creator_text(origin).to_owned()),
    );
    if let Some(metadata) = &known.metadata {
        words.extend(metadata.git.as_ref().map(|git| format!("git:{git}")));
        words.push(format!(
            "sha256:{}",
            short_digest(&metadata.digest.to_string())
        ));
    }
    words.join(", ")
}

/// Formats the last verification of the deployment that the stage serves.
fn verified(known: &StageStatus) -> String {
    match known
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.verification.as_ref())
    {
        Some(VerifyRecord::Verified { at, callers }) if callers.is_empty() => at.clone(),
        Some(VerifyRecord::Verified { at, callers }) => format!("{at} as {}", callers.join(", ")),
        Some(VerifyRecord::Failed { at: Some(at) }) => format!("{RED}failed{RED:#} {at}"),
        Some(VerifyRecord::Failed { at: None }) => format!("{RED}failed{RED:#}"),
        None => "never; verify it with `stackgen deploy --redeploy-stage`".to_owned(),
    }
}

fn verdict(known: &StageStatus) -> String {
    let (style, word) = match known.verdict.freshness {
        Freshness::Current => (GREEN, "current"),
        Freshness::Stale => (RED, "stale"),
        Freshness::Unknown => (RED, "unknown"),
        Freshness::NotDeployed => (RED, "not deployed"),
    };
    let sure = match known.verdict.confidence {
        StatusConfidence::Certain => "",
        StatusConfidence::Likely => ", most likely",
    };
    format!("{style}{word}{style:#}{sure}")
}
