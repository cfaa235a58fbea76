//! Environment variables of each function. stackgen.yaml sets the same names.

use live_session_core::limits::{
    AUDIO_CHUNKS_PER_SECOND, AUDIO_POSTS_PER_SECOND, CONTROL_MESSAGES, JOIN_RATE, Rate, VIEW_RATE,
    WRONG_ID_RATE, audio_rate, control_rate,
};
use live_session_core::ports::Capacity;
use live_session_core::{
    AudioSettings, CallerLimits, JoinSettings, RateLimitFailure, ReconcileSettings,
};
use stackgen_websocket::authorize::{Callers, TokenUse};
use stackgen_websocket::aws::AwsSettings;
use stackgen_websocket::lambda::Telemetry;
use stackgen_websocket::{Environment, Lookup};

use crate::dynamo::TableNames;
use crate::http::HttpLimits;

/// Configuration that a function reads from its environment variables.
pub trait Config: Sized {
    /// Reads the configuration. The environment collects the errors.
    fn read(environment: &mut Environment<impl Lookup>) -> Self;

    /// Returns the settings for logs and metrics.
    fn telemetry(&self) -> &Telemetry;
}

/// Configuration of the authorizer.
#[derive(Clone, Debug)]
pub struct AuthorizerConfig {
    /// Logs and metrics.
    pub telemetry: Telemetry,
    /// Issuer of the tokens, as in their `iss` claim: for Cognito the user pool's URL.
    pub issuer: String,
    /// Audience of the tokens: for Cognito the app client's ID.
    pub audience: String,
    /// Kind of the tokens.
    pub token_use: TokenUse,
    /// Requirement for callers to send a token.
    pub callers: Callers,
    /// AWS settings, which Lambda sets.
    pub aws: AwsSettings,
    /// Tables of tickets and of rate limits.
    pub tables: TableNames,
    /// Limit on wrong tickets.
    pub limits: CallerLimits,
}

impl Config for AuthorizerConfig {
    fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    fn read(environment: &mut Environment<impl Lookup>) -> Self {
        let callers = [
            ("mixed", Callers::Mixed),
            ("authenticated", Callers::Authenticated),
        ];
        AuthorizerConfig {
            telemetry: Telemetry::read(environment),
            issuer: environment.url("JWT_ISSUER"),
            audience: environment.text("JWT_AUDIENCE"),
            token_use: token_use(environment),
            callers: environment.choice_or("AUTHORIZER_CALLERS", &callers, Callers::Authenticated),
            aws: AwsSettings::read(environment),
            tables: TableNames {
                rate_limits: Some(environment.text("RATE_LIMITS_TABLE")),
                tickets: Some(environment.text("TICKETS_TABLE")),
                ..TableNames::default()
            },
            limits: CallerLimits {
                // The handshake counts as a join, not here.
                requests: JOIN_RATE,
                wrong_ids: rate(environment, "WRONG_IDS_PER_HOUR", WRONG_ID_RATE),
                // A ticket that cannot be guessed protects sessions while the table is unavailable.
                failure: RateLimitFailure::Open,
            },
        }
    }
}

/// Reads the kind of the tokens. It is the same for connections and requests.
fn token_use(environment: &mut Environment<impl Lookup>) -> TokenUse {
    let kinds = [("id", TokenUse::Id), ("access", TokenUse::Access)];
    environment.choice_or("JWT_TOKEN_USE", &kinds, TokenUse::Id)
}

/// Settings to reach tables and connections.
#[derive(Clone, Debug)]
pub struct ServiceConfig {
    /// AWS settings, which Lambda sets.
    pub aws: AwsSettings,
    /// Names of the tables.
    pub tables: TableNames,
    /// Management API of this stage.
    pub management_endpoint: String,
}

impl ServiceConfig {
    fn read(environment: &mut Environment<impl Lookup>, rate_limits: Option<String>) -> Self {
        ServiceConfig {
            aws: AwsSettings::read(environment),
            tables: TableNames {
                sessions: environment.text("SESSIONS_TABLE"),
                connections: environment.text("CONNECTIONS_TABLE"),
                rate_limits,
                tickets: None,
            },
            management_endpoint: environment.url("MANAGEMENT_ENDPOINT"),
        }
    }

