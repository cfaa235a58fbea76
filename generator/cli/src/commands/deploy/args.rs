//! Flags of `stackgen deploy`.

use clap::Args;

use super::release_args::ReleaseArgs;
use crate::account::{AccountArgs, TargetArgs, VerifyArgs};

/// Deploy a stack and verify its stages, or redeploy one API
///
/// Builds the functions of an environment, renders its template, lints it, checks the account, uploads code and template,
/// shows the changes, asks for confirmation on a terminal, and updates the stack through a CloudFormation change set. Then each stage is made to
/// serve the result and verified with handshakes. If verification fails, the stage goes back to the deployment that it
/// served before, and the exit code is 1. A run that was interrupted is continued by the next one.
///
/// `--redeploy-stage` uses no CloudFormation. It updates functions whose built code differs from the deployed code, creates a
/// deployment of the API's current configuration, moves the stage to it, verifies the stage, and deletes old deployments. A
/// stage that is current gets no new deployment, and is verified only if it has not been verified yet. It works on any API:
/// select one with `--api-id` and `--stage-name`. API Gateway deploys a stage with AutoDeploy by itself (row D5): such a
/// stage gets the code, and is verified once its deployment is complete.
///
/// Handshakes are opened as the callers under `verify:` in stackgen.yaml or, if there are none, as an anonymous caller. An
/// authorizer's 401 or 403 shows nothing about `$connect` and verifies nothing. Unless `--no-verify` is given, the exit code
/// is 0 only if the stage was verified.
///
/// `--local` alone builds the functions, renders the template, and applies all of it to the local gateway, as CloudFormation
/// would.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DeployCommand {
    /// Deploy the API's current configuration, move the stage to the deployment, and verify it
    #[arg(long, help_heading = "Action")]
    pub(super) redeploy_stage: bool,

    /// Only update functions whose built code differs from the code in the account; create no API deployment
    #[arg(long, help_heading = "Action", conflicts_with = "redeploy_stage")]
    pub(super) code_only: bool,

    /// Show what would happen, and change nothing
    #[arg(long, help_heading = "Action")]
    pub(super) dry_run: bool,

    #[command(flatten)]
    pub(super) target: TargetArgs,

    #[command(flatten)]
    pub(super) account: AccountArgs,

    #[command(flatten)]
    pub(super) redeploy: RedeployArgs,

    #[command(flatten)]
    pub(super) verify: VerifyArgs,

    #[command(flatten)]
    pub(super) release: ReleaseArgs,

    #[command(flatten)]
    pub(super) local: ApplyLocalArgs,
}

const EXAMPLES: &str = "\
Examples:
  stackgen deploy --env prod
  stackgen deploy --env prod --plan-out plan.json
  stackgen deploy --redeploy-stage --build --env prod
  stackgen deploy --redeploy-stage --local
  stackgen deploy --local
  stackgen deploy --redeploy-stage --api-id a1b2c3d4e5 --stage-name prod --dry-run
  stackgen deploy --code-only --env dev";

/// Flags of `--redeploy-stage`.
#[derive(Args, Debug)]
#[command(next_help_heading = "Redeploying")]
pub(crate) struct RedeployArgs {
    /// Build the functions first, as a deploy of the whole stack does
    #[arg(long, conflicts_with_all = ["local", "api_id", "no_code", "no_build"])]
    pub(super) build: bool,

    /// Change neither the code of functions nor the versions that the API invokes
    #[arg(long, requires = "redeploy_stage")]
    pub(super) no_code: bool,

    /// Deploy even if the stage is current
    #[arg(long, requires = "redeploy_stage")]
    pub(super) force: bool,

    /// Delete the new deployment if verification fails
    #[arg(long, requires = "redeploy_stage")]
    pub(super) prune_failed: bool,

    /// How many of the deployments that stackgen created are kept, besides the served one and its predecessor
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 10,
        requires = "redeploy_stage"
    )]
    pub(super) keep: usize,

    /// Keep all old deployments
    #[arg(long, requires = "redeploy_stage", conflicts_with = "keep")]
    pub(super) no_prune: bool,
}

/// Flags of `--local` alone.
#[derive(Args, Debug)]
#[command(next_help_heading = "With `--local` alone")]
pub(crate) struct ApplyLocalArgs {
    /// Build functions with optimizations
    #[arg(long, conflicts_with_all = ["redeploy_stage", "code_only"])]
    pub(super) release: bool,
}
