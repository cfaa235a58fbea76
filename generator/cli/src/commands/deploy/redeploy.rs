//! `stackgen deploy --redeploy-stage`

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use stackgen_deploy::code::CodePlan;
use stackgen_deploy::prune::PrunePolicy;
use stackgen_deploy::redeploy::{
    BackTo, RedeployOutcome, RedeployPlan, RedeployRequest, UpdatedStack, plan, redeploy,
};
use stackgen_deploy::{
    Account as _, ApiInfo, CreatedBy, DeployError, DeployStep, DeploymentId, DeploymentInfo,
    Interrupt, OperationContext, StageName,
};

use super::args::DeployCommand;
use super::build::build_target;
use crate::account::{
    AccountClient, ProjectScope, StageCallers, StageTarget, StepProgress, account_defaults,
    interrupt_on_signals, short_digest,
};
use crate::error::CliError;
use crate::git;
use crate::outcome::CommandOutcome;
use crate::run_id::run_id;
use crate::style::{BOLD, GREEN};
use crate::ui::Ui;

/// Result of one API in the output of `--json`.
#[derive(Serialize)]
struct RedeployReport<'a, T> {
    api: &'a ApiInfo,
    stage: &'a StageName,
    #[serde(flatten)]
    result: T,
}

/// How stages are redeployed after an update of their stack.
#[derive(Clone, Copy)]
pub(super) struct StageOptions<'a> {
    /// Create a deployment even if the stage is current.
    pub(super) force: bool,
    /// What each API's stage goes back to if it is not verified, by the name of the API.
    pub(super) back_to: &'a BTreeMap<String, BackTo>,
    /// True if the verification is also recorded on deployments that CloudFormation created.
    pub(super) mark: bool,
    /// The deployments before the stack update that just ended, by the name of the API; `None` without such an update. APIs
    /// whose deployments are not known are left out.
    pub(super) before: Option<&'a BTreeMap<String, Vec<DeploymentId>>>,
}

impl StageOptions<'_> {
    /// Returns the stack update that just ended, for the API of a target.
    fn updated(&self, target: &StageTarget) -> Option<UpdatedStack> {
        let before = self.before?.get(target.name()?)?;
        Some(UpdatedStack {
            template: target.snapshots.first()?.clone(),
            before: before.clone(),
        })
    }
}

/// Redeploys the stages of the command's APIs.
pub(super) async fn run(command: &DeployCommand, ui: &Ui) -> Result<CommandOutcome, CliError> {
    let progress = StepProgress::new(ui);
    let interrupt = interrupt_on_signals(&progress);
    if command.redeploy.build {
        interrupt.unless(build_target(command, ui)).await??;
    }
    let gateway = command.account.gateway(&command.target.file).await?;
    let scope = match command.redeploy.no_code {
        true => ProjectScope::Names,
        false => ProjectScope::Code,
    };
    let targets = command.target.resolve(scope, gateway.as_ref(), ui)?;
    let mut account = command
        .account
        .connect(gateway.as_ref(), account_defaults(&targets), ui)
        .await?;
    command.verify.apply(&mut account.retry);
    let steps = |step: DeployStep<'_>| progress.step(&step);
    let run = StageRun {
        command,
        account: &account,
        progress: &progress,
        ctx: account.context(&steps, &interrupt),
        ui,
    };
    let options = StageOptions {
        force: command.redeploy.force,
        back_to: &BTreeMap::new(),
        mark: command.verify.mark,
        before: None,
    };
    let reports = run.redeploy(&targets, options).await?;
    drop(progress);
    if ui.wants_json() {
        ui.json_result(&serde_json::json!({ "apis": reports }))?;
    }
    Ok(CommandOutcome::Done)
}

/// A command that redeploys stages.
#[derive(Clone, Copy)]
pub(super) struct StageRun<'a> {
    pub(super) command: &'a DeployCommand,
    pub(super) account: &'a AccountClient,
    pub(super) progress: &'a StepProgress<'a>,
    pub(super) ctx: OperationContext<'a>,
    pub(super) ui: &'a Ui,
}

