//! `stackgen policy`

mod document;
mod resources;
mod scope;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use stackgen_aws::AwsCall;
use stackgen_cfn::Node;
use stackgen_synth::Dialect;

use self::document::PolicyDocument;
use self::scope::PolicyScope;
use crate::account::stack_name;
use crate::error::CliError;
use crate::file;
use crate::outcome::CommandOutcome;
use crate::project::{Project, ProjectArgs};
use crate::ui::Ui;

/// Print the least-privilege IAM policy of a deploy, or of a diagnosis
///
/// Prints a policy as JSON for the identity that runs `stackgen deploy`. It allows the calls that stackgen makes for an
/// environment and, as CloudFormation changes resources as the caller, what the types of the template's resources take. With
/// `--role-arn`, CloudFormation uses that role: the caller may pass it, and needs no rights on the resources themselves.
///
/// `--for redeploy` is enough for `stackgen deploy --redeploy-stage`. `--for logs` and `--for doctor` allow only reading, for people
/// who look for the cause of a closed socket.
///
/// What is not known before a deploy is a wildcard: the IDs of APIs, and account and region unless they are given.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PolicyCommand {
    /// What the policy allows (default: `deploy`; with `--api-id`, `redeploy`)
    #[arg(long = "for", value_name = "TASK", help_heading = "Policy")]
    task: Option<PolicyTask>,

    /// Project file
    #[arg(
        long,
        short,
        value_name = "FILE",
        default_value = "stackgen.yaml",
        help_heading = "Target"
    )]
    file: PathBuf,

    /// Environment (default: the only one)
    #[arg(
        long = "env",
        short,
        value_name = "ENV",
        conflicts_with = "api_id",
        help_heading = "Target"
    )]
    environment: Option<String>,

    /// ID of the API to redeploy or to diagnose, which need not be in a project file
    #[arg(long, value_name = "ID", value_parser = identifier, help_heading = "Target")]
    api_id: Option<String>,

    /// Name of the stack (default: the name in the project file, `-` and the environment)
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "api_id",
        help_heading = "Target"
    )]
    stack_name: Option<String>,

    /// Bucket for code and template (default: the bucket of `stackgen bootstrap`)
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "api_id",
        help_heading = "Policy"
    )]
    bucket: Option<String>,

    /// ARN of the role that CloudFormation uses, as for `stackgen deploy`
    #[arg(
        long,
        value_name = "ARN",
        conflicts_with = "api_id",
        help_heading = "Policy"
    )]
    role_arn: Option<String>,

    /// Account (default: any)
    #[arg(long, value_name = "ID", default_value = "*", hide_default_value = true, value_parser = account, help_heading = "Policy")]
    account: String,

    /// Region (default: any)
    #[arg(long, value_name = "REGION", default_value = "*", hide_default_value = true, value_parser = identifier, help_heading = "Policy")]
    region: String,

    /// Partition of AWS
    #[arg(
        long,
        value_name = "NAME",
        default_value = "aws",
        help_heading = "Policy"
    )]
    #[arg(value_parser = ["aws", "aws-cn", "aws-us-gov"])]
    partition: String,
}

const EXAMPLES: &str = "\
Examples:
  stackgen policy --env prod --account 111122223333 --region eu-west-1
  stackgen policy --env prod --role-arn arn:aws:iam::111122223333:role/cloudformation
  stackgen policy --for redeploy --env prod
  stackgen policy --for doctor --env prod --account 111122223333 --region eu-west-1
  stackgen policy --for redeploy --api-id a1b2c3d4e5 --region eu-west-1";

/// Task that a policy allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PolicyTask {
    /// `stackgen deploy`
    Deploy,
    /// `stackgen deploy --redeploy-stage`
    Redeploy,
    /// `stackgen logs`, which only reads
    Logs,
    /// `stackgen doctor` without `--fix`, which only reads
    Doctor,
}

impl PolicyTask {
    /// Returns the calls of a command that only reads.
    fn reads(self) -> Option<&'static [AwsCall]> {
        match self {
            PolicyTask::Logs => Some(AwsCall::LOGS),
            PolicyTask::Doctor => Some(AwsCall::DOCTOR),
            PolicyTask::Deploy | PolicyTask::Redeploy => None,
        }
    }
}

fn account(text: &str) -> Result<String, String> {
    let is_id = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    match is_id || text == "*" {
        true => Ok(text.to_owned()),
        false => Err("an account ID has 12 digits".to_owned()),
    }
}

fn identifier(text: &str) -> Result<String, String> {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    match text == "*" || !text.is_empty() && text.bytes().all(is_safe) {
        true => Ok(text.to_owned()),
        false => Err("use letters, digits and hyphens".to_owned()),
    }
}

impl PolicyCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let policy = match &self.api_id {
            Some(api) => self.policy_of_api(api)?,
            None => self.policy_of_environment(ui)?,
        };
        ui.result(&policy.json())?;
        Ok(CommandOutcome::Done)
    }

    fn policy_of_api(&self, api: &str) -> Result<PolicyDocument, CliError> {
        if self.task == Some(PolicyTask::Deploy) {
            return Err(CliError::input(
                "`--api-id` names an API, but a deploy takes an environment",
            )
            .hint("use `--for redeploy`, or name an environment with `--env`"));
        }
        let scope = PolicyScope {
            api: api.to_owned(),
            ..self.scope(String::new(), None)
        };
        Ok(match self.task.and_then(PolicyTask::reads) {
            Some(calls) => PolicyDocument::reading(&scope, calls),
            None => PolicyDocument::redeploy(&scope),
        })
    }

    fn policy_of_environment(&self, ui: &Ui) -> Result<PolicyDocument, CliError> {
        let input = ProjectArgs {
            file: self.file.clone(),
            unbuilt: true,
        };
        let project = Project::load(&input, ui)?;
        let environment = project.only_environment(self.environment.as_deref())?;
        let folder = file::parent(&self.file);
        let rendered = project.render(environment, Dialect::CloudFormation, folder, ui)?;
        let stack = match &self.stack_name {
            Some(name) => name.clone(),
            None => stack_name(project.name(), environment).to_string(),
        };
        let scope = self.scope(stack, Some(rendered.template));
        if let Some(calls) = self.task.and_then(PolicyTask::reads) {
            return Ok(PolicyDocument::reading(&scope, calls));
        }
        match self.task {
            Some(PolicyTask::Redeploy) => Ok(PolicyDocument::redeploy(&scope)),
            _ => self.deploy_policy(&scope, ui),
        }
    }

    fn deploy_policy(&self, scope: &PolicyScope, ui: &Ui) -> Result<PolicyDocument, CliError> {
        let mut policy = PolicyDocument::deploy(scope);
        match &self.role_arn {
            Some(role) => policy.allow_passing(role),
            None => {
                let unknown = policy.allow_resources(scope);
                if !unknown.is_empty() {
                    ui.note(
                        &format!("the policy allows nothing for {}", unknown.join(", ")),
                        Some("add what CloudFormation needs for these resources under `resources`"),
                    );
                }
            }
        }
        Ok(policy)
    }

    fn scope(&self, stack: String, template: Option<Node>) -> PolicyScope {
        let bucket = format!("stackgen-artifacts-{}-{}", self.account, self.region);
        PolicyScope {
            partition: self.partition.clone(),
            region: self.region.clone(),
            account: self.account.clone(),
            stack,
            api: "*".to_owned(),
            bucket: self.bucket.clone().unwrap_or(bucket),
            template,
        }
    }
}
