//! Code of functions, and which version of them an API calls.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::account::{AccountRegion, ApiDescription, Part, PartKind};
use crate::progress::Step;
use crate::retry::OperationContext;
use crate::{
    Account, AccountErrorKind, ApiId, DeployError, FunctionName, FunctionState, FunctionVersion,
    UpdateStatus,
};

/// The largest zip file that Lambda takes in a call, in bytes; larger ones go through S3.
pub const LARGEST_ZIP: usize = 50 * 1024 * 1024;

/// Whether the stage is to serve published versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Release {
    /// The API calls functions; new code is live at once.
    Live,
    /// The API calls versions; new code is live with the deployment that calls them.
    Pinned,
}

/// Code that was built for a function.
#[derive(Clone)]
pub struct BuiltCode {
    /// The function.
    pub function: FunctionName,
    /// SHA-256 of the zip file in base64, as Lambda tells it.
    pub sha256: String,
    /// The zip file.
    pub zip: Arc<[u8]>,
}

impl BuiltCode {
    /// Code for a function, as the zip file that is sent.
    pub fn new(function: FunctionName, zip: Vec<u8>) -> Self {
        BuiltCode {
            function,
            sha256: STANDARD.encode(Sha256::digest(&zip)),
            zip: zip.into(),
        }
    }
}

impl fmt::Debug for BuiltCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} ({} bytes)",
            self.function,
            self.sha256,
            self.zip.len()
        )
    }
}

/// What would be done to functions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum CodePlan {
    /// The code would be replaced.
    Update(FunctionName),
    /// A version would be published, and what calls the function pointed at it.
    Publish(FunctionName),
}

/// Brings the code of functions to what was built. Answers those that changed.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn send(
    account: &impl Account,
    built: &[BuiltCode],
    ctx: OperationContext<'_>,
) -> Result<Vec<FunctionName>, DeployError> {
    let mut updated = Vec::new();
    for code in built {
        let function = &code.function;
        if state(account, function, ctx).await?.code_sha256 == code.sha256 {
            ctx.step(Step::CodeIsCurrent { function });
            continue;
        }
        ctx.step(Step::Updating { function });
        // Idempotent: the same zip file twice is the same code.
        ctx.call(|| account.update_code(function, &code.zip))
            .await?;
        settled(account, function, None, ctx).await?;
        ctx.step(Step::Updated { function });
        updated.push(function.clone());
    }
    Ok(updated)
}

async fn state(
    account: &impl Account,
    function: &FunctionName,
    ctx: OperationContext<'_>,
) -> Result<FunctionState, DeployError> {
    match ctx.read(|| account.function(function, None)).await {
        Err(DeployError::Account(error)) if error.kind == AccountErrorKind::NotFound => {
            Err(DeployError::NoFunction {
                function: function.clone(),
            })
        }
        other => other,
    }
}

/// Waits until the last change of a function, or the making of a version, is through.
async fn settled(
    account: &impl Account,
    function: &FunctionName,
    version: Option<&FunctionVersion>,
    ctx: OperationContext<'_>,
) -> Result<FunctionState, DeployError> {
    let started = tokio::time::Instant::now();
    loop {
        let state = ctx.read(|| account.function(function, version)).await?;
        match &state.update {
            UpdateStatus::Successful => return Ok(state),
            UpdateStatus::Failed(reason) => {
                return Err(DeployError::FunctionFailed {
                    function: function.clone(),
                    reason: reason.clone(),
                });
            }
            UpdateStatus::InProgress if started.elapsed() >= ctx.retry.function_timeout => {
                return Err(DeployError::FunctionTimedOut {
                    function: function.clone(),
                    after: ctx.retry.function_timeout,
                });
            }
            UpdateStatus::InProgress => ctx.interrupt.sleep(ctx.retry.poll_interval).await?,
        }
    }
}

