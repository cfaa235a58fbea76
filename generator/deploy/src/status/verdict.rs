//! The verdict on a stage.

use std::borrow::Cow;

use super::weigh::UNKNOWN_DIGEST;
use super::{Freshness, StatusConfidence, StatusVerdict, TemplateSnapshot};
use crate::account::ApiWiring;
use crate::wiring_diff::masked;
use crate::{CreatedBy, DeploymentInfo, StageInfo};

/// The evidence of a verdict.
pub(super) struct StatusEvidence<'a> {
    pub(super) stage: &'a StageInfo,
    pub(super) deployment: Option<&'a DeploymentInfo>,
    /// The template that the served deployment was created from.
    pub(super) deployed: Option<&'a TemplateSnapshot>,
    pub(super) wiring: &'a ApiWiring,
    pub(super) template_is_current: bool,
}

impl StatusEvidence<'_> {
    pub(super) fn verdict(&self) -> StatusVerdict {
        use Freshness::{Current, NotDeployed};
        use StatusConfidence::{Certain, Likely};
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
