//! The verdict on a stage.

use std::borrow::Cow;

use super::{Freshness, StatusConfidence, StatusVerdict, TemplateSnapshot};
use crate::account::ApiWiring;
use crate::stack::StackName;
use crate::stack::wiring::{StackEvidence, WiringChange, WiringHistory, WiringOrder};
use crate::timestamp::iso8601;
use crate::wiring_diff::masked;
use crate::{CreatedBy, DeploymentInfo, StageInfo};

/// The evidence of a verdict.
pub(super) struct StatusEvidence<'a> {
    pub(super) stage: &'a StageInfo,
    pub(super) deployment: Option<&'a DeploymentInfo>,
    /// What CloudFormation knows about a deployment without a digest.
    pub(super) stack: Option<&'a StackEvidence>,
    /// The template that the served deployment was created from.
    pub(super) deployed: Option<&'a TemplateSnapshot>,
    pub(super) wiring: &'a ApiWiring,
    pub(super) template_is_current: bool,
}

impl StatusEvidence<'_> {
    pub(super) fn verdict(&self) -> StatusVerdict {
        use Freshness::{Current, NotDeployed};
        use StatusConfidence::{Certain, Likely};
        if let (Some(evidence), Some(deployment)) = (self.stack, self.deployment) {
            return weigh(evidence, deployment);
        }
        if let Some(message) = self.stage.auto_deploy_failure() {
            return StatusVerdict {
                freshness: Freshness::Stale,
                confidence: Likely,
                reason: Cow::Owned(format!(
                    "API Gateway could not deploy the last change by itself: {message}"
                )),
            };
        }
        let (freshness, confidence, reason) = if self.stage.auto_deploy {
            let reason = "API Gateway deploys every change by itself (rows D4, D5)";
            (Current, Likely, reason)
        } else if let Some(deployment) = self.deployment {
            match deployment.metadata() {
                None => (Freshness::Unknown, Certain, UNKNOWN_DIGEST),
                Some(metadata) if metadata.has_digest(&self.wiring.digest) => {
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
