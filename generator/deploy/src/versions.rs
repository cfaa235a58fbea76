//! Function versions that no deployment calls any more.
//!
//! API Gateway does not return the snapshot of a deployment, so a pinned release records the versions that a deployment calls
//! in its description. For a deployment without that record, every version that existed when it was created counts as called.

use std::collections::BTreeSet;
use std::time::Duration;

use time::OffsetDateTime;

use crate::account::{ApiPart, ApiPartKind, called_versions};
use crate::progress::DeployStep;
use crate::prune::is_deleted;
use crate::retry::OperationContext;
use crate::{
    Account, AccountErrorKind, ApiId, CalledVersion, DeployError, DeploymentId, DeploymentInfo,
    FunctionName, PublishedVersion,
};

/// Difference between the times of API Gateway, which are whole seconds, and those of Lambda.
const CLOCKS: Duration = Duration::from_secs(60);

/// A search for the function versions that an API does not call any more.
#[derive(Clone, Copy, Debug)]
pub struct VersionsRequest<'a> {
    /// The API.
    pub api: &'a ApiId,
    /// The deployments of the API that remain.
    pub remaining: &'a [DeploymentInfo],
    /// The deployment in the API's stack, if the stack and its versions are known.
    pub of_stack: Option<&'a DeploymentId>,
    /// The versions in the stack, which that deployment calls.
    pub in_stack: &'a BTreeSet<CalledVersion>,
}

/// The function versions that an API and its deployments call.
struct ApiCalls {
    called: BTreeSet<CalledVersion>,
    /// Creation times of deployments whose calls are not known.
    unknown: Vec<OffsetDateTime>,
}

impl ApiCalls {
    /// Collects the calls of an API and its deployments. The calls of the `known` deployment are among `called`.
    fn of(
        called: BTreeSet<CalledVersion>,
        deployments: &[DeploymentInfo],
        known: Option<&DeploymentId>,
    ) -> Self {
        let mut calls = ApiCalls {
            called,
            unknown: Vec::new(),
        };
        for deployment in deployments {
            match deployment.metadata().and_then(|metadata| metadata.calls) {
                Some(called) => calls.called.extend(called),
                None if Some(&deployment.id) == known => {}
                None => calls.unknown.push(deployment.created),
            }
        }
        calls
    }

    fn names(&self, functions: &BTreeSet<FunctionName>) -> bool {
        let mut called = self.called.iter();
        called.any(|version| functions.contains(&version.function))
    }

    fn may_call(&self, version: &CalledVersion, published: OffsetDateTime) -> bool {
        let was_there = |created: &OffsetDateTime| *created + CLOCKS >= published;
        self.called.contains(version) || self.unknown.iter().any(was_there)
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
    let parts = invoking_parts(account, request.api, ctx).await?;
    let mut called = called_versions(&parts, &region);
    called.extend(request.in_stack.iter().cloned());
    let own = ApiCalls::of(called, request.remaining, request.of_stack);
    let functions: BTreeSet<_> = own.called.iter().map(|one| one.function.clone()).collect();
    if functions.is_empty() {
        return Ok(Vec::new());
    }
    let mut all = vec![own];
    for api in ctx.read(|| account.apis()).await? {
        if api.id == *request.api {
            continue;
        }
        let parts = invoking_parts(account, &api.id, ctx).await?;
        let deployments = ctx.read(|| account.deployments(&api.id)).await?;
        let calls = ApiCalls::of(called_versions(&parts, &region), &deployments, None);
        let mut invoked = parts.iter().filter_map(ApiPart::invocation);
        let is_shared = invoked.any(|invoked| functions.contains(&invoked.function));
        if is_shared || calls.names(&functions) {
            all.push(calls);
        }
    }
    let mut unused = Vec::new();
    for function in functions {
        let mut versions = ctx.read(|| account.versions(&function)).await?;
        versions.sort_by_key(|one| one.version.number());
        versions.pop();
        for PublishedVersion { version, published } in versions {
            let function = function.clone();
            let version = CalledVersion { function, version };
            if !all.iter().any(|api| api.may_call(&version, published)) {
                unused.push(version);
            }
        }
    }
    Ok(unused)
}

/// Returns the parts of an API that invoke functions.
async fn invoking_parts(
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

/// Deletes function versions. Returns those that were deleted. One that an alias names stays, because Lambda refuses to delete
/// it.
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
        let delete = || async {
            match account.delete_version(version).await {
                // An alias names the version, which a retry does not change.
                Err(error) if error.kind == AccountErrorKind::Conflict => Ok(Err(error)),
                result => result.map(Ok),
            }
        };
        let result = match ctx.call(delete).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(conflict)) => Err(conflict.into()),
            Err(error) => Err(error),
        };
        if is_deleted(result, &version.to_string(), ctx)? {
            ctx.step(DeployStep::DeletedVersion { version });
            deleted.push(version.clone());
        }
    }
    Ok(deleted)
}
