//! Changes of an API's wiring, as CloudFormation records them, compared with the time at which a deployment was created.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use time::{Duration, OffsetDateTime};

use super::event::StackEvent;
use super::owner::{API_TYPE, OwningStack, find_owner};
use super::ports::StackReader;
use super::types::{StackName, StackResource};
use crate::retry::OperationContext;
use crate::timestamp::serialize as serialize_time;
use crate::{ApiInfo, DeployError};

/// Resource types of which every property is in the snapshot of a deployment (row D1).
const WIRING: [&str; 6] = [
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::IntegrationResponse",
    "AWS::ApiGatewayV2::RouteResponse",
    "AWS::ApiGatewayV2::Model",
    "AWS::ApiGatewayV2::Authorizer",
];

/// Longest time that CloudFormation takes to change a resource of an API, generously.
const LONGEST_CHANGE: Duration = Duration::hours(1);

/// What CloudFormation knows about the wiring of an API since a deployment was created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum StackEvidence {
    /// The stack that the API belongs to was read.
    Read(WiringHistory),
    /// There is no stack, or it cannot be read.
    Unavailable {
        /// The reason.
        reason: String,
    },
}

/// The wiring of a stack since a deployment was created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WiringHistory {
    /// The stack.
    pub stack: StackName,
    /// The order of changes and deployment.
    pub order: WiringOrder,
    /// The change that decided, if there is one.
    pub change: Option<WiringChange>,
    /// Number of other changes that the deployment may contain or not.
    #[serde(skip)]
    pub other_unclear: usize,
}

/// The order of a stack's wiring changes and a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WiringOrder {
    /// No change came after the deployment.
    DeploymentIsNewer,
    /// A change may be in the deployment or not.
    Unclear,
    /// A change began after the deployment was created.
    ChangeIsNewer,
}

/// A change of a resource by CloudFormation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WiringChange {
    /// The logical ID.
    pub logical_id: String,
    /// The physical ID.
    #[serde(skip)]
    pub physical_id: Option<String>,
    /// The resource type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status that ended the change: `UPDATE_COMPLETE`.
    pub status: String,
    /// The time at which the change was complete.
    #[serde(serialize_with = "serialize_time")]
    pub at: OffsetDateTime,
}

/// Reads the stack that an API belongs to, and compares its wiring with the creation of a deployment. A stack that cannot
/// be read is no error: the evidence says so.
///
/// # Errors
///
/// [`DeployError::Interrupted`].
pub async fn wiring_evidence(
    service: &impl StackReader,
    api: &ApiInfo,
    project: Option<&StackName>,
    deployed: OffsetDateTime,
    ctx: OperationContext<'_>,
) -> Result<StackEvidence, DeployError> {
    let read = async {
        let Some(owner) = find_owner(service, api, project, ctx).await? else {
            return Ok(None);
        };
        wiring_history(service, &owner, deployed, ctx)
            .await
            .map(Some)
    };
    let reason = match read.await {
        Ok(Some(history)) => return Ok(StackEvidence::Read(history)),
        Ok(None) => "no stack of CloudFormation is known to have the API".to_owned(),
        Err(DeployError::Interrupted) => return Err(DeployError::Interrupted),
        Err(error) => match error.hint() {
            Some(hint) => format!("its stack cannot be read: {error}; {hint}"),
            None => format!("its stack cannot be read: {error}"),
        },
    };
    Ok(StackEvidence::Unavailable { reason })
}

/// Reads the wiring changes of a stack, and compares them with the creation of a deployment.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn wiring_history(
    service: &impl StackReader,
    owner: &OwningStack,
    deployed: OffsetDateTime,
    ctx: OperationContext<'_>,
) -> Result<WiringHistory, DeployError> {
    let id = &owner.stack.id;
    let events = ctx.read(|| service.events_since(id, deployed)).await?;
    Ok(history(owner, &events, deployed))
}

/// A change of a resource that is complete, and the time at which it began, if that is after the deployment was created.
struct TimedChange {
    began: Option<OffsetDateTime>,
    change: WiringChange,
}

impl TimedChange {
    /// Compares the change with the creation of a deployment.
    ///
    /// A correct stack creates the Deployment in the update that changes the routes, right after them: DependsOn makes
    /// CloudFormation wait for `UPDATE_COMPLETE` of each route, and the events have milliseconds. API Gateway reports
    /// whole seconds, so a change that was complete in the same second comes first. What API Gateway did between
    /// `UPDATE_IN_PROGRESS` and `UPDATE_COMPLETE` has no time of its own. So a change that began before the deployment
    /// and was complete after it, which only a missing DependsOn allows, may be in the snapshot or not.
    fn order(&self, deployed: OffsetDateTime) -> WiringOrder {
        let next_second = deployed + Duration::SECOND;
        match self.began {
            _ if self.change.at < next_second => WiringOrder::DeploymentIsNewer,
            // Tags of a stack change the API, too, and only some of its properties are in the snapshot.
            _ if self.change.kind == API_TYPE => WiringOrder::Unclear,
            Some(began) if began >= next_second => WiringOrder::ChangeIsNewer,
            _ => WiringOrder::Unclear,
        }
    }
}

