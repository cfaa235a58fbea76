//! A WebSocket client that connects as a caller of a stack, reads what browsers hide, and explains the result.
//!
//! [`connect`] performs a handshake with a [`ProbeTarget`]. It returns the answer, whatever its status, and a
//! [`ClientConnection`] if the server accepts. [`run`] executes a whole [`ProbePlan`], and [`explain`] finds causes in its
//! [`ProbeReport`].
//!
//! No output contains a token, key or password of the target: errors, `Debug` output and JSON show [`HIDDEN`] instead.
//!
//! This crate never prints, exits or reads the environment, with one exception: the TLS library reads the variables that
//! locate the root certificates of this machine.

mod body;
mod connect_error;
mod connection;
mod encoding;
mod expect;
mod explain;
mod handshake;
mod latency;
mod load;
mod load_test;
mod millis;
mod proxy;
mod recording;
mod replay;
mod report;
mod response;
mod run;
mod secret;
mod stream;
mod target;
mod tls;
mod transport;

pub use connect_error::{ConnectError, ConnectStep, Timings};
pub use connection::{
    ClientClose, ClientConnection, ClosedBy, ConnectionEnd, Incoming, MessageText,
};
pub use expect::{CheckResult, Expectation};
pub use explain::{
    AGE_LIMIT, AGE_LIMIT_SECONDS, Certainty, CloseExplanation, DELETED, ERROR_FRAMES, Explanation,
    IDLE_SECONDS, IDLE_TIMEOUT, RecordSubject, ServerRecord, UNLISTED, explain, explain_close_code,
    explain_error_frame, explain_handshake_status, explain_with_records,
};
pub use handshake::{HandshakeAttempt, connect, request_status};
pub use latency::Latency;
pub use load::LoadPlan;
pub use load_test::{
    ClosesByCode, ErrorFrames, HandshakeErrors, LatencyBucket, LatencySummary, LoadMessage,
    LoadProgress, LoadSample, LoadTestPlan, LoadTestReport, MessageResults, NUMBER,
    RefusalsByStatus, SendPacing, run_load,
};
pub use recording::{
    CloseSide, ObservedRequest, RecordedAction, RecordedClose, RecordedLine, RecordedOpen,
    Recorder, Recording, RecordingError, RecordingProblem, RequestError, now_millis,
};
pub use replay::{
    EventResult, ReplayCaller, ReplayPlan, ReplayReport, ReplayedConnection, ReplayedEvent, replay,
};
pub use report::{
    BrowserView, HandshakeOutcome, Observation, ObservationKind, ProbeCaller, ProbeReport,
    error_frame_message,
};
pub use response::{HandshakeResponse, Header, Violation};
pub use run::{ProbeEvent, ProbePlan, run, run_and_record};
pub use secret::{HIDDEN, Secret, Secrets};
pub use target::{ProbeTarget, TargetError, TokenPlacement};
pub use tls::tls_config_with_roots;
