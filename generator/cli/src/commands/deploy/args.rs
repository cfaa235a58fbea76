//! Flags of `stackgen deploy`.

use clap::Args;

use crate::account::{AccountArgs, TargetArgs, VerifyArgs};
use crate::values::name_and_value;

/// Make a stage serve what the account holds
///
/// With `--redeploy-stage`: sends code that was built and differs, makes an API deployment of what the account holds,
/// waits until it is DEPLOYED, moves the stage to it, verifies it, and deletes old deployments. If the stage does not
/// answer as it should, the previous deployment is restored. If the stage serves just that already, it is verified
/// unless it was before. Whatever fails, the stage serves a complete deployment, and running it again goes on.
///
/// It works on any API, whoever made it: `--api-id` and `--stage-name`. Stages under AutoDeploy are refused (row D5).
///
/// A stage is verified as each caller under `verify:` in stackgen.yaml, or as an anonymous one. That calls what its $connect
/// calls. A caller whom an authorizer refuses with 401 or 403 shows nothing of $connect: that alone verifies nothing.
///
/// Exits with 0 only if the stage was verified, or with `--no-verify`.
///
/// With `--local` alone: builds functions, renders, and applies the whole template to the local gateway, as CloudFormation
/// would.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DeployCommand {
    /// Deploy the API as the account holds it, and move the stage to it
    #[arg(long)]
    pub(super) redeploy_stage: bool,

    /// Send code that differs, and deploy nothing
    #[arg(long, conflicts_with = "redeploy_stage")]
    pub(super) code_only: bool,

    /// Show what would be done, and change nothing
    #[arg(long)]
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
    pub(super) local: ApplyLocalArgs,
}

const EXAMPLES: &str = "\
Examples:
  stackgen deploy --redeploy-stage --env prod
  stackgen deploy --redeploy-stage --local
  stackgen deploy --local
  stackgen deploy --redeploy-stage --api-id a1b2c3d4e5 --stage-name prod --dry-run
  stackgen deploy --code-only --env dev";

/// Flags of `--redeploy-stage`.
#[derive(Args, Debug)]
#[command(next_help_heading = "Redeploying")]
pub(crate) struct RedeployArgs {
    /// Leave the code of functions, and the versions that are called, as they are
    #[arg(long, requires = "redeploy_stage")]
    pub(super) no_code: bool,

    /// Deploy although the stage serves the same already
    #[arg(long, requires = "redeploy_stage")]
    pub(super) force: bool,

    /// Delete the new deployment if the stage does not answer as it should
    #[arg(long, requires = "redeploy_stage")]
    pub(super) prune_failed: bool,

    /// How many deployments to keep of those made this way, besides what is served and what was before it
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 10,
        requires = "redeploy_stage"
    )]
    pub(super) keep: usize,

    /// Delete no old deployment
    #[arg(long, requires = "redeploy_stage", conflicts_with = "keep")]
    pub(super) no_prune: bool,
}

/// Flags that apply no template.
const OTHERS: [&str; 2] = ["redeploy_stage", "code_only"];

/// Flags of `--local` alone.
#[derive(Args, Debug)]
#[command(next_help_heading = "With `--local` alone")]
pub(crate) struct ApplyLocalArgs {
    /// A parameter of the template
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = name_and_value, conflicts_with_all = OTHERS)]
    pub(super) parameters: Vec<(String, String)>,

    /// Build functions optimised
    #[arg(long, conflicts_with_all = OTHERS)]
    pub(super) release: bool,

    /// Take functions as they were built before
    #[arg(long, conflicts_with_all = OTHERS)]
    pub(super) no_build: bool,

    /// Apply a template in which the linter finds errors
    #[arg(long, conflicts_with_all = OTHERS)]
    pub(super) despite_lint: bool,
}
