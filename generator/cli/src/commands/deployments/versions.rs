//! The function versions that `stackgen deployments prune` deletes.

use std::collections::BTreeSet;

use stackgen_deploy::stack::{OwningStack, find_owner};
use stackgen_deploy::versions::{VersionsRequest, unused_versions};
use stackgen_deploy::{
    ApiInfo, CalledVersion, CreatedBy, DeployError, DeployStep, DeploymentInfo, OperationContext,
};

use crate::account::{AccountClient, StageTarget};
use crate::error::CliError;

/// Resource type of function versions.
const VERSION_TYPE: &str = "AWS::Lambda::Version";

/// Returns the function versions that no remaining deployment of an API calls. None if they cannot be read: then a step says
/// so.
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
        // Without the stack, its deployment counts as one of which nobody knows what it calls, so that more is kept. The local
        // gateway has no stacks.
        owner => owner.ok().flatten(),
    };
    let in_stack = owner.as_ref().map(versions_in).unwrap_or_default();
    let of_template = remaining
        .iter()
        .filter(|one| owner.is_some() && one.created_by() == CreatedBy::Template);
    let newest = of_template.max_by_key(|one| one.created);
    let request = VersionsRequest {
        api: &api.id,
        remaining,
        of_stack: newest.map(|one| &one.id),
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
