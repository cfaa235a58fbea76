//! The function versions that `stackgen deployments prune` deletes.

use std::collections::{BTreeMap, BTreeSet};

use stackgen_deploy::stack::{OwningStack, find_owner};
use stackgen_deploy::versions::{VersionsRequest, delete_versions, unused_versions};
use stackgen_deploy::{
    Account as _, ApiInfo, CalledVersion, DeployError, DeployStep, DeploymentInfo, OperationContext,
};

use crate::account::{AccountClient, StageTarget};
use crate::error::CliError;

/// Resource type of deployments.
const DEPLOYMENT_TYPE: &str = "AWS::ApiGatewayV2::Deployment";

/// Resource type of function versions.
const VERSION_TYPE: &str = "AWS::Lambda::Version";

/// Returns the function versions that no remaining deployment of an API calls. If they cannot be read, there are none, and a
/// step reports the reason.
pub(super) async fn unused(
    account: &AccountClient,
    target: &StageTarget,
    api: &ApiInfo,
    remaining: &[DeploymentInfo],
    ctx: OperationContext<'_>,
) -> Result<Vec<CalledVersion>, CliError> {
    let owner = find_owner(&account.aws, api, target.stack.as_ref(), ctx).await;
    let owner = match owner {
        Err(DeployError::Interrupted) => return Err(DeployError::Interrupted.into()),
        // Without the stack, the calls of its deployment may be unknown, so that more versions are kept. The local gateway has
        // no stacks.
        owner => owner.ok().flatten(),
    };
    let in_stack = owner.as_ref().map(versions_in).unwrap_or_default();
    let of_stack = owner.as_ref().and_then(|owner| {
        let mut remaining = remaining.iter();
        let found =
            remaining.find(|one| owner.logical_id(DEPLOYMENT_TYPE, one.id.as_str()).is_some());
        found.map(|one| &one.id)
    });
    let request = VersionsRequest {
        api: &api.id,
        remaining,
        of_stack,
        in_stack: &in_stack,
    };
    match unused_versions(&account.aws, request, ctx).await {
        Ok(unused) => Ok(unused),
        Err(DeployError::Interrupted) => Err(DeployError::Interrupted.into()),
        Err(error) => {
            (ctx.steps)(DeployStep::Skipped {
                what: "looking for unused function versions",
                reason: &error.to_string(),
            });
            Ok(Vec::new())
        }
    }
}

/// Deletes those of the planned function versions that are unused still: API Gateway may have kept deployments that were to be
/// deleted, and other runs may have created some.
pub(super) async fn delete_unused(
    account: &AccountClient,
    target: &StageTarget,
    api: &ApiInfo,
    planned: &[CalledVersion],
    ctx: OperationContext<'_>,
) -> Result<Vec<CalledVersion>, CliError> {
    if planned.is_empty() {
        return Ok(Vec::new());
    }
    let remaining = ctx.read(|| account.aws.deployments(&api.id)).await?;
    let mut unused = unused(account, target, api, &remaining, ctx).await?;
    unused.retain(|version| planned.contains(version));
    Ok(delete_versions(&account.aws, &unused, ctx).await?)
}

/// Returns the versions in a stack.
fn versions_in(owner: &OwningStack) -> BTreeSet<CalledVersion> {
    let versions = owner.resources.iter();
    let versions = versions.filter(|resource| resource.kind == VERSION_TYPE);
    let versions = versions.filter_map(|resource| {
        // `arn:aws:lambda:us-east-1:123456789012:function:hello:3`
        let arn = resource.physical_id.as_deref()?;
        CalledVersion::parse(arn.splitn(7, ':').nth(6)?)
    });
    versions.collect()
}

/// Groups versions by function: `hello-prod: 1, 2`.
pub(super) fn by_function(versions: &[CalledVersion]) -> Vec<String> {
    let mut grouped: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in versions {
        let numbers = grouped.entry(one.function.as_str()).or_default();
        numbers.push(one.version.as_str());
    }
    let lines = grouped.into_iter();
    lines
        .map(|(function, numbers)| format!("{function}: {}", numbers.join(", ")))
        .collect()
}
