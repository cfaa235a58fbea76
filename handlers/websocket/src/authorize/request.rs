//! What the authorizer is asked.

use aws_lambda_events::apigw::ApiGatewayCustomAuthorizerRequestTypeRequest;
use http::HeaderMap;

/// A caller who wants to connect: what matters of the event that a REQUEST authorizer gets (row E4).
///
/// It holds tokens, so it has no `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ConnectRequest {
    /// What the caller wants to do: `arn:aws:execute-api:{region}:{account}:{api}/{stage}/$connect` (row A13).
    pub method_arn: String,
    /// API Gateway's id of the request; its access log has it too.
    pub request_id: String,
    /// The id that the connection will have.
    pub connection_id: String,
    /// Every value of the query parameter `token`.
    pub query_tokens: Vec<String>,
    /// Every value of the header `Authorization`.
    pub authorizations: Vec<String>,
    /// Every value of the header `Sec-WebSocket-Protocol`: what the client offers.
    pub subprotocols: Vec<String>,
}

/// The event's type is the one that REST APIs and WebSocket APIs share; what only WebSocket APIs send, the
/// connection's id, is among its catch-all fields.
impl From<ApiGatewayCustomAuthorizerRequestTypeRequest> for ConnectRequest {
    fn from(event: ApiGatewayCustomAuthorizerRequestTypeRequest) -> Self {
        let headers = |name: &str| {
            let mut values = header(&event.headers, name);
            values.extend(header(&event.multi_value_headers, name));
            values
        };
        // Both maps: one that has several values for a name has the last of them in the other.
        let query = [
            &event.query_string_parameters,
            &event.multi_value_query_string_parameters,
        ];
        let tokens = query.iter().filter_map(|map| map.all("token")).flatten();
        let connection_id = event.request_context.other.get("connectionId");
        ConnectRequest {
            query_tokens: tokens.map(str::to_owned).collect(),
            authorizations: headers("authorization"),
            subprotocols: headers("sec-websocket-protocol"),
            connection_id: connection_id
                .and_then(|id| id.as_str())
                .unwrap_or_default()
                .to_owned(),
            method_arn: event.method_arn.unwrap_or_default(),
            request_id: event.request_context.request_id.unwrap_or_default(),
        }
    }
}

/// A header's values, whatever the case of its name. What is not UTF-8 stays recognisably wrong.
fn header(headers: &HeaderMap, name: &str) -> Vec<String> {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let values = headers.get_all(name).iter();
    values.map(|value| text(value.as_bytes())).collect()
}
