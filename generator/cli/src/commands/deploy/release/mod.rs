//! `stackgen deploy`: deploys the whole stack to AWS.
//!
//! Nothing is changed before all checks have passed and the plan is confirmed. Afterwards the stack is updated, and each
//! stage is made to serve the result and verified.

mod api_changes;
mod direct;
mod issuer;
mod plan_file;
mod preflight;
mod request;
mod show;
mod source;
mod stack_policy;
mod stack_release;

use std::cell::RefCell;

use stackgen_deploy::DeployStep;

use super::args::DeployCommand;
use super::release_args::UpdateMethod;
use crate::account::{StepProgress, interrupt_on_signals};
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::ui::Ui;
use plan_file::PlanFile;
use source::{ReleaseProject, ReleaseSource};
use stack_release::Release;

/// Deploys the stack, or prepares, executes or explains a plan.
pub(super) async fn run(command: &DeployCommand, ui: &Ui) -> Result<CommandOutcome, CliError> {
    let progress = StepProgress::new(ui);
    let interrupt = interrupt_on_signals(&progress);
    let steps = |step: DeployStep<'_>| progress.step(&step);
    let args = &command.release;
    let policy = args.stack_policy.as_deref().map(stack_policy::read);
    let policy = policy.transpose()?;
    let project = ReleaseProject::load(command, ui)?;
    let region = project.declared.region.as_deref();
    let mut account = command.account.connect_in(region, ui).await?;
    command.verify.apply(&mut account.retry);
    let ctx = account.context(&steps, &interrupt);
    // Nobody waits for a build whose result the account cannot take.
    project.declared.require(&account, ctx).await?;
    interrupt.unless(project.build(args, ui)).await??;
    let source = ReleaseSource::render(project, command, ui)?;
    if args.method == UpdateMethod::Direct {
        direct::require_live(&source, "--method direct")?;
    }
    if args.express {
        direct::require_live(&source, "--express")?;
    }
    let release = Release {
        command,
        source: &source,
        policy: policy.as_deref(),
        account: &account,
        progress: &progress,
        ctx,
        ui,
        expiring: RefCell::default(),
    };
    match &args.plan {
        _ if args.diagnose => release.diagnose().await,
        Some(plan) => release.deploy_plan(&PlanFile::read(plan)?).await,
        None => release.deploy().await,
    }
}
