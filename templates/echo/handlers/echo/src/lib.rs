//! Function that returns every message to its sender.

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use serde::Serialize;
use stackgen_websocket::lambda::Telemetry;
use stackgen_websocket::{Environment, Lookup};

/// Environment variables of the function. stackgen.yaml sets them.
#[derive(Clone, Debug)]
pub struct EchoConfig {
    /// Logs and metrics.
    pub telemetry: Telemetry,
}

impl EchoConfig {
    /// Reads the configuration.
    pub fn read(environment: &mut Environment<impl Lookup>) -> Self {
        EchoConfig {
            telemetry: Telemetry::read(environment),
        }
    }
}

/// Response of the function to API Gateway. The route is two-way, so the caller receives the body (row M8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionResponse {
    /// Always 200; API Gateway discards it.
    pub status_code: u16,
    /// Message for the caller.
    pub body: String,
}

/// Returns the body of a message.
pub fn echo(event: ApiGatewayWebsocketProxyRequest) -> FunctionResponse {
    let body = event.body.unwrap_or_default();
    tracing::info!(bytes = body.len(), "Echoed");
    FunctionResponse {
        status_code: 200,
        body,
    }
}
