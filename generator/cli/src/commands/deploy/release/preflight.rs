//! Checks before anything is uploaded or changed.

use std::collections::BTreeSet;
use std::path::Path;

use stackgen_cfn::{Map, Node};
use stackgen_deploy::account::AccountRegion;
use stackgen_deploy::stack::artifacts::check_bucket;
use stackgen_deploy::stack::change_set::stack_to_update;
use stackgen_deploy::stack::concurrency::{ReservedConcurrency, check_concurrency};
use stackgen_deploy::stack::log_role::check_log_role;
use stackgen_deploy::stack::names::{check_names, named_resources, own_resources};
use stackgen_deploy::stack::quotas::{QuotaDemand, check_quotas};
use stackgen_deploy::stack::{StackDescription, StackError, StackName, StackReader as _};
use stackgen_deploy::{Account as _, DeployError, FunctionName, OperationContext};
use stackgen_model::{Inputs, Model, Protocol, Stage};

use super::super::release_args::{BucketOwner, ReleaseArgs};
use super::issuer::check_issuer;
use super::request::{SentParameter, missing_capabilities, parameters, required_capabilities};
use crate::account::{AccountClient, artifact_bucket};
use crate::error::CliError;
use crate::package::code_sizes;
use crate::ui::Ui;

/// Result of the checks.
#[derive(Debug)]
pub(super) struct Checked {
    /// The stack, if it exists.
    pub(super) stack: Option<StackDescription>,
    /// The bucket for code and template.
    pub(super) bucket: String,
    /// The parameters to send.
    pub(super) parameters: Vec<SentParameter>,
    /// The capabilities that the template needs and no flag consents to.
    pub(super) missing_capabilities: Vec<&'static str>,
    /// The capabilities that the template needs.
    pub(super) capabilities: BTreeSet<&'static str>,
}

/// The stack that is deployed, and its template.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    pub(super) stack: &'a StackName,
    pub(super) template: &'a Node,
    /// The folder at which paths of the template start.
    pub(super) folder: &'a Path,
    /// The issuers of the tokens that API Gateway checks.
    pub(super) issuers: &'a BTreeSet<&'a str>,
}

/// Checks stack, bucket, names, quotas, parameters and capabilities, and reports all problems at once.
///
/// # Errors
///
/// All problems.
pub(super) async fn check(
    subject: Subject<'_>,
    args: &ReleaseArgs,
    ui: &Ui,
    account: &AccountClient,
    ctx: OperationContext<'_>,
) -> Result<Checked, CliError> {
    // Nothing else can be checked without credentials.
    let region = ctx.read(|| account.aws.account_region()).await?;
    let mut problems = Vec::new();
    let bucket = bucket(args, &region, account, ctx).await?;
    if let Err(error) = check_bucket(&account.aws, &bucket, &region.region, ctx).await {
        problems.push(fatal(error)?);
    }
    let stack = match stack_to_update(&account.aws, subject.stack, ctx).await {
        Ok(stack) => {
            let problem = check_resources(subject, account, ctx);
            problems.extend(problem.await?);
            stack
        }
        Err(error) => {
            problems.push(fatal(error)?);
            None
        }
    };
    if needs_log_role(subject.template)
        && let Err(error) = check_log_role(&account.aws, ctx).await
    {
        problems.push(fatal(error)?);
    }
    let planned = reserved_concurrency(subject.template);
    if let Err(error) = check_concurrency(&account.aws, &planned, ctx).await {
        problems.push(fatal(error)?);
    }
    for issuer in subject.issuers {
        let checked = check_issuer(issuer, &account.network, ui);
        problems.extend(ctx.interrupt.unless(checked).await?);
    }
    let sent = parameters(subject.template, &args.parameters, stack.as_ref());
    let sent = sent.unwrap_or_else(|errors| {
        problems.extend(errors);
        Vec::new()
    });
    let required = required_capabilities(subject.template);
    let missing = missing_capabilities(&required, &args.capabilities);
    if !missing.is_empty() && !ui.can_prompt() {
        problems.push(needs_consent(&missing));
    }
    match CliError::all(problems) {
        Some(error) => Err(error),
        None => Ok(Checked {
            stack,
            bucket,
            parameters: sent,
            missing_capabilities: missing,
            capabilities: required,
        }),
    }
}

/// Checks names and quotas. Returns the problems.
async fn check_resources(
    subject: Subject<'_>,
    account: &AccountClient,
    ctx: OperationContext<'_>,
) -> Result<Vec<CliError>, CliError> {
    let aws = &account.aws;
    let Some(own) = own_resources(aws, subject.stack, ctx).await? else {
        return Ok(Vec::new());
    };
    let mut problems = Vec::new();
    let named = named_resources(subject.template);
    if let Err(error) = check_names(aws, subject.stack, &named, &own.resources, ctx).await {
        problems.push(fatal(error)?);
    }
    let exists = |id: &str| own.has(id);
    let demand = QuotaDemand {
        creates_stack: !own.stack_exists,
        code: added_code_bytes(subject, exists),
        ..QuotaDemand::of(subject.template, exists)
    };
    if let Err(error) = check_quotas(aws, &demand, ctx).await {
        problems.push(fatal(error)?);
    }
    Ok(problems)
}

