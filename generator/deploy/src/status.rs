//! Status of a stage: whether it serves what the account holds, and the evidence.

use std::borrow::Cow;

use serde::Serialize;
use stackgen_model::SnapshotDigest;
use stackgen_model::diff::ModelChange;

use crate::account::{ApiDescription, ApiWiring};
use crate::code::BuiltCode;
use crate::retry::OperationContext;
use crate::stack::wiring::{
    StackEvidence, WiringChange, WiringHistory, WiringOrder, wiring_evidence,
};
use crate::stack::{StackName, StackReader};
use crate::timestamp::iso8601;
use crate::wiring_diff::{differences, masked};
use crate::{
    Account, AccountErrorKind, ApiInfo, CreatedBy, DeployError, DeploymentInfo, DeploymentMetadata,
    FunctionName, StageInfo, StageName,
};

/// Snapshot of an API in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateSnapshot {
    /// The digest.
    pub digest: SnapshotDigest,
    /// The canonical form.
    pub snapshot: String,
}

/// A request for the status of a stage.
#[derive(Clone, Copy, Debug)]
pub struct StatusRequest<'a> {
    /// The API.
    pub api: &'a ApiInfo,
    /// The stage.
    pub stage: &'a StageName,
    /// Templates. The first one is current, further ones are earlier versions, one of which the served deployment may have
    /// been created from.
    pub templates: &'a [TemplateSnapshot],
    /// Built code.
    pub built: &'a [BuiltCode],
    /// The stack of the project, in case the API names none.
    pub stack: Option<&'a StackName>,
}

/// Status of a stage.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StageStatus {
    /// The API.
    pub api: ApiInfo,
    /// The stage.
    pub stage: StageInfo,
    /// The deployment that the stage serves.
    pub deployment: Option<DeploymentInfo>,
    /// The origin of that deployment.
    #[serde(rename = "maker")]
    pub created_by: Option<CreatedBy>,
    /// The content of its description, if stackgen wrote it.
    #[serde(rename = "label")]
    pub metadata: Option<DeploymentMetadata>,
    /// The digest of the account's wiring.
    pub account_digest: SnapshotDigest,
    /// The digest of the template's wiring.
    pub template_digest: Option<SnapshotDigest>,
    /// The verdict.
    pub verdict: StatusVerdict,
    /// What CloudFormation knows, if stackgen did not create the deployment.
    #[serde(rename = "cloudFormation", skip_serializing_if = "Option::is_none")]
    pub stack_evidence: Option<StackEvidence>,
    /// Differences between the account and the template, or the template that was deployed.
    pub changes: Vec<ModelChange>,
    /// The basis of `changes`.
    #[serde(rename = "changesAre")]
    pub change_basis: Option<ChangeBasis>,
    /// Built code, compared with the account's.
    pub code: Vec<CodeStatus>,
    /// The changes as text.
    #[serde(skip)]
    pub changes_text: String,
}

/// The basis of the changes in a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeBasis {
    /// The stage serves the template. The changes are in the account and not served.
    Undeployed,
    /// The changes lead from the template to the account. It is unknown which of them the stage serves.
    FromTemplate,
}

/// Verdict on a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusVerdict {
    /// The freshness of the stage.
    #[serde(rename = "state")]
    pub freshness: Freshness,
    /// The confidence.
    #[serde(rename = "sureness")]
    pub confidence: StatusConfidence,
    /// The reason.
    #[serde(rename = "because")]
    pub reason: Cow<'static, str>,
}

/// Freshness of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Freshness {
    /// It serves what the account holds.
    Current,
    /// It serves something older.
    Stale,
    /// Its deployment's digest is unknown.
    Unknown,
    /// It serves nothing.
    NotDeployed,
}

/// Confidence of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusConfidence {
    /// Nothing is known that could make it wrong.
    Certain,
    /// Something that cannot be read could make it wrong.
    Likely,
}

/// Built code of a function, compared with the account's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeStatus {
    /// The function.
    pub function: FunctionName,
    /// `CodeSha256` of the built code.
    pub built: String,
    /// `CodeSha256` in the account; `None` if there is no such function.
    pub account: Option<String>,
}

impl StageStatus {
    /// True if the stage serves what the account holds.
    pub fn is_current(&self) -> bool {
        self.verdict.freshness == Freshness::Current
    }