/// Publishes what the functions that the API calls are, and lets integrations and authorizers call those versions. The
/// stage goes on serving its deployment. Nothing is changed unless all of it can be called afterwards.
pub(crate) async fn pin(
    account: &impl Account,
    api: &ApiId,
    place: &AccountRegion,
    ctx: OperationContext<'_>,
) -> Result<(), DeployError> {
    let description = ApiDescription::read(account, api, ctx).await?;
    callable(&description, place)?;
    let mut versions = BTreeMap::new();
    for function in description.functions(place) {
        let state = settled(account, &function, None, ctx).await?;
        let version = ctx
            .call(|| account.publish_version(&function, &state.code_sha256))
            .await?;
        settled(account, &function, Some(&version), ctx).await?;
        ctx.step(Step::Published {
            function: &function,
            version: &version,
        });
        versions.insert(function, version);
    }
    for part in &description.parts {
        let Some(invoked) = part.invoked().filter(|invoked| invoked.is_at(place)) else {
            continue;
        };
        let version = &versions[&invoked.function];
        if invoked.version().as_ref() == Some(version) {
            continue;
        }
        let uri = invoked.of_version(version);
        match part.kind {
            PartKind::Authorizer => {
                ctx.call(|| account.set_authorizer_uri(api, &part.id, &uri))
                    .await?;
            }
            _ => {
                ctx.call(|| account.set_integration_uri(api, &part.id, &uri))
                    .await?
            }
        }
        ctx.step(Step::Retargeted {
            what: &name(part),
            version,
        });
    }
    Ok(())
}

/// A version can be called by a role, or by a permission of its own. Whoever calls the function itself by the function's
/// permission could not call a version of it.
fn callable(description: &ApiDescription, place: &AccountRegion) -> Result<(), DeployError> {
    for part in &description.parts {
        let Some(invoked) = part.invoked().filter(|invoked| invoked.is_at(place)) else {
            continue;
        };
        if part.credentials().is_none() {
            return Err(DeployError::NotCallable {
                what: name(part),
                function: invoked.function,
            });
        }
    }
    Ok(())
}

/// What people call an integration or an authorizer.
fn name(part: &Part) -> String {
    match part.kind {
        PartKind::Authorizer => format!("authorizer {}", part.text("Name").unwrap_or(&part.id)),
        _ => format!("integration {}", part.id),
    }
}

/// Whose code [`send`] would replace.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn would_send(
    account: &impl Account,
    built: &[BuiltCode],
    ctx: OperationContext<'_>,
) -> Result<Vec<FunctionName>, DeployError> {
    let mut differing = Vec::new();
    for code in built {
        if state(account, &code.function, ctx).await?.code_sha256 != code.sha256 {
            differing.push(code.function.clone());
        }
    }
    Ok(differing)
}

/// What [`send`] and [`pin`] would do.
pub(crate) async fn plan(
    account: &impl Account,
    built: &[BuiltCode],
    pinned: Option<(&ApiDescription, &AccountRegion)>,
    ctx: OperationContext<'_>,
) -> Result<Vec<CodePlan>, DeployError> {
    let differing = would_send(account, built, ctx).await?;
    let mut plan: Vec<_> = differing.into_iter().map(CodePlan::Update).collect();
    let Some((description, place)) = pinned else {
        return Ok(plan);
    };
    callable(description, place)?;
    for function in description.functions(place) {
        let latest = state(account, &function, ctx).await?;
        let called = called(description, place, &function);
        let mut current = !plan.contains(&CodePlan::Update(function.clone())) && !called.is_empty();
        for version in &called {
            let Some(version) = version else {
                current = false;
                continue;
            };
            let published = ctx
                .read(|| account.function(&function, Some(version)))
                .await?;
            current &= published.code_sha256 == latest.code_sha256
                && published.configuration == latest.configuration;
        }
        if !current {
            plan.push(CodePlan::Publish(function));
        }
    }
    Ok(plan)
}

/// The versions of a function that an API calls; `None` for anything else than a version.
fn called(
    description: &ApiDescription,
    place: &AccountRegion,
    function: &FunctionName,
) -> Vec<Option<FunctionVersion>> {
    let invoked = description.parts.iter().filter_map(Part::invoked);
    let of_it = invoked.filter(|invoked| invoked.is_at(place) && invoked.function == *function);
    let mut versions: Vec<_> = of_it.map(|invoked| invoked.version()).collect();
    versions.sort();
    versions.dedup();
    versions
}
