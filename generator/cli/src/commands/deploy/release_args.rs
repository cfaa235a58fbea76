//! Flags of a deploy of the whole stack.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::values::name_and_value;

/// Flags that apply no template.
const OTHERS: [&str; 2] = ["redeploy_stage", "code_only"];

/// Way to update a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum UpdateMethod {
    /// Through a change set, which shows the changes before they are made
    ChangeSet,
    /// At once
    Direct,
}

/// Tool that has a bucket for its deploys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BucketOwner {
    /// The bucket of `cdk bootstrap` with the default qualifier
    Cdk,
    /// The bucket of `sam deploy --resolve-s3`
    Sam,
}

/// Flags of a deploy of the whole stack, to AWS or with `--local`.
#[derive(Args, Debug)]
#[command(next_help_heading = "Deploying the stack")]
pub(crate) struct ReleaseArgs {
    /// Parameter of the template; repeatable
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = name_and_value, conflicts_with_all = OTHERS)]
    pub(crate) parameters: Vec<(String, String)>,

    /// Do not build: use functions as they were built before
    #[arg(long, conflicts_with_all = OTHERS)]
    pub(crate) no_build: bool,

    /// Deploy the template even if the linter finds errors
    #[arg(long, conflicts_with_all = OTHERS)]
    pub(crate) despite_lint: bool,

    /// Name of the stack (default: the name in the project file, `-` and the environment)
    #[arg(long, value_name = "NAME", conflicts_with_all = OTHERS, conflicts_with = "local")]
    pub(crate) stack_name: Option<String>,

    /// Bucket for code and template (default: the one that `stackgen bootstrap` created)
    #[arg(long, value_name = "BUCKET", conflicts_with_all = OTHERS, conflicts_with = "local")]
    pub(crate) bucket: Option<String>,

    /// Use the bucket that another tool created for its own deploys in this account and region
    #[arg(long, value_name = "TOOL", conflicts_with_all = OTHERS, conflicts_with_all = ["local", "bucket"])]
    pub(crate) bucket_of: Option<BucketOwner>,

    /// Tag of the stack and its resources; repeatable. Without this flag, the stack keeps its tags
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = name_and_value, conflicts_with_all = OTHERS, conflicts_with = "local")]
    pub(crate) tags: Vec<(String, String)>,

    /// Consent to what the template creates, such as CAPABILITY_IAM; repeatable (on a terminal, the question is enough)
    #[arg(long = "capability", value_name = "NAME", conflicts_with_all = OTHERS, conflicts_with = "local")]
    pub(crate) capabilities: Vec<String>,

    /// Way to update the stack: `direct` shows no plan and is faster, for environments with `release: live`
    #[arg(long, value_name = "METHOD", default_value = "change-set", conflicts_with_all = OTHERS, conflicts_with_all = ["local", "dry_run", "plan", "plan_out"])]
    pub(crate) method: UpdateMethod,

    /// Let CloudFormation end the update before all resources are ready (express mode), for environments with `release: live`
    #[arg(long, conflicts_with_all = OTHERS, conflicts_with_all = ["local", "plan"])]
    pub(crate) express: bool,

    /// File with a stack policy, which limits what updates may change
    #[arg(long, value_name = "FILE", conflicts_with_all = OTHERS, conflicts_with = "local")]
    pub(crate) stack_policy: Option<PathBuf>,

    /// Role with which CloudFormation creates and changes the resources
    #[arg(long, value_name = "ARN", conflicts_with_all = OTHERS, conflicts_with = "local")]
    pub(crate) role_arn: Option<String>,

    /// Write the plan to a file, and deploy nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = OTHERS, conflicts_with_all = ["local", "dry_run", "plan"])]
    pub(crate) plan_out: Option<PathBuf>,

    /// Deploy the plan of an earlier `--plan-out`, unless the stack changed since
    #[arg(long, value_name = "FILE", conflicts_with_all = OTHERS, conflicts_with_all = ["local", "dry_run"])]
    pub(crate) plan: Option<PathBuf>,

    /// Show why the last deploy of the stack failed
    #[arg(long, conflicts_with_all = OTHERS, conflicts_with_all = ["local", "dry_run", "plan", "plan_out"])]
    pub(crate) diagnose: bool,

    /// Do not ask for confirmation
    #[arg(long, short, conflicts_with_all = OTHERS)]
    pub(crate) yes: bool,
}
