//! Event buses of EventBridge. Their rules with functions run in the gateway.

use serde_json::json;
use stackgen_gateway_stack::{ServiceResource, StoredResource};

use super::unless_refused;
use crate::outbound::service_client::{CallError, ServiceClient};

pub(super) async fn put(
    client: &ServiceClient,
    bus: &ServiceResource,
) -> Result<StoredResource, CallError> {
    let name = &bus.name;
    let created = client
        .json("events", "CreateEventBus", &json!({ "Name": name }))
        .await;
    unless_refused(created, "ResourceAlreadyExistsException")?;
    let arn = client
        .scope
        .resource("events", format_args!("event-bus/{name}"));
    Ok(StoredResource::new(name)
        .with("Arn", arn)
        .with("Name", name))
}
