//! Parameters of Systems Manager.

use serde_json::json;
use stackgen_gateway_stack::{ServiceResource, StoredResource};

use super::text;
use crate::outbound::service_client::{CallError, ServiceClient};

pub(super) async fn put(
    client: &ServiceClient,
    parameter: &ServiceResource,
) -> Result<StoredResource, CallError> {
    let name = &parameter.name;
    let kind = text(parameter, "Type").unwrap_or_else(|| "String".to_owned());
    let value = text(parameter, "Value").unwrap_or_default();
    let body = json!({ "Name": name, "Type": kind, "Value": value, "Overwrite": true });
    client.json("ssm", "PutParameter", &body).await?;
    Ok(StoredResource::new(name)
        .with("Type", kind)
        .with("Value", value))
}
