//! Reasons why AWS would refuse an event source mapping. The gateway runs it, and says so.

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value as Json;
use stackgen_gateway_common::PolicyStatement;
use stackgen_model::{LogicalId, Model};

use super::account::{ExistingResource, LocalAccount};
use super::event_source::{EventSource, EventSourceMapping};

/// Visibility timeout of a queue that sets none.
const VISIBILITY: Duration = Duration::from_secs(30);

/// Returns why Lambda would not create a mapping, as far as the template shows it.
pub(super) fn refusals(
    account: &LocalAccount,
    existing: &IndexMap<LogicalId, ExistingResource>,
    model: &Model,
    mapping: &EventSourceMapping,
) -> Vec<String> {
    let missing = missing_action(account, existing, model, mapping).map(|action| {
        format!(
            "AWS refuses it: the role of {} may not call {action} on {}",
            mapping.function.name, mapping.source_arn
        )
    });
    missing
        .into_iter()
        .chain(short_visibility(account, model, mapping))
        .collect()
}

/// Returns the first action that the function's role lacks. `None` if the role is not fully known.
fn missing_action(
    account: &LocalAccount,
    existing: &IndexMap<LogicalId, ExistingResource>,
    model: &Model,
    mapping: &EventSourceMapping,
) -> Option<&'static str> {
    let needed: &[&str] = match &mapping.source {
        EventSource::Queue { .. } => &[
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
        ],
        EventSource::TableStream { .. } => &[
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:DescribeStream",
        ],
        EventSource::DataStream { .. } | EventSource::Other { .. } => return None,
    };
    let function = account.functions.get(&mapping.function.name, None).ok()?;
    let arn = &function.configuration.role;
    let (id, role) = existing.iter().find(|(_, one)| {
        one.kind == "AWS::IAM::Role" && account.scope.role(&one.physical_id) == *arn
    })?;
    if !is_known(model, id, role) {
        return None;
    }
    let mut needed = needed.iter().copied();
    needed.find(|action| !account.roles.allows(arn, action, &mapping.source_arn))
}

/// Returns true if all policies of a role are known, and none has a condition.
fn is_known(model: &Model, id: &LogicalId, role: &ExistingResource) -> bool {
    let mut roles = model.roles.iter();
    let read = roles.find(|read| read.resource.logical_id == *id);
    let list = |name: &str| role.properties.get(name).and_then(Json::as_array);
    let mut managed = list("ManagedPolicyArns").into_iter().flatten();
    let statements = list("Statements").map(Vec::as_slice).unwrap_or_default();
    read.is_some_and(|read| read.unknown.is_empty() && read.grants.len() == statements.len())
        && managed.all(|arn| {
            arn.as_str()
                .is_some_and(|arn| PolicyStatement::managed_policy(arn).is_some())
        })
        && statements
            .iter()
            .all(|statement| statement.get("Condition").is_none())
}

/// Compares the visibility timeout of a queue of the template with the function's timeout.
fn short_visibility(
    account: &LocalAccount,
    model: &Model,
    mapping: &EventSourceMapping,
) -> Option<String> {
    let EventSource::Queue { name, .. } = &mapping.source else {
        return None;
    };
    let function = account.functions.get(&mapping.function.name, None).ok()?;
    let timeout = function.configuration.timeout;
    let mut queues = model.resources.values();
    let queue = queues.find(|resource| {
        resource.kind == "AWS::SQS::Queue"
            && resource
                .properties
                .text("QueueName")
                .and_then(|it| it.as_literal().map(str::to_owned))
                == Some(name.clone())
    })?;
    let visibility = match queue.properties.get("VisibilityTimeout") {
        None => VISIBILITY,
        Some(value) => Duration::from_secs(value.as_int()?.try_into().ok()?),
    };
    (visibility < timeout).then(|| {
        format!(
            "AWS refuses it: the queue's visibility timeout of {} s is shorter than the function's timeout of {} s",
            visibility.as_secs(),
            timeout.as_secs()
        )
    })
}
