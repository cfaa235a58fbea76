//! What the Lambda functions of a WebSocket API on API Gateway share.

pub mod authorize;
mod broadcast;
mod clock;
mod connection;
mod environment;
#[cfg(feature = "oidc")]
mod oidc;
#[cfg(feature = "testing")]
pub mod testing;

pub use broadcast::{Broadcaster, FanOut, PostError, Report, fan_out};
pub use clock::{Clock, SystemClock, Timestamp};
pub use connection::ConnectionId;
pub use environment::{Environment, EnvironmentError, Lookup, Problem};
#[cfg(feature = "oidc")]
pub use oidc::{IssuerError, OidcKeys};
