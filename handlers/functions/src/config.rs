//! What each function reads from its environment. The names here are the ones that stackgen.yaml sets.

use live_session_core::{AudioSettings, JoinSettings, RateLimitFailure};
use stackgen_websocket::authorize::{Callers, TokenUse};
use stackgen_websocket::aws::AwsSettings;
use stackgen_websocket::lambda::Telemetry;
use stackgen_websocket::{Environment, Lookup};

use crate::dynamo::Tables;

/// What a function reads from its environment.
pub trait Config: Sized {
    /// Reads it; the environment remembers what was wrong.
    fn read(environment: &mut Environment<impl Lookup>) -> Self;

    /// Logs and metrics.
    fn telemetry(&self) -> &Telemetry;
}

/// Whose tokens the authorizer takes.
#[derive(Clone, Debug)]
pub struct AuthorizerConfig {
    /// Logs and metrics.
    pub telemetry: Telemetry,
    /// Who issues them, as tokens name it: for Cognito the user pool's URL.
    pub issuer: String,
    /// For whom they are: for Cognito the app client's id.
    pub audience: String,
    /// Of which kind they are.
    pub token_use: TokenUse,
    /// Whether everybody has to bring one.
    pub callers: Callers,
}

impl Config for AuthorizerConfig {
    fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    fn read(environment: &mut Environment<impl Lookup>) -> Self {
        let kinds = [("id", TokenUse::Id), ("access", TokenUse::Access)];
        let callers = [
            ("mixed", Callers::Mixed),
            ("authenticated", Callers::Authenticated),
        ];
        AuthorizerConfig {
            telemetry: Telemetry::read(environment),
            issuer: environment.url("JWT_ISSUER"),
            audience: environment.text("JWT_AUDIENCE"),
            token_use: environment.choice_or("JWT_TOKEN_USE", &kinds, TokenUse::Id),
            callers: environment.choice_or("AUTHORIZER_CALLERS", &callers, Callers::Authenticated),
        }
    }
}

/// Where sessions and connections are, and how connections are reached.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Where, and as whom, AWS is called: what Lambda sets.
    pub aws: AwsSettings,
    /// The tables.
    pub tables: Tables,
    /// The management API of this stage.
    pub management_endpoint: String,
}

impl Reach {
    fn read(environment: &mut Environment<impl Lookup>, rate_limits: Option<String>) -> Self {
        Reach {
            aws: AwsSettings::read(environment),
            tables: Tables {
                sessions: environment.text("SESSIONS_TABLE"),
                connections: environment.text("CONNECTIONS_TABLE"),
                rate_limits,
            },
            management_endpoint: environment.url("MANAGEMENT_ENDPOINT"),
        }
    }

    fn with_rates(environment: &mut Environment<impl Lookup>) -> Self {
        let rate_limits = environment.text("RATE_LIMITS_TABLE");
        Reach::read(environment, Some(rate_limits))
    }
}

fn rate_limit_failure(
    environment: &mut Environment<impl Lookup>,
    default: RateLimitFailure,
) -> RateLimitFailure {
    let choices = [
        ("open", RateLimitFailure::Open),
        ("closed", RateLimitFailure::Closed),
    ];
    environment.choice_or("RATE_LIMIT_FAILURE", &choices, default)
}

/// The connection handler's.
#[derive(Clone, Debug)]
pub struct ConnectionConfig {
    /// Logs and metrics.
    pub telemetry: Telemetry,
    /// Tables and connections.
    pub reach: Reach,
    /// Who may come in.
    pub join: JoinSettings,
}

impl Config for ConnectionConfig {
    fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    fn read(environment: &mut Environment<impl Lookup>) -> Self {
        ConnectionConfig {
            telemetry: Telemetry::read(environment),
            reach: Reach::with_rates(environment),
            join: JoinSettings {
                max_listeners: environment.integer_or(
                    "MAX_LISTENERS_PER_SESSION",
                    1..=100_000,
                    500,
                ),
                rate_limit_failure: rate_limit_failure(environment, RateLimitFailure::Open),
            },
        }
    }
}

/// The disconnect handler's.
#[derive(Clone, Debug)]
pub struct DisconnectConfig {
    /// Logs and metrics.
    pub telemetry: Telemetry,
    /// Tables and connections.
    pub reach: Reach,
}

impl Config for DisconnectConfig {
    fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    fn read(environment: &mut Environment<impl Lookup>) -> Self {
        DisconnectConfig {
            telemetry: Telemetry::read(environment),
            reach: Reach::read(environment, None),
        }
    }
}

/// The audio handler's.
#[derive(Clone, Debug)]
pub struct AudioConfig {
    /// Logs and metrics.
    pub telemetry: Telemetry,
    /// Tables and connections.
    pub reach: Reach,
    /// How audio is sent.
    pub audio: AudioSettings,
}

impl Config for AudioConfig {
    fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    fn read(environment: &mut Environment<impl Lookup>) -> Self {
        AudioConfig {
            telemetry: Telemetry::read(environment),
            reach: Reach::with_rates(environment),
            audio: AudioSettings {
                listeners_per_invocation: environment.integer_or(
                    "LISTENERS_PER_INVOCATION",
                    1..=1_000,
                    250,
                ),
                rate_limit_failure: rate_limit_failure(environment, RateLimitFailure::Open),
            },
        }
    }
}

/// The HTTP handler's.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Logs and metrics.
    pub telemetry: Telemetry,
    /// Tables and connections.
    pub reach: Reach,
    /// Whether sessions are created while the table of rates does not answer.
    pub rate_limit_failure: RateLimitFailure,
}

impl Config for HttpConfig {
    fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    fn read(environment: &mut Environment<impl Lookup>) -> Self {
        HttpConfig {
            telemetry: Telemetry::read(environment),
            reach: Reach::with_rates(environment),
            rate_limit_failure: rate_limit_failure(environment, RateLimitFailure::Closed),
        }
    }
}