    fn with_rate_limits(environment: &mut Environment<impl Lookup>) -> Self {
        let rate_limits = environment.text("RATE_LIMITS_TABLE");
        ServiceConfig::read(environment, Some(rate_limits))
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

/// Reads the number of tokens of a rate; its period is fixed.
fn rate(environment: &mut Environment<impl Lookup>, name: &'static str, default: Rate) -> Rate {
    Rate {
        tokens: environment.integer_or(name, 1..=1_000_000, default.tokens),
        ..default
    }
}

/// Configuration of the connection handler.
#[derive(Clone, Debug)]
pub struct ConnectionConfig {
    /// Logs and metrics.
    pub telemetry: Telemetry,
    /// Tables and connections.
    pub services: ServiceConfig,
    /// Settings for admission.
    pub join: JoinSettings,
    /// Rate of messages per connection.
    pub messages: Rate,
}

impl Config for ConnectionConfig {
    fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    fn read(environment: &mut Environment<impl Lookup>) -> Self {
        ConnectionConfig {
            telemetry: Telemetry::read(environment),
            services: ServiceConfig::with_rate_limits(environment),
            join: JoinSettings {
                capacity: Capacity {
                    listeners: environment.integer_or(
                        "MAX_LISTENERS_PER_SESSION",
                        1..=100_000,
                        500,
                    ),
                    per_address: environment.integer_or(
                        "MAX_LISTENERS_PER_ADDRESS",
                        1..=100_000,
                        50,
                    ),
                },
                caller: CallerLimits {
                    requests: rate(environment, "JOINS_PER_MINUTE", JOIN_RATE),
                    wrong_ids: rate(environment, "WRONG_IDS_PER_HOUR", WRONG_ID_RATE),
                    failure: rate_limit_failure(environment, RateLimitFailure::Open),
                },
            },
            messages: control_rate(environment.integer_or(
                "CONTROL_MESSAGES_PER_10_SECONDS",
                1..=10_000,
                CONTROL_MESSAGES,
            )),
        }
    }
}

/// Configuration of the disconnect handler.
#[derive(Clone, Debug)]
pub struct DisconnectConfig {
    /// Logs and metrics.
    pub telemetry: Telemetry,
    /// Tables and connections.
    pub services: ServiceConfig,
}

impl Config for DisconnectConfig {
    fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    fn read(environment: &mut Environment<impl Lookup>) -> Self {
        DisconnectConfig {
            telemetry: Telemetry::read(environment),
            services: ServiceConfig::read(environment, None),
        }
    }
}

/// Configuration of the audio handler.
#[derive(Clone, Debug)]
pub struct AudioConfig {
    /// Logs and metrics.
    pub telemetry: Telemetry,
    /// Tables and connections.
    pub services: ServiceConfig,
    /// Settings for audio.
    pub audio: AudioSettings,
}

impl Config for AudioConfig {
    fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    fn read(environment: &mut Environment<impl Lookup>) -> Self {
        AudioConfig {
            telemetry: Telemetry::read(environment),
            services: ServiceConfig::with_rate_limits(environment),
            audio: AudioSettings {
                listeners_per_invocation: environment.integer_or(
                    "LISTENERS_PER_INVOCATION",
                    1..=1_000,
                    250,
                ),
                posts_per_second: environment.integer_or(
                    "AUDIO_POSTS_PER_SECOND",
                    1..=100_000,
                    AUDIO_POSTS_PER_SECOND,
                ),
                rate: audio_rate(environment.integer_or(
                    "AUDIO_CHUNKS_PER_SECOND",
                    1..=100,
                    AUDIO_CHUNKS_PER_SECOND,
                )),
                rate_limit_failure: rate_limit_failure(environment, RateLimitFailure::Open),
            },
        }
    }
}

/// Configuration of the HTTP handler.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Logs and metrics.
    pub telemetry: Telemetry,
    /// Tables and connections.
    pub services: ServiceConfig,
    /// Limits.
    pub limits: HttpLimits,
    /// Kind of the tokens.
    pub token_use: TokenUse,
}

impl Config for HttpConfig {
    fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    fn read(environment: &mut Environment<impl Lookup>) -> Self {
        let mut services = ServiceConfig::with_rate_limits(environment);
        services.tables.tickets = Some(environment.text("TICKETS_TABLE"));
        HttpConfig {
            telemetry: Telemetry::read(environment),
            services,
            token_use: token_use(environment),
            limits: HttpLimits {
                create_failure: rate_limit_failure(environment, RateLimitFailure::Closed),
                caller: CallerLimits {
                    requests: rate(environment, "VIEWS_PER_MINUTE", VIEW_RATE),
                    wrong_ids: rate(environment, "WRONG_IDS_PER_HOUR", WRONG_ID_RATE),
                    // An ID that cannot be guessed protects sessions while the table is unavailable.
                    failure: RateLimitFailure::Open,
                },
            },
        }
    }
}

/// Configuration of the reconciler.
#[derive(Clone, Debug)]
pub struct ReconcilerConfig {
    /// Logs and metrics.
    pub telemetry: Telemetry,
    /// Tables and connections.
    pub services: ServiceConfig,
    /// Settings of a run.
    pub reconcile: ReconcileSettings,
}

impl Config for ReconcilerConfig {
    fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    fn read(environment: &mut Environment<impl Lookup>) -> Self {
        let default = ReconcileSettings::default();
        ReconcilerConfig {
            telemetry: Telemetry::read(environment),
            services: ServiceConfig::read(environment, None),
            reconcile: ReconcileSettings {
                probes_per_second: environment.integer_or(
                    "PROBES_PER_SECOND",
                    1..=1_000,
                    default.probes_per_second,
                ),
                ..default
            },
        }
    }
}