impl StageRun<'_> {
    /// Redeploys and verifies stages, one after another. Returns their results for programs.
    pub(super) async fn redeploy(
        self,
        targets: &[StageTarget],
        options: StageOptions<'_>,
    ) -> Result<Vec<serde_json::Value>, CliError> {
        let git = git::commit(&self.command.target.file);
        let mut reports = Vec::new();
        for target in targets {
            reports.push(self.redeploy_one(target, options, &git).await?);
        }
        Ok(reports)
    }

    async fn redeploy_one(
        self,
        target: &StageTarget,
        options: StageOptions<'_>,
        git: &str,
    ) -> Result<serde_json::Value, CliError> {
        let StageRun {
            command,
            account,
            progress,
            ctx,
            ui,
        } = self;
        progress.begin("looking at the account");
        let (api, stage) = target.find(account, ctx).await?;
        progress.aside(&title(&api, &stage.name));
        let (verify, callers) = match command.dry_run {
            true => (command.verify.planned(), StageCallers::default()),
            false => {
                let callers = command
                    .verify
                    .callers(target, api.protocol, &account.network);
                callers.await?
            }
        };
        let back_to = target.name().and_then(|name| options.back_to.get(name));
        let request = RedeployRequest {
            verify,
            force: options.force,
            // The stack of stackgen.yaml is stackgen's own.
            mark: options.mark || target.name().is_some(),
            updated: options.updated(target),
            back_to: back_to.cloned().unwrap_or_default(),
            ..request(command, target, api.clone(), stage.name.clone(), git)
        };
        if command.dry_run {
            let plan = plan(&account.aws, &request, ctx).await?;
            progress.result(|| show_plan(&plan, &stage.name, ui))?;
            return Ok(json(&api, &stage.name, &plan));
        }
        let outcome = match redeploy(&account.aws, &callers, &request, ctx).await {
            Ok(outcome) => outcome,
            Err(error) => return Err(with_served_deployment(account, &request, error).await),
        };
        progress.result(|| show(&outcome, &request, ui))?;
        Ok(json(&api, &stage.name, &outcome))
    }
}

fn request(
    command: &DeployCommand,
    target: &StageTarget,
    api: ApiInfo,
    stage: StageName,
    git: &str,
) -> RedeployRequest {
    let args = &command.redeploy;
    let policy = PrunePolicy {
        keep: args.keep,
        ..PrunePolicy::default()
    };
    RedeployRequest {
        api,
        stage,
        git: git.to_owned(),
        environment: target.environment.clone(),
        code: target.code.clone(),
        release: target.release.filter(|_| !args.no_code),
        force: false,
        run: run_id(),
        verify: None,
        mark: false,
        updated: None,
        back_to: BackTo::Served,
        prune_failed: args.prune_failed,
        prune: (!args.no_prune).then_some(policy),
    }
}

fn verified_text(verified: bool) -> &'static str {
    match verified {
        true => "verified",
        false => "not verified (`--no-verify`)",
    }
}

fn json(api: &ApiInfo, stage: &StageName, result: impl Serialize) -> serde_json::Value {
    let report = RedeployReport { api, stage, result };
    serde_json::to_value(report).unwrap_or_default()
}

fn title(api: &ApiInfo, stage: &StageName) -> String {
    format!("{BOLD}{}{BOLD:#} ({}), stage {stage}", api.name, api.id)
}

fn show(outcome: &RedeployOutcome, request: &RedeployRequest, ui: &Ui) -> Result<(), CliError> {
    let (api, stage) = (&request.api.name, &request.stage);
    match outcome {
        RedeployOutcome::Current {
            deployment,
            digest,
            created_by,
            verified,
            ..
        } => {
            let digest = digest.to_string();
            ui.done(&format!(
                "stage {stage} of {api} is current: deployment {deployment}, sha256:{}, {}",
                short_digest(&digest),
                verified_text(*verified)
            ))?;
            if *created_by == CreatedBy::Template {
                ui.note(
                    "CloudFormation created that deployment; it still contains routes that the same update removed (row D20)",
                    Some("deploy anyway with `--force`"),
                );
            }
        }
        RedeployOutcome::Deployed {
            deployment,
            previous,
            verified,
            ..
        } => {
            let was = previous
                .as_ref()
                .map_or("none", |previous| previous.as_str());
            ui.done(&format!(
                "stage {stage} of {api} serves deployment {GREEN}{deployment}{GREEN:#} (was {was}), {}",
                verified_text(*verified)
            ))?;
        }
        RedeployOutcome::AutoDeployed {
            deployment,
            verified,
            ..
        } => {
            ui.done(&format!(
                "stage {stage} of {api} serves deployment {GREEN}{deployment}{GREEN:#}, which API Gateway deployed by itself, {}",
                verified_text(*verified)
            ))?;
            note_auto_deploy(request.force, ui);
        }
    }
    Ok(())
}

