//! Function versions that no deployment calls any more.
//!
//! API Gateway does not return the snapshot of a deployment, so a pinned release records the versions that a deployment calls
//! in its description. For a deployment without that record, every version that existed when it was created counts as called.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use time::OffsetDateTime;

use crate::account::{AccountRegion, ApiPart, ApiPartKind, called_versions};
use crate::progress::DeployStep;
use crate::retry::OperationContext;
use crate::{
    Account, AccountErrorKind, ApiId, CalledVersion, DeployError, DeploymentId, DeploymentInfo,
    FunctionName, PublishedVersion,
};

/// Difference between the times of API Gateway, which are whole seconds, and those of Lambda.
const CLOCKS: Duration = Duration::from_secs(60);

/// What pruning of versions starts from.
#[derive(Clone, Copy, Debug)]
pub struct VersionsRequest<'a> {
    /// The API.
    pub api: &'a ApiId,
    /// The deployments of the API that remain.
    pub remaining: &'a [DeploymentInfo],
    /// The newest deployment of the API's stack, if the versions in the stack are known.
    pub of_stack: Option<&'a DeploymentId>,
    /// The versions in the stack, which that deployment calls.
    pub in_stack: &'a BTreeSet<CalledVersion>,
}

/// What an API calls: its wiring, and each of its deployments.
struct ApiCalls {
    called: BTreeSet<CalledVersion>,
    /// Times of the deployments of which nobody knows what they call.
    unknown: Vec<OffsetDateTime>,
}

impl ApiCalls {
    fn of<'d>(
        wiring: BTreeSet<CalledVersion>,
        deployments: impl IntoIterator<Item = &'d DeploymentInfo>,
    ) -> Self {
        let mut calls = ApiCalls {
            called: wiring,
            unknown: Vec::new(),
        };
        for deployment in deployments {
            match deployment.metadata().and_then(|metadata| metadata.calls) {
                Some(called) => calls.called.extend(called),
                None => calls.unknown.push(deployment.created),
            }
        }
        calls
    }

    fn may_call(&self, function: &FunctionName, published: &PublishedVersion) -> bool {
        let version = CalledVersion {
            function: function.clone(),
            version: published.version.clone(),
        };
        let was_there = |created: &OffsetDateTime| *created + CLOCKS >= published.published;
        self.called.contains(&version) || self.unknown.iter().any(was_there)
    }
}

/// Returns the function versions that no deployment calls any more: neither those of the API, nor those of other APIs that
/// call the same functions. Of each function the newest version stays. Changes nothing.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn unused_versions(
    account: &impl Account,
    request: VersionsRequest<'_>,
    ctx: OperationContext<'_>,
) -> Result<Vec<CalledVersion>, DeployError> {
    let region = ctx.read(|| account.account_region()).await?;
    let wiring = wiring(account, request.api, &region, ctx).await?;
    let known = request.remaining.iter();
    let known = known.filter(|one| Some(&one.id) != request.of_stack);
    let mut own = ApiCalls::of(wiring, known);
    own.called.extend(request.in_stack.iter().cloned());
    let functions: BTreeSet<_> = own.called.iter().map(|one| one.function.clone()).collect();
    if functions.is_empty() {
        return Ok(Vec::new());
    }
    let mut all = vec![own];
    for api in ctx.read(|| account.apis()).await? {
        if api.id == *request.api {
            continue;
        }
        let wiring = invoked(account, &api.id, ctx).await?;
        let is_shared = |part: &ApiPart| {
            let invoked = part.invocation();
            invoked.is_some_and(|invoked| functions.contains(&invoked.function))
        };
        if wiring.iter().any(is_shared) {
            let deployments = ctx.read(|| account.deployments(&api.id)).await?;
            let wiring = called_versions(&wiring, &region);
            all.push(ApiCalls::of(wiring, &deployments));
        }
    }
    let mut unused = Vec::new();
    for function in functions {
        let mut versions = ctx.read(|| account.versions(&function)).await?;
        versions.sort_by_key(|one| one.version.number());
        versions.pop();
        let is_unused =
            |one: &&PublishedVersion| !all.iter().any(|api| api.may_call(&function, one));
        let found = versions.iter().filter(is_unused);
        unused.extend(found.map(|one| CalledVersion {
            function: function.clone(),
            version: one.version.clone(),
        }));
    }
    Ok(unused)
}

async fn wiring(
    account: &impl Account,
    api: &ApiId,
    region: &AccountRegion,
    ctx: OperationContext<'_>,
) -> Result<BTreeSet<CalledVersion>, DeployError> {
    let parts = invoked(account, api, ctx).await?;
    Ok(called_versions(&parts, region))
}

/// Returns the parts of an API that invoke functions.
async fn invoked(
    account: &impl Account,
    api: &ApiId,
    ctx: OperationContext<'_>,
) -> Result<Vec<ApiPart>, DeployError> {
    let mut parts = Vec::new();
    for kind in [ApiPartKind::Integration, ApiPartKind::Authorizer] {
        parts.extend(ctx.read(|| account.parts(api, kind, None)).await?);
    }
    Ok(parts)
}

/// Deletes function versions. Returns those that were deleted. One that an alias or an event source uses stays, because Lambda
/// refuses to delete it.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn delete_versions(
    account: &impl Account,
    versions: &[CalledVersion],
    ctx: OperationContext<'_>,
) -> Result<Vec<CalledVersion>, DeployError> {
    let mut deleted = Vec::new();
    for version in versions {
        let name = version.to_string();
        match ctx.call(|| account.delete_version(version)).await {
            Ok(()) => {}
            Err(DeployError::Account(error)) if error.kind == AccountErrorKind::NotFound => {}
            Err(DeployError::Account(error))
                if error.is_transient() || error.kind == AccountErrorKind::Refused =>
            {
                ctx.step(DeployStep::Skipped {
                    what: &name,
                    reason: &error.to_string(),
                });
                continue;
            }
            Err(error) => return Err(error),
        }
        ctx.step(DeployStep::DeletedVersion { version });
        deleted.push(version.clone());
    }
    Ok(deleted)
}

/// Groups versions by function, for people: `hello-prod: 1, 2`.
pub fn by_function(versions: &[CalledVersion]) -> Vec<String> {
    let mut grouped: BTreeMap<&FunctionName, Vec<&str>> = BTreeMap::new();
    for one in versions {
        let numbers = grouped.entry(&one.function).or_default();
        numbers.push(one.version.as_str());
    }
    let lines = grouped.into_iter();
    lines
        .map(|(function, numbers)| format!("{function}: {}", numbers.join(", ")))
        .collect()
}
