//! URLs of the APIs.

use stackgen_cfn::{Node, join, sub};

use super::api_names::ApiNames;
use crate::spec::{DomainSpec, WebSocketSpec};

/// Returns the endpoint of the management API: `https://`, with the stage.
pub(super) fn management_endpoint(api: &WebSocketSpec) -> Node {
    websocket_url("https", api)
}

pub(super) fn websocket_url(scheme: &str, api: &WebSocketSpec) -> Node {
    let closed = api
        .domain
        .as_ref()
        .filter(|domain| domain.disable_execute_api_endpoint || scheme == "wss");
    match closed.map(|domain| custom_domain_url(scheme, domain)) {
        Some(url) => url,
        None => sub(format!(
            "{scheme}://${{{}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{}",
            ApiNames::WEBSOCKET.id,
            api.stage_name()
        )),
    }
}

/// Returns the URL at a custom domain.
pub(super) fn custom_domain_url(scheme: &str, domain: &DomainSpec) -> Node {
    let path = domain
        .mapping_key
        .as_ref()
        .map_or_else(String::new, |key| format!("/{key}"));
    let name = &domain.name.0;
    match name.as_str() {
        Some(name) => format!("{scheme}://{name}{path}").into(),
        None => {
            let parts = [
                format!("{scheme}://").into(),
                name.clone(),
                path.clone().into(),
            ];
            join(
                "",
                parts.into_iter().take(if path.is_empty() { 2 } else { 3 }),
            )
        }
    }
}
