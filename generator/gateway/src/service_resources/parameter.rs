//! Parameters of Systems Manager.

use serde_json::json;
use stackgen_gateway_stack::{EmulatedState, ServiceResource, StoredResource};

use super::{is_changed, member, text, unchanged_note, unless_refused};
use crate::outbound::service_client::{CallError, ServiceClient};

/// Creates a parameter. An existing one keeps its value, which the user may have set, unless the template changes it in this
/// session.
pub(super) async fn put(
    client: &ServiceClient,
    parameter: &ServiceResource,
    before: Option<&EmulatedState>,
) -> Result<StoredResource, CallError> {
    let name = &parameter.name;
    let kind = text(parameter, "Type").unwrap_or_else(|| "String".to_owned());
    let value = text(parameter, "Value").unwrap_or_default();
    let is_changed = is_changed(before, "Value", &value) || is_changed(before, "Type", &kind);
    let body = json!({ "Name": name, "Type": kind, "Value": value, "Overwrite": is_changed });
    let put = client.json("ssm", "PutParameter", &body).await;
    if unless_refused(put, "ParameterAlreadyExists")?.is_some() {
        return Ok(StoredResource::new(name)
            .with("Type", kind)
            .with("Value", value));
    }
    let body = json!({ "Name": name, "WithDecryption": true });
    let answer = client.json("ssm", "GetParameter", &body).await?;
    let current = member(&answer["Parameter"], "Value");
    let mut stored = StoredResource::new(name)
        .with("Type", member(&answer["Parameter"], "Type"))
        .with("Value", current.as_str());
    if current != value {
        stored.notes.push(unchanged_note("Value"));
    }
    Ok(stored)
}