/// Returns the size of the code that is stored anew: of new functions, and of new versions. New code of other functions
/// replaces code of about the same size.
fn added_code_bytes(subject: Subject<'_>, exists: impl Fn(&str) -> bool) -> u64 {
    let sizes = code_sizes(subject.template, subject.folder);
    let resources = subject.template.get("Resources").and_then(Node::as_map);
    let new = resources.into_iter().flat_map(Map::iter);
    let new = new.filter(|(id, _)| !exists(id));
    let code = new.filter_map(|(id, resource)| match resource.get("Type")?.as_str()? {
        "AWS::Lambda::Function" => sizes.get(id),
        "AWS::Lambda::Version" => {
            let function = resource.get("Properties")?.get("FunctionName")?;
            sizes.get(function.as_call()?.as_ref_name()?)
        }
        _ => None,
    });
    code.sum()
}

fn needs_consent(missing: &[&str]) -> CliError {
    let flags: Vec<_> = missing
        .iter()
        .map(|name| format!("--capability {name}"))
        .collect();
    let message = format!("the template needs the consent {}", missing.join(", "));
    CliError::input(message).hint(format!("give it with `{}`", flags.join(" ")))
}

/// Returns true if a stage of a WebSocket API writes logs, and the template does not set the role for them itself (row L3).
fn needs_log_role(template: &Node) -> bool {
    let model = Model::from_template(template, &Inputs::none());
    let mut resources = model.resources.values();
    let sets_role = resources.any(|resource| resource.kind == "AWS::ApiGateway::Account");
    let sockets = model.apis.iter();
    let mut sockets = sockets.filter(|api| api.protocol == Protocol::WebSocket);
    !sets_role && sockets.any(|api| api.stages.iter().any(Stage::has_logs))
}

/// Returns the properties of the functions of a template.
fn functions(template: &Node) -> impl Iterator<Item = &Node> {
    let resources = template.get("Resources").and_then(Node::as_map);
    let resources = resources.into_iter().flat_map(Map::iter);
    resources.filter_map(|(_, resource)| {
        let kind = resource.get("Type").and_then(Node::as_str);
        kind.filter(|kind| *kind == "AWS::Lambda::Function")?;
        resource.get("Properties")
    })
}

/// Returns the concurrent executions that the functions of a template reserve.
fn reserved_concurrency(template: &Node) -> Vec<ReservedConcurrency> {
    let reserved = functions(template).filter_map(|properties| {
        let executions = properties.get("ReservedConcurrentExecutions")?.as_int()?;
        Some(ReservedConcurrency {
            function: FunctionName::new(properties.get("FunctionName")?.as_str()?),
            executions: u32::try_from(executions).ok()?,
        })
    });
    reserved.collect()
}

/// Returns the bucket for code and template.
async fn bucket(
    args: &ReleaseArgs,
    region: &AccountRegion,
    account: &AccountClient,
    ctx: OperationContext<'_>,
) -> Result<String, CliError> {
    match (&args.bucket, args.bucket_of) {
        (Some(bucket), _) => Ok(bucket.clone()),
        (None, None) => Ok(artifact_bucket(region)),
        (None, Some(BucketOwner::Cdk)) => Ok(format!(
            "cdk-hnb659fds-assets-{}-{}",
            region.account, region.region
        )),
        (None, Some(BucketOwner::Sam)) => {
            let stack = ctx.read(|| account.aws.stack(SAM_STACK)).await?;
            let outputs = stack.map(|stack| stack.outputs).unwrap_or_default();
            let mut outputs = outputs.into_iter();
            let bucket = outputs.find(|(name, _)| name == "SourceBucket");
            bucket.map(|(_, bucket)| bucket).ok_or_else(|| {
                CliError::failed(format!("there is no stack {SAM_STACK} with a bucket"))
                    .hint("SAM creates it with `sam deploy --resolve-s3`; or name a bucket with `--bucket`")
            })
        }
    }
}

/// The stack of SAM's bucket.
const SAM_STACK: &str = "aws-sam-cli-managed-default";

/// Returns a problem to report with the others, unless no further check makes sense.
fn fatal(error: StackError) -> Result<CliError, CliError> {
    match error {
        StackError::Deploy(DeployError::Interrupted) => Err(error.into()),
        other => Ok(other.into()),
    }
}
