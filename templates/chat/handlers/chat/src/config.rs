//! Environment variables of the functions. stackgen.yaml sets them.

use stackgen_websocket::authorize::Callers;
use stackgen_websocket::lambda::Telemetry;
use stackgen_websocket::{Environment, Lookup};

/// Configuration of the authorizer.
#[derive(Clone, Debug)]
pub struct AuthorizerConfig {
    /// Logs and metrics.
    pub telemetry: Telemetry,
    /// Issuer of the tokens, as in their `iss` claim: for Cognito the user pool's URL.
    pub issuer: String,
    /// Audience of the tokens: for Cognito the app client's ID.
    pub audience: String,
    /// Requirement for callers to send a token.
    pub callers: Callers,
}

impl AuthorizerConfig {
    /// Reads the configuration.
    pub fn read(environment: &mut Environment<impl Lookup>) -> Self {
        let callers = [
            ("mixed", Callers::Mixed),
            ("authenticated", Callers::Authenticated),
        ];
        AuthorizerConfig {
            telemetry: Telemetry::read(environment),
            issuer: environment.url("JWT_ISSUER"),
            audience: environment.text("JWT_AUDIENCE"),
            callers: environment.choice_or("AUTHORIZER_CALLERS", &callers, Callers::Authenticated),
        }
    }
}

/// Configuration of the chat handler.
#[derive(Clone, Debug)]
pub struct ChatConfig {
    /// Logs and metrics.
    pub telemetry: Telemetry,
    /// Name of the table of rooms.
    pub rooms_table: String,
    /// Management API of the stage.
    pub management_endpoint: String,
}

impl ChatConfig {
    /// Reads the configuration.
    pub fn read(environment: &mut Environment<impl Lookup>) -> Self {
        ChatConfig {
            telemetry: Telemetry::read(environment),
            rooms_table: environment.text("ROOMS_TABLE"),
            management_endpoint: environment.url("MANAGEMENT_ENDPOINT"),
        }
    }
}
