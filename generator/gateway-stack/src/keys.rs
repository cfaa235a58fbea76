//! API keys and usage plans of a template (row A15).

use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use stackgen_gateway_apis::apis::{PlanStage, ProtocolType, StoredApi, StoredApiKey};
use stackgen_gateway_common::{ApiId, RouteKey, StageName};

use super::account::{ExistingResource, LocalAccount};
use super::desired::DesiredResource;
use super::key_types::{KEY, PLAN};
use super::shapes::{Shape, convert};

/// Length of generated values, as on AWS.
const VALUE_LENGTH: usize = 40;

/// Creates or updates a key or a usage plan.
pub(super) fn put(account: &LocalAccount, id: &str, desired: &DesiredResource<'_>) {
    let keys = account.apis.keys();
    let property = |name: &str| desired.properties.get(name).cloned().unwrap_or_default();
    match desired.resource.kind.as_str() {
        KEY => {
            let value = desired.text("Value");
            let name = match desired.text("Name") {
                "" => desired.resource.logical_id.as_str(),
                name => name,
            };
            let key = StoredApiKey {
                name: name.to_owned(),
                generated: value.is_empty(),
                value: match value {
                    "" => generated_value(id),
                    value => value.to_owned(),
                },
                enabled: convert(property("Enabled"), Shape::Bool) == Json::Bool(true),
            };
            keys.put_key(id, key);
        }
        PLAN => {
            let stages = property("ApiStages");
            let stages = stages.as_array().into_iter().flatten();
            let stages = stages.filter_map(|one| {
                Some(PlanStage {
                    api_id: ApiId::new(one["ApiId"].as_str()?),
                    stage: StageName::new(one["Stage"].as_str()?),
                })
            });
            keys.put_plan(id, stages.collect());
        }
        _ => keys.add_to_plan(desired.text("UsagePlanId"), desired.text("KeyId")),
    }
}

/// Deletes a key or a usage plan, or removes a key from a plan.
pub(super) fn delete(account: &LocalAccount, existing: &ExistingResource) {
    let (keys, id) = (account.apis.keys(), existing.physical_id.as_str());
    match existing.kind.as_str() {
        KEY => keys.delete_key(id),
        PLAN => keys.delete_plan(id),
        _ => keys.remove_from_plan(existing.text("UsagePlanId"), existing.text("KeyId")),
    }
}

/// Returns the value of a key without one. It is the same in every run.
fn generated_value(id: &str) -> String {
    let digest = Sha256::digest(id.as_bytes());
    let digits = digest.iter().flat_map(|byte| {
        let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble & 15)]);
        [digit(byte >> 4), digit(*byte)]
    });
    digits.take(VALUE_LENGTH).collect()
}

/// Explains how to connect to APIs that require a key, where the template does not make it plain.
pub(super) fn notes(account: &LocalAccount) -> Vec<String> {
    let apis = &account.apis;
    let mut notes = Vec::new();
    for api in apis.list_apis() {
        if !requires_key(account, &api) {
            continue;
        }
        let name = &api.name;
        if apis.keys().is_empty() {
            notes.push(format!(
                "{name} requires an API key and the template declares none: here every key is good; on AWS only keys in a usage plan of the stage (row A15)"
            ));
            continue;
        }
        for stage in apis.list_stages(&api.api_id).unwrap_or_default() {
            let stage = stage.stage_name.as_str();
            if apis.keys().of_stage(&api.api_id, stage).is_empty() {
                notes.push(format!(
                    "{name} requires an API key, and no enabled key is in a usage plan with the stage {stage}: every handshake gets 403 (row A15)"
                ));
            }
        }
    }
    notes
}

/// Returns true if `$connect` of an API requires a key.
fn requires_key(account: &LocalAccount, api: &StoredApi) -> bool {
    let routes = account.apis.list_routes(&api.api_id).unwrap_or_default();
    api.protocol_type == ProtocolType::WebSocket
        && routes
            .iter()
            .any(|route| route.api_key_required && route.route_key == RouteKey::CONNECT)
}
