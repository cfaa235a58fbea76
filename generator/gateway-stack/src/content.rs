//! Conversions of contents whose effect AWS does not document (row M10).

use stackgen_gateway_apis::apis::ProtocolType;

use super::account::LocalAccount;

/// Explains what the gateway does with conversions whose effect is not documented.
pub(super) fn notes(account: &LocalAccount) -> Vec<String> {
    let apis = &account.apis;
    let mut notes = Vec::new();
    let websocket = apis.list_apis().into_iter();
    for api in websocket.filter(|api| api.protocol_type == ProtocolType::WebSocket) {
        let name = &api.name;
        let integrations = apis.list_integrations(&api.api_id).unwrap_or_default();
        let mut to_text = false;
        let mut to_binary = false;
        for integration in integrations {
            to_text |= integration.content_handling_strategy.as_deref() == Some("CONVERT_TO_TEXT");
            let id = &integration.integration_id;
            let responses = apis.list_integration_responses(&api.api_id, id);
            to_binary |= responses.unwrap_or_default().iter().any(|response| {
                response.content_handling_strategy.as_deref() == Some("CONVERT_TO_BINARY")
            });
        }
        if to_text {
            notes.push(format!(
                "{name}: CONVERT_TO_TEXT of an integration has no effect here, because messages are text; AWS documents no effect either (row M10)"
            ));
        }
        if to_binary {
            notes.push(format!(
                "{name}: CONVERT_TO_BINARY of an integration response decodes base64, and the client gets a text frame; AWS does not document the frame (row M10)"
            ));
        }
    }
    notes
}