fn history(owner: &OwningStack, events: &[StackEvent], deployed: OffsetDateTime) -> WiringHistory {
    let changes = changes(owner, events);
    let mut orders: Vec<_> = changes
        .into_iter()
        .map(|change| (change.order(deployed), change.change))
        .collect();
    let seen: BTreeSet<&str> = events.iter().map(|one| one.logical_id.as_str()).collect();
    let older = owner.resources.iter().filter(|resource| {
        is_wiring(&resource.kind) && !seen.contains(resource.logical_id.as_str())
    });
    orders.extend(older.map(|resource| (order_without_events(resource, deployed), of(resource))));
    // The earliest of the changes that decide.
    orders.sort_by(|(a, first), (b, second)| b.cmp(a).then(first.at.cmp(&second.at)));
    let unclear = orders
        .iter()
        .filter(|(order, _)| *order == WiringOrder::Unclear);
    let unclear = unclear.count();
    let decided = orders.into_iter().next();
    let order = decided
        .as_ref()
        .map_or(WiringOrder::DeploymentIsNewer, |(order, _)| *order);
    let change = decided.map(|(_, change)| change);
    WiringHistory {
        stack: owner.stack.name.clone(),
        order,
        change: change.filter(|_| order != WiringOrder::DeploymentIsNewer),
        other_unclear: match order {
            WiringOrder::Unclear => unclear - 1,
            _ => unclear,
        },
    }
}

/// Compares the last change of a resource whose events are gone, because CloudFormation keeps them for 90 days.
fn order_without_events(resource: &StackResource, deployed: OffsetDateTime) -> WiringOrder {
    match resource.changed {
        changed if changed < deployed + Duration::SECOND => WiringOrder::DeploymentIsNewer,
        changed if changed > deployed + LONGEST_CHANGE => WiringOrder::ChangeIsNewer,
        _ => WiringOrder::Unclear,
    }
}

fn of(resource: &StackResource) -> WiringChange {
    WiringChange {
        logical_id: resource.logical_id.clone(),
        physical_id: resource.physical_id.clone(),
        kind: resource.kind.clone(),
        status: resource.status.clone(),
        at: resource.changed,
    }
}

fn is_wiring(kind: &str) -> bool {
    WIRING.contains(&kind)
}

/// Returns the changes that updates made, without those that were rolled back: CloudFormation changed the resource there
/// and back.
fn changes(owner: &OwningStack, events: &[StackEvent]) -> Vec<TimedChange> {
    let (mut made, mut pending) = (Vec::new(), Vec::new());
    let mut began: BTreeMap<&str, OffsetDateTime> = BTreeMap::new();
    for event in events.iter().rev() {
        let status = event.status.as_str();
        if event.is_about_stack() {
            match status {
                "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => {
                    made.append(&mut pending);
                }
                status if status.ends_with("ROLLBACK_COMPLETE") => pending.clear(),
                _ => {}
            }
        } else if is_wiring(&event.kind) || event.kind == API_TYPE {
            if status.ends_with("_IN_PROGRESS") {
                // CloudFormation reports the beginning twice: before and after it asks the service.
                began.entry(&event.logical_id).or_insert(event.time);
            } else {
                let began = began.remove(event.logical_id.as_str());
                if is_change(owner, event) {
                    let change = WiringChange {
                        logical_id: event.logical_id.clone(),
                        physical_id: owner.physical_id(&event.logical_id).map(str::to_owned),
                        kind: event.kind.clone(),
                        status: event.status.clone(),
                        at: event.time,
                    };
                    pending.push(TimedChange { began, change });
                }
            }
        }
    }
    // An operation that still runs may be rolled back.
    made.extend(pending.into_iter().map(|change| TimedChange {
        began: None,
        ..change
    }));
    made
}

/// True if an event ends a change of the wiring. The deletion of a resource that was replaced is none.
fn is_change(owner: &OwningStack, event: &StackEvent) -> bool {
    match event.status.as_str() {
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" => true,
        "DELETE_COMPLETE" => owner.physical_id(&event.logical_id).is_none(),
        _ => false,
    }
}
