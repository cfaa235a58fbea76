//! Whatever you send comes back.

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use serde::Serialize;
use stackgen_websocket::lambda::Telemetry;
use stackgen_websocket::{Environment, Lookup};

/// What the function reads from its environment: what stackgen.yaml sets.
#[derive(Clone, Debug)]
pub struct EchoConfig {
    /// How much is logged.
    pub telemetry: Telemetry,
}

impl EchoConfig {
    /// Reads it.
    pub fn read(environment: &mut Environment<impl Lookup>) -> Self {
        EchoConfig {
            telemetry: Telemetry::read(environment),
        }
    }
}

/// What API Gateway gets. The route is two-way, so that the caller gets the body (row M8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    /// 200; nobody reads it.
    pub status_code: u16,
    /// The answer.
    pub body: String,
}

/// Answers a message with itself.
pub fn echo(event: ApiGatewayWebsocketProxyRequest) -> Reply {
    let body = event.body.unwrap_or_default();
    tracing::info!(bytes = body.len(), "Echoed");
    Reply {
        status_code: 200,
        body,
    }
}