    /// True if the description of the served deployment records that it was verified.
    pub fn is_verified(&self) -> bool {
        let metadata = self.metadata.as_ref();
        metadata.is_some_and(DeploymentMetadata::is_verified)
    }

    /// True if the description of the served deployment records that its verification failed.
    pub fn is_failed(&self) -> bool {
        let metadata = self.metadata.as_ref();
        metadata.is_some_and(DeploymentMetadata::is_failed)
    }
}

/// Returns the status of a stage.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn status(
    account: &impl Account,
    stacks: &impl StackReader,
    request: &StatusRequest<'_>,
    ctx: OperationContext<'_>,
) -> Result<StageStatus, DeployError> {
    let StatusRequest {
        api,
        stage,
        templates,
        built,
        stack,
    } = *request;
    let region = ctx.read(|| account.account_region()).await?;
    let stage = ctx.read(|| account.stage(&api.id, stage)).await?;
    let description = ApiDescription::read(account, &api.id, ctx).await?;
    let wiring = description.wiring(&region);
    let deployment = match &stage.deployment {
        Some(id) => Some(ctx.read(|| account.deployment(&api.id, id)).await?),
        None => None,
    };
    let metadata = deployment.as_ref().and_then(DeploymentInfo::metadata);
    let served = metadata.as_ref().map(|metadata| &metadata.digest);
    let template = templates.first();
    let deployed = templates.iter().find(|one| Some(&one.digest) == served);
    let (changes, changes_text) = deployed
        .or(template)
        .map(|one| differences(&api.name, &one.snapshot, &wiring.snapshot))
        .map_or_else(Default::default, |diff| {
            let text = diff.human();
            (diff.changes, text)
        });
    let change_basis = (!changes.is_empty()).then_some(match deployed {
        Some(_) => ChangeBasis::Undeployed,
        None => ChangeBasis::FromTemplate,
    });
    let unknown = deployment
        .as_ref()
        .filter(|_| metadata.is_none() && !stage.auto_deploy);
    let stack_evidence = match unknown {
        Some(deployment) => {
            Some(wiring_evidence(stacks, api, stack, deployment.created, ctx).await?)
        }
        None => None,
    };
    let evidence = StatusEvidence {
        stage: &stage,
        deployment: deployment.as_ref(),
        stack: stack_evidence.as_ref(),
        deployed,
        wiring: &wiring,
        template_is_current: template.is_some_and(|one| one.digest == wiring.digest),
    };
    Ok(StageStatus {
        verdict: evidence.verdict(),
        stack_evidence,
        api: api.clone(),
        created_by: deployment.as_ref().map(DeploymentInfo::created_by),
        metadata,
        account_digest: wiring.digest,
        template_digest: template.map(|one| one.digest.clone()),
        changes,
        change_basis,
        code: code_status(account, built, ctx).await?,
        changes_text,
        stage,
        deployment,
    })
}

/// The evidence of a verdict.
struct StatusEvidence<'a> {
    stage: &'a StageInfo,
    deployment: Option<&'a DeploymentInfo>,
    /// What CloudFormation knows about a deployment without a digest.
    stack: Option<&'a StackEvidence>,
    /// The template that the served deployment was created from.
    deployed: Option<&'a TemplateSnapshot>,
    wiring: &'a ApiWiring,
    template_is_current: bool,
}

impl StatusEvidence<'_> {
    fn verdict(&self) -> StatusVerdict {
        use Freshness::{Current, NotDeployed};
        use StatusConfidence::{Certain, Likely};
        if let (Some(evidence), Some(deployment)) = (self.stack, self.deployment) {
            return weigh(evidence, deployment);
        }
        let (freshness, confidence, reason) = if self.stage.auto_deploy {
            let reason = "API Gateway deploys every change by itself (rows D4, D5)";
            (Current, Likely, reason)
        } else if let Some(deployment) = self.deployment {
            match deployment.metadata() {
                None => (Freshness::Unknown, Certain, UNKNOWN_DIGEST),
                Some(metadata) if metadata.digest == self.wiring.digest => {
                    same_digest(deployment.created_by())
                }
                Some(_) => self.other_digest(deployment.created_by()),
            }
        } else {
            let reason = "the stage has no deployment and refuses everything (row C3)";
            (NotDeployed, Certain, reason)
        };
        StatusVerdict {
            freshness,
            confidence,
            reason: Cow::Borrowed(reason),
        }
    }

    fn other_digest(&self, created_by: CreatedBy) -> (Freshness, StatusConfidence, &'static str) {
        use Freshness::{Current, Stale};
        use StatusConfidence::{Certain, Likely};
        // A template names versions and roles by logical IDs, the account by numbers and ARNs.
        let is_masked_equal = |template: &TemplateSnapshot| {
            masked(&template.snapshot) == masked(&self.wiring.snapshot)
        };
        if self.deployed.is_some_and(is_masked_equal) {
            let reason = "its deployment was created from this template, and the account differs only in versions and roles, which a template cannot name";
            return (Current, Likely, reason);
        }
        if created_by == CreatedBy::Template && !self.template_is_current {
            let reason = "the digests differ; a parameter with another value than its default would make the same difference";
            return (Stale, Likely, reason);
        }
        (Stale, Certain, "the digests differ")
    }
}

