//! Live sessions: a speaker streams audio into a session, and listeners hear it in their own language.
//!
//! This crate holds the protocol, the rules and the ports. It uses no AWS service, network or environment variable:
//! adapters implement [`ports`], and binaries pass them to the rules.

mod audience;
mod audio;
mod callers;
mod connect;
mod disconnect;
mod end;
mod gone;
mod join;
pub mod limits;
mod message_limit;
mod messages;
pub mod ports;
pub mod protocol;
mod rates;
mod recipients;
mod reconcile;
mod session;
mod session_ids;
pub mod sessions;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod ticket;
pub mod tickets;
mod values;

pub use audio::{AudioMessage, AudioReport, AudioSender, AudioSettings};
pub use callers::{CallerLimits, address_key};
pub use connect::{ConnectError, Handshake, connect};
pub use disconnect::disconnect;
pub use end::{EndError, EndRequest, end};
pub use join::{JoinError, JoinRequest, JoinSettings, JoinedConnection};
pub use limits::RateLimitFailure;
pub use message_limit::{MessageDecision, MessageLimiter};
pub use messages::{Sender, handle_message};
pub use rates::{BucketTimes, RateLimitError};
pub use recipients::{GoneListeners, Recipient, Share};
pub use reconcile::{ReconcileReport, ReconcileSettings, reconcile};
pub use session::{
    BroadcastState, Connection, ListenerCounts, QualityTier, Role, Session, SessionStatus,
};
pub use session_ids::{NoRandomness, SessionIdGenerator};
pub use stackgen_websocket::{Clock, ConnectionId, Timestamp};
pub use ticket::{Grant, Ticket, TicketHash};
pub use values::{CreationKey, InvalidValue, Language, SessionId, UserId, Volume};
