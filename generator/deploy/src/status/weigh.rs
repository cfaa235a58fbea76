//! The verdict on a stage whose deployment stackgen did not create: what CloudFormation, CloudTrail and a probe know.

use std::borrow::Cow;

use super::probe::{ProbeAnswer, ProbeEvidence};
use super::trail::TrailEvidence;
use super::{Freshness, StatusConfidence, StatusVerdict};
use crate::stack::StackName;
use crate::stack::wiring::{StackEvidence, WiringChange, WiringHistory, WiringOrder};
use crate::timestamp::iso8601;
use crate::{ApiId, DeploymentInfo};

pub(super) const UNKNOWN_DIGEST: &str =
    "the digest of its deployment is unknown: stackgen did not create it";

/// Evidence about a deployment without a digest.
#[derive(Clone, Copy)]
pub(super) struct ForeignEvidence<'a> {
    pub(super) api: &'a ApiId,
    pub(super) deployment: &'a DeploymentInfo,
    pub(super) stack: &'a StackEvidence,
    pub(super) trail: Option<&'a TrailEvidence>,
    pub(super) probe: Option<&'a ProbeEvidence>,
    /// True if the route that was probed is the one whose creation the deployment may contain or not.
    pub(super) probed_change: bool,
}

impl ForeignEvidence<'_> {
    /// Weighs the evidence. Only a probe is certain: CloudFormation does not record changes by others, and CloudTrail does not say
    /// whether a change was undone.
    pub(super) fn verdict(self) -> StatusVerdict {
        use Freshness::{Current, Stale, Unknown};
        use StatusConfidence::{Certain, Likely};
        let created = iso8601(self.deployment.created);
        let verdict = |freshness, confidence, reason: String| StatusVerdict {
            freshness,
            confidence,
            reason: Cow::Owned(reason),
        };
        if let Some(ProbeEvidence {
            route_key,
            answer: ProbeAnswer::NotServed,
        }) = self.probe
        {
            let reason = format!(
                "the API has the route `{route_key}`, and the stage answered a message for it with Forbidden: its deployment does not have the route (row M3)"
            );
            return verdict(Stale, Certain, reason);
        }
        let by_stack = self.of_stack(&created);
        if by_stack.freshness == Stale {
            return by_stack;
        }
        if let Some(TrailEvidence::Changed(call)) = self.trail {
            let reason = format!(
                "its deployment was created at {created}, and after that {} (CloudTrail)",
                call.text()
            );
            return verdict(Stale, Likely, reason);
        }
        if let Some(TrailEvidence::MayHaveChanged(call)) = self.trail {
            let reason = format!(
                "{}; {} (CloudTrail), and a deployment snapshots some properties of an API",
                by_stack.reason,
                call.text()
            );
            return self.with_remarks(verdict(Unknown, by_stack.confidence, reason));
        }
        let unchanged = self.trail == Some(&TrailEvidence::Unchanged);
        match (by_stack.freshness, self.stack) {
            (Unknown, StackEvidence::Unavailable { .. }) if unchanged => {
                let reason = format!(
                    "CloudTrail records no change of the wiring of API {} after its deployment was created at {created}; changes of the last 15 minutes may be missing",
                    self.api
                );
                verdict(Current, Likely, reason)
            }
            // The probe answers for one route, and not for other changes.
            (Unknown, StackEvidence::Read(history))
                if history.other_unclear == 0 && self.probed_change && self.is_served() =>
            {
                let reason = format!("{}; it does: the stage serves that route", by_stack.reason);
                verdict(Current, Likely, reason)
            }
            _ => self.with_remarks(by_stack),
        }
    }

    fn is_served(&self) -> bool {
        self.probe
            .is_some_and(|probe| probe.answer == ProbeAnswer::Served)
    }

    /// Adds what CloudTrail and a probe say without deciding.
    fn with_remarks(self, verdict: StatusVerdict) -> StatusVerdict {
        let mut reason = verdict.reason.into_owned();
        if let Some(TrailEvidence::Denied { reason: why }) = self.trail {
            reason = format!("{reason}; {why}");
        }
        match self.probe.map(|probe| (&probe.route_key, &probe.answer)) {
            Some((key, ProbeAnswer::Served)) => {
                reason = format!(
                    "{reason}; the stage serves the route `{key}`, but others may be missing"
                );
            }
            Some((key, ProbeAnswer::Unanswered { reason: why })) => {
                reason = format!("{reason}; the probe of the route `{key}` got no answer: {why}");
            }
            _ => {}
        }
        StatusVerdict {
            reason: Cow::Owned(reason),
            ..verdict
        }
    }

    /// Weighs what CloudFormation knows.
    fn of_stack(self, created: &str) -> StatusVerdict {
        let (freshness, reason) = match self.stack {
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
                ..
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
                ..
            }) => {
                let change = changed(change, stack);
                let reason = format!(
                    "its deployment was created at {created}, and CloudFormation {change}; the deployment may contain that or not"
                );
                (Freshness::Unknown, reason)
            }
            StackEvidence::Read(WiringHistory { stack, .. }) => {
                let others = match self.trail {
                    Some(TrailEvidence::Unchanged) => {
                        "CloudTrail records none by others either, but changes of the last 15 minutes may be missing"
                    }
                    _ => "it does not see changes by others",
                };
                let reason = format!(
                    "CloudFormation changed no route, integration, authorizer or model of stack {stack} after its deployment was created at {created}; {others}"
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
