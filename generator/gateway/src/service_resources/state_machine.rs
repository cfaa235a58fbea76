//! State machines and activities of Step Functions.

use serde_json::{Value as Json, json};
use stackgen_gateway_stack::{ServiceResource, StoredResource};

use super::task_bridge::TaskBridge;
use super::{existing_note, member, tasks, text, unless_refused};
use crate::outbound::service_client::{CallError, ServiceClient};

pub(super) async fn put(
    client: &ServiceClient,
    bridge: &TaskBridge,
    machine: &ServiceResource,
) -> Result<StoredResource, CallError> {
    let name = &machine.name;
    let definition = text(machine, "DefinitionString").unwrap_or_default();
    let mut definition: Json = serde_json::from_str(&definition).unwrap_or_default();
    let mut notes = Vec::new();
    if tasks::calls_gateway(&definition, &client.scope) {
        match bridge.function(&machine.stack).await {
            Ok(function) => tasks::redirect(&mut definition, &function, &client.scope),
            Err(reason) => notes.push(format!(
                "its tasks reach no function, table or connection of this stack: {reason}"
            )),
        }
    }
    let definition = definition.to_string();
    let role = text(machine, "RoleArn").unwrap_or_default();
    let body = json!({
        "name": name,
        "definition": definition,
        "roleArn": role,
        "type": text(machine, "StateMachineType"),
    });
    let created = client.json("states", "CreateStateMachine", &body).await;
    let arn = match unless_refused(created, "StateMachineAlreadyExists")? {
        Some(answer) => member(&answer, "stateMachineArn"),
        None => {
            let resource = format!("stateMachine:{name}");
            let arn = client.scope.resource("states", resource);
            let body = json!({
                "stateMachineArn": arn,
                "definition": definition,
                "roleArn": role,
            });
            client.json("states", "UpdateStateMachine", &body).await?;
            notes.extend(type_note(client, machine, &arn).await?);
            arn
        }
    };
    let stored = StoredResource {
        notes,
        ..StoredResource::new(arn.as_str())
    };
    Ok(stored.with("Arn", arn).with("Name", name))
}

/// Returns a note on a state machine that exists with the other type, which cannot be changed.
async fn type_note(
    client: &ServiceClient,
    machine: &ServiceResource,
    arn: &str,
) -> Result<Option<String>, CallError> {
    let body = json!({ "stateMachineArn": arn });
    let answer = client.json("states", "DescribeStateMachine", &body).await?;
    let (found, wanted) = (member(&answer, "type"), text(machine, "StateMachineType"));
    let wanted = wanted.filter(|wanted| !found.is_empty() && *wanted != found);
    Ok(wanted.map(|wanted| existing_note(format_args!("its type {found}"), wanted)))
}

pub(super) async fn put_activity(
    client: &ServiceClient,
    activity: &ServiceResource,
) -> Result<StoredResource, CallError> {
    let name = &activity.name;
    let created = client
        .json("states", "CreateActivity", &json!({ "name": name }))
        .await;
    let created = unless_refused(created, "ActivityAlreadyExists")?;
    let arn = match created {
        Some(answer) => member(&answer, "activityArn"),
        None => client
            .scope
            .resource("states", format_args!("activity:{name}")),
    };
    Ok(StoredResource::new(arn.as_str())
        .with("Arn", arn)
        .with("Name", name))
}
