//! Code of functions, and the versions that an API invokes.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{StreamExt, stream};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::account::{AccountRegion, ApiDescription, ApiPart, ApiPartKind};
use crate::progress::DeployStep;
use crate::retry::{MOST_STALE_READS, OperationContext};
use crate::{
    Account, AccountErrorKind, ApiId, DeployError, FunctionName, FunctionState, FunctionVersion,
    UpdateStatus,
};

/// The largest zip file that UpdateFunctionCode accepts, in bytes. Larger ones go through S3.
pub const LARGEST_ZIP: usize = 50 * 1024 * 1024;

/// The largest number of attempts to replace code that something else replaces, too.
const MOST_ATTEMPTS: u32 = 10;

/// Number of functions that are updated at a time.
const PARALLEL: usize = 8;

/// Release mode of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReleaseMode {
    /// The API invokes functions. New code is live at once.
    Live,
    /// The API invokes published versions. New code is live with the deployment that invokes them.
    Pinned,
}

/// Built code of a function.
#[derive(Clone)]
pub struct BuiltCode {
    /// The function.
    pub function: FunctionName,
    /// SHA-256 of the zip file in base64: Lambda's `CodeSha256`.
    pub sha256: String,
    /// The zip file.
    pub zip: Arc<[u8]>,
}

impl BuiltCode {
    /// Takes the zip file of a function.
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

/// A planned change of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum CodePlan {
    /// Its code would be replaced.
    Update(FunctionName),
    /// A version would be published, and the API would invoke it.
    Publish(FunctionName),
}