/// Notes what AutoDeploy means for releases, and how to leave it.
fn note_auto_deploy(force: bool, ui: &Ui) {
    if force {
        ui.note(
            "`--force` has no effect on a stage under AutoDeploy, which serves only deployments of API Gateway itself (row D5)",
            None,
        );
    }
    ui.note(
        "the stage is under AutoDeploy: API Gateway deploys each change by itself, and the stage cannot be rolled back (row D5)",
        Some("to release changes together, and only verified ones, turn AutoDeploy off: \"Leaving AutoDeploy\" in docs/guide/releases.md"),
    );
}

fn show_plan(plan: &RedeployPlan, stage: &StageName, ui: &Ui) -> Result<(), CliError> {
    for code in &plan.code {
        ui.done(&match code {
            CodePlan::Update(function) => format!("would update the code of {function}"),
            CodePlan::Publish(function) => {
                format!("would publish a version of {function} and call it")
            }
        })?;
    }
    let served = plan
        .served
        .as_ref()
        .map_or("nothing", |served| served.as_str());
    let digest = plan.digest.to_string();
    let publishes = plan
        .code
        .iter()
        .any(|code| matches!(code, CodePlan::Publish(_)));
    if plan.auto_deploy {
        ui.done(&format!(
            "would deploy nothing: API Gateway deploys stage {stage} by itself (serves {served})"
        ))?;
        note_auto_deploy(false, ui);
        return show_planned_verification(plan, ui);
    }
    ui.done(&match (plan.deploys, publishes) {
        (true, true) => {
            format!("would deploy the result and move stage {stage} to it (serves {served})")
        }
        (true, false) => format!(
            "would deploy sha256:{} and move stage {stage} to it (serves {served})",
            short_digest(&digest)
        ),
        (false, _) => format!(
            "would deploy nothing: stage {stage} serves sha256:{} ({served})",
            short_digest(&digest)
        ),
    })?;
    show_planned_verification(plan, ui)
}

fn show_planned_verification(plan: &RedeployPlan, ui: &Ui) -> Result<(), CliError> {
    match plan.verifies {
        true => ui.done("would verify the stage as its callers"),
        false => Ok(()),
    }
}

/// Adds to an interruption the deployment that the stage serves, and whether it was verified.
async fn with_served_deployment(
    account: &AccountClient,
    request: &RedeployRequest,
    error: DeployError,
) -> CliError {
    if error != DeployError::Interrupted {
        return error.into();
    }
    let (never, api, stage) = (Interrupt::never(), &request.api.id, &request.stage);
    let ctx = account.context(&|_| {}, &never);
    let look = async {
        let found = ctx.read(|| account.aws.stage(api, stage)).await?;
        let Some(id) = found.deployment else {
            return Ok(None);
        };
        let deployment = ctx.read(|| account.aws.deployment(api, &id)).await?;
        Ok::<_, DeployError>(Some(deployment))
    };
    let serves = match tokio::time::timeout(Duration::from_secs(10), look).await {
        Ok(Ok(Some(deployment))) => {
            let id = &deployment.id;
            format!(
                "stage {stage} serves deployment {id}, {}",
                verification_text(&deployment)
            )
        }
        Ok(Ok(None)) => format!("stage {stage} serves no deployment"),
        _ => format!("the deployment of stage {stage} could not be read"),
    };
    CliError::failed(format!("interrupted: {serves}")).hint("run the command again to continue")
}

/// Returns whether a deployment was verified, as a clause.
fn verification_text(deployment: &DeploymentInfo) -> &'static str {
    match deployment.metadata() {
        Some(metadata) if metadata.is_verified() => "which was verified before",
        Some(metadata) if metadata.is_failed() => "which failed verification",
        _ => "which was not verified",
    }
}
