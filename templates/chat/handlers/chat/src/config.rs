//! What the functions read from their environment: what stackgen.yaml sets.

use stackgen_websocket::authorize::Callers;
use stackgen_websocket::lambda::Telemetry;
use stackgen_websocket::{Environment, Lookup};

/// Whose tokens the authorizer takes.
#[derive(Clone, Debug)]
pub struct AuthorizerConfig {
    /// How much is logged.
    pub telemetry: Telemetry,
    /// Who issues them, as tokens name it: for Cognito the user pool's URL.
    pub issuer: String,
    /// For whom they are: for Cognito the app client's id.
    pub audience: String,
    /// Whether everybody has to bring one.
    pub callers: Callers,
}

impl AuthorizerConfig {
    /// Reads it.
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

/// Where rooms and connections are.
#[derive(Clone, Debug)]
pub struct ChatConfig {
    /// How much is logged.
    pub telemetry: Telemetry,
    /// The table of rooms.
    pub rooms_table: String,
    /// The management API of the stage.
    pub management_endpoint: String,
}

impl ChatConfig {
    /// Reads it.
    pub fn read(environment: &mut Environment<impl Lookup>) -> Self {
        ChatConfig {
            telemetry: Telemetry::read(environment),
            rooms_table: environment.text("ROOMS_TABLE"),
            management_endpoint: environment.url("MANAGEMENT_ENDPOINT"),
        }
    }
}
