//! Checks before anything is uploaded or changed.

use std::collections::BTreeSet;

use stackgen_cfn::Node;
use stackgen_deploy::account::AccountRegion;
use stackgen_deploy::stack::artifacts::check_bucket;
use stackgen_deploy::stack::change_set::{StackReadiness, readiness};
use stackgen_deploy::stack::{StackDescription, StackError, StackName};
use stackgen_deploy::{Account as _, DeployError, OperationContext};

use super::super::release_args::ReleaseArgs;
use super::request::{SentParameter, missing_capabilities, parameters, required_capabilities};
use crate::account::{AccountClient, artifact_bucket};
use crate::error::CliError;

/// What the checks found out.
#[derive(Debug)]
pub(super) struct Checked {
    /// The stack, if it exists.
    pub(super) stack: Option<StackDescription>,
    /// The bucket for code and template.
    pub(super) bucket: String,
    /// The parameters to send.
    pub(super) parameters: Vec<SentParameter>,
    /// The capabilities that the template needs.
    pub(super) capabilities: BTreeSet<&'static str>,
}

/// The stack that is deployed, and its template.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    pub(super) stack: &'a StackName,
    pub(super) template: &'a Node,
    /// Account that the project file names for the environment.
    pub(super) account: Option<&'a str>,
    /// Region that the project file names for the environment.
    pub(super) region: Option<&'a str>,
}

/// Checks account, region, stack, bucket, parameters and capabilities, and reports all problems at once.
///
/// # Errors
///
/// All problems.
pub(super) async fn check(
    subject: Subject<'_>,
    args: &ReleaseArgs,
    can_prompt: bool,
    account: &AccountClient,
    ctx: OperationContext<'_>,
) -> Result<Checked, CliError> {
    // Nothing else can be checked without credentials.
    let region = ctx.read(|| account.aws.account_region()).await?;
    let mut problems = place(subject, &region);
    let bucket = match &args.bucket {
        Some(bucket) => bucket.clone(),
        None => artifact_bucket(&region),
    };
    if let Err(error) = check_bucket(&account.aws, &bucket, &region.region, ctx).await {
        problems.push(fatal(error)?);
    }
    let stack = match stack(subject.stack, account, ctx).await {
        Ok(stack) => stack,
        Err(error) => {
            problems.push(fatal(error)?);
            None
        }
    };
    let sent = parameters(subject.template, &args.parameters, stack.as_ref());
    let sent = sent.unwrap_or_else(|errors| {
        problems.extend(errors);
        Vec::new()
    });
    let required = required_capabilities(subject.template);
    let missing = missing_capabilities(&required, &args.capabilities);
    if !missing.is_empty() && !can_prompt {
        let flags: Vec<_> = missing
            .iter()
            .map(|name| format!("--capability {name}"))
            .collect();
        let message = format!("the template needs the consent {}", missing.join(", "));
        let hint = format!("give it with `{}`", flags.join(" "));
        problems.push(CliError::input(message).hint(hint));
    }
    match CliError::all(problems) {
        Some(error) => Err(error),
        None => Ok(Checked {
            stack,
            bucket,
            parameters: sent,
            capabilities: required,
        }),
    }
}

/// Compares account and region with those of the project file.
fn place(subject: Subject<'_>, actual: &AccountRegion) -> Vec<CliError> {
    let pairs = [
        ("account", subject.account, &actual.account, "--profile"),
        ("region", subject.region, &actual.region, "--region"),
    ];
    let differing = pairs.into_iter().filter_map(|(what, declared, actual, flag)| {
        let declared = declared.filter(|declared| declared != actual)?;
        let message = format!(
            "the environment belongs to {what} {declared}, and the credentials are for {what} {actual}"
        );
        Some(CliError::input(message).hint(format!("select the right {what} with `{flag}`")))
    });
    differing.collect()
}

/// Returns the stack if it can be updated. A running operation is left to later steps: it may be an earlier run's.
async fn stack(
    name: &StackName,
    account: &AccountClient,
    ctx: OperationContext<'_>,
) -> Result<Option<StackDescription>, StackError> {
    match readiness(&account.aws, name, "", ctx).await {
        Ok(StackReadiness::Stack(stack)) => Ok(Some(stack)),
        Ok(_) => Ok(None),
        Err(StackError::Busy { .. }) => {
            let found = ctx
                .read(|| stackgen_deploy::stack::StackReader::stack(&account.aws, name.as_str()));
            Ok(found.await?)
        }
        Err(error) => Err(error),
    }
}

/// Returns a problem to report with the others, unless no further check makes sense.
fn fatal(error: StackError) -> Result<CliError, CliError> {
    match error {
        StackError::Deploy(DeployError::Interrupted) => Err(error.into()),
        other => Ok(other.into()),
    }
}
