//! Code that the Lambda functions of WebSocket APIs on API Gateway share.

pub mod authorize;
#[cfg(feature = "aws")]
pub mod aws;
mod broadcast;
mod clock;
mod connection;
mod environment;
#[cfg(feature = "lambda")]
pub mod lambda;
#[cfg(feature = "lambda")]
pub mod logs;
#[cfg(feature = "management")]
mod management;
pub mod metrics;
#[cfg(feature = "oidc")]
mod oidc;

pub use broadcast::{
    BreakerOptions, Broadcaster, CircuitBreaker, CircuitState, ConnectionProbe, FanOutOptions,
    FanOutReport, PostError, fan_out,
};
pub use clock::{Clock, SystemClock, Timestamp};
pub use connection::ConnectionId;
pub use environment::{Environment, EnvironmentError, Lookup, VariableProblem};
#[cfg(feature = "management")]
pub use management::ManagementApi;
#[cfg(feature = "oidc")]
pub use oidc::{IssuerError, OidcKeys};
