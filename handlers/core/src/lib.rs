//! Live sessions: a speaker streams audio into a session, and listeners hear it in their own language.
//!
//! This crate holds the protocol, the rules and the ports. It uses no AWS service, network or environment variable:
//! adapters implement [`ports`], and binaries pass them to the rules.

mod audience;
mod audio;
mod connect;
mod disconnect;
mod end;
mod join;
pub mod limits;
mod messages;
mod names;
pub mod ports;
pub mod protocol;
mod rates;
mod session;
pub mod sessions;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod values;

pub use audio::{AudioSettings, Recipient, Sent, Share, send_audio, send_share};
pub use connect::{ConnectError, Handshake, connect};
pub use disconnect::disconnect;
pub use end::{EndError, Ending, end};
pub use join::{JoinError, JoinSettings, Joined, Newcomer};
pub use limits::RateLimitFailure;
pub use messages::{Sender, answer};
pub use names::Names;
pub use rates::Limited;
pub use session::{BroadcastState, Connection, QualityTier, Role, Session, Status};
pub use stackgen_websocket::{Clock, ConnectionId, Timestamp};
pub use values::{Invalid, Language, SessionId, UserId, Volume};
