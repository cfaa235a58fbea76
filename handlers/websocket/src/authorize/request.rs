//! Request to the authorizer.

use aws_lambda_events::apigw::ApiGatewayCustomAuthorizerRequestTypeRequest;
use http::HeaderMap;

/// Handshake of a caller: the used part of a REQUEST authorizer's event (row E4).
///
/// It contains tokens, so it does not implement `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ConnectRequest {
    /// ARN of the requested method: `arn:aws:execute-api:{region}:{account}:{api}/{stage}/$connect` (row A13).
    pub method_arn: String,
    /// Request ID from API Gateway, as in its access log.
    pub request_id: String,
    /// ID of the future connection.
    pub connection_id: String,
    /// All values of the query parameter `token`.
    pub query_tokens: Vec<String>,
    /// All values of the header `Authorization`.
    pub authorizations: Vec<String>,
    /// All values of the header `Sec-WebSocket-Protocol`: the subprotocols that the client offers.
    pub subprotocols: Vec<String>,
}

/// REST APIs and WebSocket APIs share the event's type. The connection ID, which only WebSocket APIs send, is among its
/// catch-all fields.
impl From<ApiGatewayCustomAuthorizerRequestTypeRequest> for ConnectRequest {
    fn from(event: ApiGatewayCustomAuthorizerRequestTypeRequest) -> Self {
        let headers = |name: &str| {
            let mut values = header(&event.headers, name);
            values.extend(header(&event.multi_value_headers, name));
            values
        };
        // For repeated names, the first map has only the last value, and the second has all.
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

/// Returns the values of a header, ignoring case. Replaces invalid UTF-8, so that the value stays invalid.
fn header(headers: &HeaderMap, name: &str) -> Vec<String> {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let values = headers.get_all(name).iter();
    values.map(|value| text(value.as_bytes())).collect()
}
