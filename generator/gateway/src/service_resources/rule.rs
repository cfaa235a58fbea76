//! Rules of EventBridge, with the targets that the gateway does not reach.

use serde_json::{Value as Json, json};
use stackgen_gateway_stack::{EmulatedState, ServiceResource, StoredResource};

use super::{member, text, texts, unless_refused};
use crate::outbound::service_client::{CallError, ServiceClient};

/// Puts a rule and its targets, and removes other targets.
pub(super) async fn put(
    client: &ServiceClient,
    rule: &ServiceResource,
    before: Option<&EmulatedState>,
) -> Result<StoredResource, CallError> {
    if let Some(EmulatedState { desired: old, .. }) = before
        && (&old.name, bus(old)) != (&rule.name, bus(rule))
    {
        remove(client, old).await?;
    }
    let targets = rule.properties.get("Targets").and_then(Json::as_array);
    let targets = targets.map(Vec::as_slice).unwrap_or_default();
    let mut notes = remove_targets(client, rule, targets).await?;
    let answer = client.json("events", "PutRule", &described(rule)).await?;
    let arn = member(&answer, "RuleArn");
    let mut body = named(rule);
    body["Targets"] = targets.into();
    let answer = client.json("events", "PutTargets", &body).await?;
    notes.extend(failures(&answer));
    let stored = StoredResource {
        notes,
        ..StoredResource::new(&rule.name)
    };
    Ok(stored.with("Arn", arn))
}

/// Removes a rule with all its targets, if it exists.
pub(super) async fn remove(
    client: &ServiceClient,
    rule: &ServiceResource,
) -> Result<(), CallError> {
    remove_targets(client, rule, &[]).await?;
    let mut body = named(rule);
    body["Name"] = body["Rule"].take();
    let deleted = client.json("events", "DeleteRule", &body).await;
    unless_refused(deleted, "ResourceNotFoundException").map(drop)
}

fn bus(rule: &ServiceResource) -> Option<String> {
    text(rule, "EventBusName")
}

/// Returns the input of `PutRule`.
fn described(rule: &ServiceResource) -> Json {
    // Some emulators keep the state of a rule without one.
    let mut body = json!({ "Name": rule.name, "State": "ENABLED" });
    let properties = [
        "Description",
        "EventBusName",
        "EventPattern",
        "RoleArn",
        "ScheduleExpression",
        "State",
    ];
    for (name, value) in texts(rule, &properties) {
        body[name] = value.into();
    }
    body
}

/// Returns the input of operations on the targets of a rule.
fn named(rule: &ServiceResource) -> Json {
    let mut body = json!({ "Rule": rule.name });
    if let Some(bus) = bus(rule) {
        body["EventBusName"] = bus.into();
    }
    body
}

/// Removes the targets of a rule besides those with the IDs of `kept`. Returns notes on those that could not be removed.
async fn remove_targets(
    client: &ServiceClient,
    rule: &ServiceResource,
    kept: &[Json],
) -> Result<Vec<String>, CallError> {
    let mut body = named(rule);
    let mut removed: Vec<Json> = Vec::new();
    loop {
        let listed = client.json("events", "ListTargetsByRule", &body).await;
        // There is no such rule yet.
        let Some(answer) = unless_refused(listed, "ResourceNotFoundException")? else {
            return Ok(Vec::new());
        };
        let targets = answer["Targets"].as_array().into_iter().flatten();
        let ids = targets.map(|target| target["Id"].clone());
        removed.extend(ids.filter(|id| kept.iter().all(|kept| kept["Id"] != *id)));
        match answer.get("NextToken") {
            Some(token @ Json::String(_)) => body["NextToken"] = token.clone(),
            _ => break,
        }
    }
    if removed.is_empty() {
        return Ok(Vec::new());
    }
    let mut body = named(rule);
    body["Ids"] = removed.into();
    let answer = client.json("events", "RemoveTargets", &body).await?;
    Ok(failures(&answer))
}

/// Returns notes on the targets that an answer says are refused.
fn failures(answer: &Json) -> Vec<String> {
    if answer["FailedEntryCount"].as_u64().unwrap_or_default() == 0 {
        return Vec::new();
    }
    let entries = answer["FailedEntries"].as_array().into_iter().flatten();
    let notes = entries.map(|entry| {
        let [target, code, message] =
            ["TargetId", "ErrorCode", "ErrorMessage"].map(|name| member(entry, name));
        format!("the emulator refuses its target {target}: {code} {message}")
    });
    notes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_that_are_refused_in_a_successful_answer_are_notes() {
        let none = json!({ "FailedEntryCount": 0, "FailedEntries": [] });
        assert_eq!(failures(&none), Vec::<String>::new());
        let one = json!({ "FailedEntryCount": 1, "FailedEntries": [
            { "TargetId": "inbox", "ErrorCode": "ConcurrentModificationException", "ErrorMessage": "try again" },
        ] });
        assert_eq!(
            failures(&one),
            ["the emulator refuses its target inbox: ConcurrentModificationException try again"]
        );
    }
}
