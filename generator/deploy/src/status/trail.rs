//! Changes of an API that CloudTrail recorded after a deployment was created.

use serde::Serialize;
use time::{Duration, OffsetDateTime};

use crate::error::{AccountErrorKind, AccountResult};
use crate::retry::OperationContext;
use crate::timestamp::{iso8601, serialize as serialize_time};
use crate::{ApiId, DeployError, DeploymentInfo};

/// Operations that change what a deployment snapshots, whatever their parameters are (row D1).
const CHANGES: [&str; 19] = [
    "CreateRoute",
    "UpdateRoute",
    "DeleteRoute",
    "CreateIntegration",
    "UpdateIntegration",
    "DeleteIntegration",
    "CreateAuthorizer",
    "UpdateAuthorizer",
    "DeleteAuthorizer",
    "CreateIntegrationResponse",
    "UpdateIntegrationResponse",
    "DeleteIntegrationResponse",
    "CreateRouteResponse",
    "UpdateRouteResponse",
    "DeleteRouteResponse",
    "CreateModel",
    "UpdateModel",
    "DeleteModel",
    "ReimportApi",
];

/// Operation that changes properties of an API, of which a deployment snapshots some.
const UPDATE_API: &str = "UpdateApi";

/// Longest difference between the time of CreateDeployment in CloudTrail and the deployment's.
const TOLERANCE: Duration = Duration::seconds(5);

/// Reads of CloudTrail's event history, which has the last 90 days of a region.
pub trait ChangeTrail {
    /// Returns the calls of an operation of API Gateway that succeeded since a time, the latest first.
    fn calls(
        &self,
        operation: &'static str,
        since: OffsetDateTime,
    ) -> impl Future<Output = AccountResult<Vec<TrailCall>>>;
}

/// A call that CloudTrail recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrailCall {
    /// The operation.
    pub operation: String,
    /// The time, in whole seconds.
    #[serde(serialize_with = "serialize_time")]
    pub at: OffsetDateTime,
    /// The caller's name or ARN.
    pub by: String,
    /// The API.
    #[serde(skip)]
    pub api: Option<ApiId>,
    /// The route key in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route_key: Option<String>,
    /// The deployment in the answer.
    #[serde(skip)]
    pub deployment: Option<String>,
    /// True if CloudFormation made the call for its caller.
    #[serde(skip)]
    pub by_cloudformation: bool,
}

/// What CloudTrail knows about the wiring of an API since a deployment was created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum TrailEvidence {
    /// A call changed the wiring after the deployment was created.
    Changed(TrailCall),
    /// A call may have changed what the deployment snapshots after it was created: of an API, that is some properties.
    MayHaveChanged(TrailCall),
    /// CloudTrail has the creation of the deployment, and no change after it.
    Unchanged,
    /// The caller may not read CloudTrail.
    Denied {
        /// The reason, with the permission.
        reason: String,
    },
    /// CloudTrail proves nothing.
    Unavailable {
        /// The reason.
        reason: String,
    },
}

/// Reads the changes of an API that CloudTrail recorded after a deployment was created. That it has none proves something only
/// if it has the creation of the deployment: it lacks what is older than 90 days and what happened in the last minutes, and an
/// emulator may record nothing. Changes by CloudFormation are left out if its own events are known, which tell more.
///
/// # Errors
///
/// [`DeployError::Interrupted`].
pub(super) async fn trail_evidence(
    trail: &impl ChangeTrail,
    api: &ApiId,
    deployment: &DeploymentInfo,
    knows_stack: bool,
    ctx: OperationContext<'_>,
) -> Result<TrailEvidence, DeployError> {
    let read = async {
        let since = deployment.created + Duration::SECOND;
        let is_change = |call: &TrailCall| {
            let is_known = knows_stack && call.by_cloudformation;
            call.api.as_ref() == Some(api) && call.at >= since && !is_known
        };
        for operation in CHANGES {
            let calls = ctx.read(|| trail.calls(operation, since)).await?;
            if let Some(call) = calls.into_iter().find(is_change) {
                return Ok(TrailEvidence::Changed(call));
            }
        }
        let updates = ctx.read(|| trail.calls(UPDATE_API, since)).await?;
        if let Some(call) = updates.into_iter().find(is_change) {
            return Ok(TrailEvidence::MayHaveChanged(call));
        }
        let before = deployment.created - TOLERANCE;
        let created = ctx.read(|| trail.calls("CreateDeployment", before)).await?;
        let is_own = |call: &TrailCall| {
            let is_near = (call.at - deployment.created).abs() <= TOLERANCE;
            let id = call.deployment.as_deref();
            call.api.as_ref() == Some(api) && id.map_or(is_near, |id| id == deployment.id.as_str())
        };
        Ok(match created.iter().any(is_own) {
            true => TrailEvidence::Unchanged,
            false => TrailEvidence::Unavailable {
                reason: "CloudTrail does not have the creation of the deployment".to_owned(),
            },
        })
    };
    match read.await {
        Err(DeployError::Account(error)) if error.kind == AccountErrorKind::AccessDenied => {
            let hint = error.hint().unwrap_or_default();
            Ok(TrailEvidence::Denied {
                reason: format!(
                    "CloudTrail, which knows changes by others, cannot be read: {error}; {hint}"
                ),
            })
        }
        Err(DeployError::Account(error)) => Ok(TrailEvidence::Unavailable {
            reason: format!("CloudTrail cannot be read: {error}"),
        }),
        other => other,
    }
}

impl TrailCall {
    /// Formats the call: `alice called UpdateRoute at 2026-11-22T02:42:52Z`.
    pub(super) fn text(&self) -> String {
        let route = match &self.route_key {
            Some(key) => format!(" ({key})"),
            None => String::new(),
        };
        format!(
            "{} called {}{route} at {}",
            self.by,
            self.operation,
            iso8601(self.at)
        )
    }
}
