//! The life of a connection: its handshake, its messages and its end, from the lines of all logs.

use super::access_record::AccessEvent;
use super::problem::ConnectionProblem;

/// The life of a connection, as far as the logs contain it.
#[derive(Clone, Debug, Default)]
pub struct ConnectionLife {
    /// Connection ID.
    pub id: String,
    /// Time of the first line, in milliseconds since 1970.
    pub first_at: i64,
    /// Time of the last line.
    pub last_at: i64,
    /// Time at which the connection was opened.
    pub opened_at: Option<i64>,
    /// Requests in the order of their times: the handshake, messages and the disconnect.
    pub requests: Vec<RequestStep>,
    /// End of the connection.
    pub close: Option<ConnectionClose>,
    /// User: the principal of the authorizer, or a field of a line.
    pub user: Option<String>,
    /// Session, by a field of a line.
    pub session: Option<String>,
    /// Address of the client.
    pub source_ip: Option<String>,
    /// `User-Agent` of the client.
    pub user_agent: Option<String>,
    /// Errors and warnings, and other lines of functions, as indices of entries.
    pub lines: Vec<usize>,
    /// Lines that report an error.
    pub failures: Vec<LineFailure>,
    /// Problems, the worst first.
    pub problems: Vec<ConnectionProblem>,
    /// True if the life passes the filter.
    pub selected: bool,
}

/// A request of a connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestStep {
    /// Time, in milliseconds since 1970.
    pub at: i64,
    /// API Gateway's request ID.
    pub request: Option<String>,
    /// The event, if the access log contains it.
    pub event: Option<AccessEvent>,
    /// Route key.
    pub route: Option<String>,
    /// Status with which API Gateway answered.
    pub status: Option<u16>,
    /// Duration of the integration in milliseconds.
    pub latency_ms: Option<u64>,
    /// Status that the integration returned.
    pub integration_status: Option<u16>,
    /// Error of the integration.
    pub integration_error: Option<String>,
    /// API Gateway's error message.
    pub error: Option<String>,
    /// The authorizer's result.
    pub authorizer: Option<AuthorizerStep>,
    /// Duration of the function's invocation in milliseconds.
    pub function_ms: Option<f64>,
    /// True if the function failed or timed out.
    pub function_failed: bool,
    /// True if the access log contains the request.
    pub is_in_access_log: bool,
}

/// The authorizer's result for a handshake.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AuthorizerStep {
    /// Status of the authorizer.
    pub status: Option<u16>,
    /// Duration in milliseconds.
    pub latency_ms: Option<u64>,
    /// Its error.
    pub error: Option<String>,
    /// The principal that it returned.
    pub principal: Option<String>,
}

/// End of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionClose {
    /// Time, in milliseconds since 1970.
    pub at: i64,
    /// Close code; `None` if no log contains it.
    pub code: Option<u16>,
    /// Reason; empty without one.
    pub reason: String,
}

/// A line that reports an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFailure {
    /// Time, in milliseconds since 1970.
    pub at: i64,
    /// Index of the source.
    pub source: usize,
    /// The message.
    pub message: String,
}

/// All lives that logs contain.
#[derive(Debug, Default)]
pub struct ConnectionLives {
    /// The lives, the unhealthy first.
    pub lives: Vec<ConnectionLife>,
    /// Number of lines that belong to no connection, for each source.
    pub unjoined: Vec<usize>,
    /// Connection of each entry, as an index of `lives`.
    pub life_of_entry: Vec<Option<u32>>,
}

impl RequestStep {
    /// True for a handshake.
    pub fn is_connect(&self) -> bool {
        self.event == Some(AccessEvent::Connect) || self.route.as_deref() == Some("$connect")
    }

    /// True for a disconnect.
    pub fn is_disconnect(&self) -> bool {
        self.event == Some(AccessEvent::Disconnect) || self.route.as_deref() == Some("$disconnect")
    }

    /// True if the request was refused or failed.
    pub fn is_failure(&self) -> bool {
        self.function_failed
            || self.error.is_some()
            || self.status.is_some_and(|status| status >= 400)
    }
}

impl ConnectionLife {
    /// Returns the handshake.
    pub fn handshake(&self) -> Option<&RequestStep> {
        self.requests.iter().find(|step| step.is_connect())
    }

    /// Returns the messages.
    pub fn messages(&self) -> impl Iterator<Item = &RequestStep> {
        let is_message = |step: &&RequestStep| !step.is_connect() && !step.is_disconnect();
        self.requests.iter().filter(is_message)
    }

    /// Returns the age at the end, or at the last line, in milliseconds; `None` if the beginning is unknown.
    pub fn age_ms(&self) -> Option<i64> {
        let end = self.close.as_ref().map_or(self.last_at, |close| close.at);
        Some((end - self.opened_at?).max(0))
    }

    /// Returns the time without a message before the end, in milliseconds.
    pub fn idle_ms(&self) -> Option<i64> {
        let end = self.close.as_ref()?.at;
        let last = self.messages().map(|step| step.at).max();
        Some((end - last.or(self.opened_at)?).max(0))
    }
}
