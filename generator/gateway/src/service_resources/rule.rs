//! Rules of EventBridge, with the targets that the gateway does not reach.

use serde_json::json;
use stackgen_gateway_stack::{ServiceResource, StoredResource};

use super::{member, text, texts};
use crate::outbound::service_client::{CallError, ServiceClient};

pub(super) async fn put(
    client: &ServiceClient,
    rule: &ServiceResource,
) -> Result<StoredResource, CallError> {
    let bus = text(rule, "EventBusName");
    let mut body = json!({ "Name": rule.name });
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
    let answer = client.json("events", "PutRule", &body).await?;
    let mut body = json!({ "Rule": rule.name, "Targets": rule.properties["Targets"] });
    if let Some(bus) = bus {
        body["EventBusName"] = bus.into();
    }
    client.json("events", "PutTargets", &body).await?;
    let arn = member(&answer, "RuleArn");
    Ok(StoredResource::new(&rule.name).with("Arn", arn))
}