const UNKNOWN_DIGEST: &str = "the digest of its deployment is unknown: stackgen did not create it";

/// Weighs what CloudFormation knows about a deployment that stackgen did not create. It does not record changes of others,
/// so the result is never certain.
fn weigh(evidence: &StackEvidence, deployment: &DeploymentInfo) -> StatusVerdict {
    let created = iso8601(deployment.created);
    let (freshness, reason) = match evidence {
        StackEvidence::Unavailable { reason } => {
            return StatusVerdict {
                freshness: Freshness::Unknown,
                confidence: StatusConfidence::Certain,
                reason: Cow::Owned(format!("{UNKNOWN_DIGEST}, and {reason}")),
            };
        }
        StackEvidence::Read(WiringHistory {
            stack,
            order: WiringOrder::ChangeIsNewer,
            change: Some(change),
        }) => {
            let change = changed(change, stack);
            let reason = format!(
                "its deployment was created at {created}, and after that CloudFormation {change}"
            );
            (Freshness::Stale, reason)
        }
        StackEvidence::Read(WiringHistory {
            stack,
            order: WiringOrder::Unclear,
            change: Some(change),
        }) => {
            let change = changed(change, stack);
            let reason = format!(
                "its deployment was created at {created}, and CloudFormation {change}; the deployment may contain that or not"
            );
            (Freshness::Unknown, reason)
        }
        StackEvidence::Read(WiringHistory { stack, .. }) => {
            let reason = format!(
                "CloudFormation changed no route, integration, authorizer or model of stack {stack} after its deployment was created at {created}; it does not see changes by others"
            );
            (Freshness::Current, reason)
        }
    };
    StatusVerdict {
        freshness,
        confidence: StatusConfidence::Likely,
        reason: Cow::Owned(reason),
    }
}

/// Formats a change: `updated route PingRoute of stack rooms at 2026-11-22T02:42:52Z`.
fn changed(change: &WiringChange, stack: &StackName) -> String {
    let verb = match change.status.as_str() {
        "CREATE_COMPLETE" => "created",
        "DELETE_COMPLETE" => "deleted",
        _ => "updated",
    };
    let kind = change.kind.rsplit("::").next().unwrap_or_default();
    format!(
        "{verb} {} {} of stack {stack} at {}",
        kind.to_lowercase(),
        change.logical_id,
        iso8601(change.at)
    )
}

fn same_digest(created_by: CreatedBy) -> (Freshness, StatusConfidence, &'static str) {
    match created_by {
        CreatedBy::Template => (
            Freshness::Current,
            StatusConfidence::Likely,
            "the digests are the same; a route that was removed in the same stack update would linger (row D20)",
        ),
        _ => (
            Freshness::Current,
            StatusConfidence::Certain,
            "the digests are the same",
        ),
    }
}

async fn code_status(
    account: &impl Account,
    built: &[BuiltCode],
    ctx: OperationContext<'_>,
) -> Result<Vec<CodeStatus>, DeployError> {
    let mut found = Vec::new();
    for code in built {
        let account = match ctx.read(|| account.function(&code.function, None)).await {
            Ok(state) => Some(state.code_sha256),
            Err(DeployError::Account(error)) if error.kind == AccountErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        found.push(CodeStatus {
            function: code.function.clone(),
            built: code.sha256.clone(),
            account,
        });
    }
    Ok(found)
}
