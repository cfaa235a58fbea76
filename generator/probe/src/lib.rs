//! A WebSocket client that connects as a caller of a stack, reads what browsers hide, and explains what it saw.
//!
//! [`connect`] shakes hands with a [`Target`] and returns the answer, whatever its status, and a [`Connection`] if there
//! is one. No token, key or password that a target brings along is in anything that comes out: errors, `Debug` and JSON
//! show [`HIDDEN`] in its place.
//!
//! Nothing here prints, exits or reads the environment, but for where the TLS library looks for this machine's root
//! certificates.

mod body;
mod connection;
mod dial;
mod expect;
mod explain;
mod handshake;
mod load;
mod millis;
mod report;
mod run;
mod secret;
mod target;

pub use connection::{Close, Closing, Connection, Incoming, Side, Text};
pub use dial::{ConnectError, Step, Timings, trusting};
pub use expect::{Check, Expectation};
pub use explain::{
    Certainty, ERROR_FRAMES, Explanation, RecordSubject, ServerRecord, explain, explain_close_code,
    explain_error_frame, explain_handshake_status, explain_with,
};
pub use handshake::{Attempt, Handshake, Header, Violation, connect, request};
pub use load::{Latency, Load};
pub use report::{BrowserView, Caller, Observation, Outcome, Report, Seen, error_frame};
pub use run::{Plan, Telling, run};
pub use secret::{HIDDEN, Secret, Secrets};
pub use target::{Target, TargetError, TokenIn};