/// Replaces code that differs from what was built, of several functions at a time. Returns the functions that changed. After a
/// failure, running updates are finished.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn send(
    account: &impl Account,
    built: &[BuiltCode],
    ctx: OperationContext<'_>,
) -> Result<Vec<FunctionName>, DeployError> {
    let has_failed = Cell::new(false);
    let sends = stream::iter(built).map(|code| async {
        // After a failure, what runs is finished, and nothing new begins.
        if has_failed.get() {
            return Ok(false);
        }
        let sent = send_one(account, code, ctx).await;
        has_failed.set(has_failed.get() || sent.is_err());
        sent
    });
    let sent: Vec<_> = sends.buffered(PARALLEL).collect().await;
    let (mut updated, mut failure) = (Vec::new(), None);
    for (code, sent) in built.iter().zip(sent) {
        let function = &code.function;
        match sent {
            Ok(true) => {
                ctx.step(DeployStep::Updated { function });
                updated.push(function.clone());
            }
            Ok(false) => {}
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    failure.map_or(Ok(updated), Err)
}

/// Sends the code of a function unless it has it, and waits until the update is complete. Returns true if it was sent.
async fn send_one(
    account: &impl Account,
    code: &BuiltCode,
    ctx: OperationContext<'_>,
) -> Result<bool, DeployError> {
    let function = &code.function;
    let mut found = state(account, function, ctx).await?;
    if found.code_sha256 == code.sha256 {
        ctx.step(DeployStep::CodeIsCurrent { function });
        return Ok(false);
    }
    ctx.step(DeployStep::Updating { function });
    let mut attempts = 1;
    loop {
        let revision = found.revision.as_deref();
        // Safe to repeat: the same zip file twice is the same code.
        let sent = ctx.call(|| account.update_code(function, revision, &code.zip));
        match sent.await {
            Ok(()) => break,
            // Something else changed the function meanwhile, or an attempt without an answer did.
            Err(DeployError::Account(error))
                if error.kind == AccountErrorKind::Outdated && attempts < MOST_ATTEMPTS => {}
            Err(error) => return Err(error),
        }
        attempts += 1;
        ctx.interrupt.sleep(ctx.retry.poll_interval).await?;
        found = state(account, function, ctx).await?;
        if found.code_sha256 == code.sha256 {
            break;
        }
    }
    let latest = AwaitedCode {
        version: None,
        sha256: Some(&code.sha256),
    };
    wait_until_updated(account, function, latest, ctx).await?;
    Ok(true)
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

/// Code that Lambda takes over.
#[derive(Clone, Copy, Debug, Default)]
struct AwaitedCode<'a> {
    /// The version; `None` for the unpublished code.
    version: Option<&'a FunctionVersion>,
    /// The digest that this run sent.
    sha256: Option<&'a str>,
}

/// Waits until the last update of a function, or the publication of a version, is complete. A new version or new code may not
/// be visible at once; after some reads, what is shown counts: another run may have replaced the code.
async fn wait_until_updated(
    account: &impl Account,
    function: &FunctionName,
    awaited: AwaitedCode<'_>,
    ctx: OperationContext<'_>,
) -> Result<FunctionState, DeployError> {
    let started = tokio::time::Instant::now();
    let mut stale_reads = 0;
    loop {
        let read = ctx.read(|| account.function(function, awaited.version));
        let state = match read.await {
            Err(DeployError::Account(error))
                if error.kind == AccountErrorKind::NotFound
                    && awaited.version.is_some()
                    && stale_reads < MOST_STALE_READS =>
            {
                stale_reads += 1;
                ctx.interrupt.sleep(ctx.retry.poll_interval).await?;
                continue;
            }
            read => read?,
        };
        let is_sent = awaited.sha256.is_none_or(|sent| state.code_sha256 == sent);
        match &state.update {
            UpdateStatus::Successful if is_sent || stale_reads >= MOST_STALE_READS => {
                return Ok(state);
            }
            UpdateStatus::Successful => stale_reads += 1,
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
            UpdateStatus::InProgress => {}
        }
        ctx.interrupt.sleep(ctx.retry.poll_interval).await?;
    }
}

/// Publishes versions of the functions that the API invokes, and points integrations and authorizers at them. The stage
/// keeps serving its deployment. Changes nothing unless API Gateway may invoke all of the versions. Returns the versions.
pub(crate) async fn pin(
    account: &impl Account,
    api: &ApiId,
    region: &AccountRegion,
    built: &[BuiltCode],
    ctx: OperationContext<'_>,
) -> Result<BTreeMap<FunctionName, FunctionVersion>, DeployError> {
    let description = ApiDescription::read(account, api, ctx).await?;
    require_invokable(&description, region)?;
    let mut versions = BTreeMap::new();
    for function in description.functions(region) {
        let sent = built.iter().find(|code| code.function == function);
        let latest = AwaitedCode {
            version: None,
            sha256: sent.map(|code| code.sha256.as_str()),
        };
        let state = wait_until_updated(account, &function, latest, ctx).await?;
        let version = ctx
            .call(|| account.publish_version(&function, &state.code_sha256))
            .await?;
        let published = AwaitedCode {
            version: Some(&version),
            sha256: None,
        };
        wait_until_updated(account, &function, published, ctx).await?;
        ctx.step(DeployStep::Published {
            function: &function,
            version: &version,
        });
        versions.insert(function, version);
    }
    for part in &description.parts {
        let Some(invoked) = part.invocation().filter(|invoked| invoked.is_in(region)) else {
            continue;
        };
        let version = &versions[&invoked.function];
        if invoked.version().as_ref() == Some(version) {
            continue;
        }
        let uri = invoked.with_version(version);
        match part.kind {
            ApiPartKind::Authorizer => {
                ctx.call(|| account.set_authorizer_uri(api, &part.id, &uri))
                    .await?;
            }
            _ => {
                ctx.call(|| account.set_integration_uri(api, &part.id, &uri))
                    .await?
            }
        }
        ctx.step(DeployStep::Retargeted {
            part: &part_name(part),
            version,
        });
    }
    Ok(versions)
}

/// True if an API invokes these versions.
pub(crate) fn invokes(
    description: &ApiDescription,
    region: &AccountRegion,
    versions: &BTreeMap<FunctionName, FunctionVersion>,
) -> bool {
    let invoked = description.parts.iter().filter_map(ApiPart::invocation);
    let mut invoked = invoked.filter(|invoked| invoked.is_in(region));
    invoked.all(|invoked| {
        let version = versions.get(&invoked.function);
        version.is_none_or(|version| invoked.version().as_ref() == Some(version))
    })
}

/// Fails if API Gateway invokes a function by a permission instead of a role: the function's permission does not cover
/// its versions.
fn require_invokable(
    description: &ApiDescription,
    region: &AccountRegion,
) -> Result<(), DeployError> {
    for part in &description.parts {
        let Some(invoked) = part.invocation().filter(|invoked| invoked.is_in(region)) else {
            continue;
        };
        if part.credentials().is_none() {
            return Err(DeployError::NotInvokable {
                part: part_name(part),
                function: invoked.function,
            });
        }
    }
    Ok(())
}

/// Returns the name of an integration or an authorizer for messages.
fn part_name(part: &ApiPart) -> String {
    match part.kind {
        ApiPartKind::Authorizer => format!("authorizer {}", part.text("Name").unwrap_or(&part.id)),
        _ => format!("integration {}", part.id),
    }
}

/// Returns the functions whose code [`send`] would replace.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn find_differing(
    account: &impl Account,
    built: &[BuiltCode],
    ctx: OperationContext<'_>,
) -> Result<Vec<FunctionName>, DeployError> {
    let mut functions = Vec::new();
    for code in built {
        if state(account, &code.function, ctx).await?.code_sha256 != code.sha256 {
            functions.push(code.function.clone());
        }
    }
    Ok(functions)
}

/// An API of a pinned release.
#[derive(Clone, Copy)]
pub(crate) struct PinnedApi<'a> {
    pub(crate) description: &'a ApiDescription,
    pub(crate) region: &'a AccountRegion,
}

/// Returns what [`send`] and [`pin`] would do.
pub(crate) async fn plan(
    account: &impl Account,
    built: &[BuiltCode],
    pinned: Option<PinnedApi<'_>>,
    ctx: OperationContext<'_>,
) -> Result<Vec<CodePlan>, DeployError> {
    let changed = find_differing(account, built, ctx).await?;
    let mut plan: Vec<_> = changed.into_iter().map(CodePlan::Update).collect();
    let Some(PinnedApi {
        description,
        region,
    }) = pinned
    else {
        return Ok(plan);
    };
    require_invokable(description, region)?;
    for function in description.functions(region) {
        let latest = state(account, &function, ctx).await?;
        let invoked = invoked_versions(description, region, &function);
        let mut current =
            !plan.contains(&CodePlan::Update(function.clone())) && !invoked.is_empty();
        for version in &invoked {
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

/// Returns the versions of a function that an API invokes; `None` for an alias or the unqualified function.
fn invoked_versions(
    description: &ApiDescription,
    region: &AccountRegion,
    function: &FunctionName,
) -> Vec<Option<FunctionVersion>> {
    let invoked = description.parts.iter().filter_map(ApiPart::invocation);
    let of_it = invoked.filter(|invoked| invoked.is_in(region) && invoked.function == *function);
    let mut versions: Vec<_> = of_it.map(|invoked| invoked.version()).collect();
    versions.sort();
    versions.dedup();
    versions
}
