//! Live sessions: a speaker streams audio into a session, listeners hear it in their own language.
//!
//! Protocol, rules and ports. Nothing here knows AWS, a network or an environment variable; adapters implement
//! [`ports`], and binaries put the two together.

mod audio;
mod limits;
pub mod ports;
mod session;
mod values;

pub use audio::{Recipient, Share};
pub use limits::{Limits, MAX_CONNECTION, MAX_SESSION, RECORD_GRACE, SESSION_GRACE};
pub use session::{BroadcastState, Connection, QualityTier, Role, Session, Status};
pub use stackgen_websocket::{ConnectionId, Timestamp};
pub use values::{Invalid, Language, SessionId, UserId, Volume};
