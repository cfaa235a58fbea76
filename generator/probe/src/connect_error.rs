//! Steps of connecting, their durations, and the reasons why they fail.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;
use thiserror::Error;

use crate::millis::{millis, some_millis};

/// A step of connecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ConnectStep {
    /// Resolving the host name.
    Dns,
    /// Opening a TCP connection.
    Tcp,
    /// Opening a tunnel through a proxy.
    Proxy,
    /// Negotiating TLS.
    Tls,
    /// Waiting for the answer to the handshake.
    Upgrade,
}

impl ConnectStep {
    /// Returns the step's name in words, as errors show it.
    pub fn name(self) -> &'static str {
        match self {
            ConnectStep::Dns => "resolving the host name",
            ConnectStep::Tcp => "opening a TCP connection",
            ConnectStep::Proxy => "opening a tunnel through the proxy",
            ConnectStep::Tls => "negotiating TLS",
            ConnectStep::Upgrade => "waiting for the answer to the handshake",
        }
    }
}

/// Durations of the steps of connecting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Timings {
    /// Resolving the host name.
    #[serde(serialize_with = "millis")]
    pub dns: Duration,
    /// Opening a TCP connection.
    #[serde(serialize_with = "millis")]
    pub tcp: Duration,
    /// Opening a tunnel through a proxy; `None` without a proxy. `dns` and `tcp` are then those of the proxy.
    #[serde(
        serialize_with = "some_millis",
        skip_serializing_if = "Option::is_none"
    )]
    pub proxy: Option<Duration>,
    /// Negotiating TLS; `None` without TLS.
    #[serde(serialize_with = "some_millis")]
    pub tls: Option<Duration>,
    /// Time from the request to the head of the answer. It includes the authorizer and the integration of `$connect`.
    #[serde(serialize_with = "millis")]
    pub upgrade: Duration,
}

/// Reason why a handshake got no answer. It contains no secret.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "kind"
)]
pub enum ConnectError {
    /// The host name has no address.
    #[error("cannot resolve {host}: {reason}")]
    Dns {
        /// Host name of the URL.
        host: String,
        /// Error of the resolver.
        reason: String,
    },
    /// No process listens on the port.
    #[error("{address} refuses connections")]
    Refused {
        /// Last address that was tried.
        address: SocketAddr,
    },
    /// TCP failed for another reason.
    #[error("cannot reach {address}: {reason}")]
    Unreachable {
        /// Last address that was tried.
        address: SocketAddr,
        /// Error of the operating system.
        reason: String,
    },
    /// A step exceeded its timeout.
    #[error("{} took longer than {} s", .step.name(), .after.as_secs_f64())]
    TimedOut {
        /// Step that did not finish.
        step: ConnectStep,
        /// Timeout of the step.
        #[serde(serialize_with = "millis")]
        after: Duration,
    },
    /// The proxy cannot be used.
    #[error("the proxy {proxy} does not work: {reason}")]
    ProxyFailed {
        /// URL of the proxy, without credentials.
        proxy: String,
        /// Description of the problem.
        reason: String,
    },
    /// The proxy refuses to connect to the server.
    #[error("the proxy {proxy} opens no tunnel: it answers {status}")]
    ProxyRefused {
        /// URL of the proxy, without credentials.
        proxy: String,
        /// Status of its answer.
        status: u16,
    },
    /// The server's certificate is not trusted for the host name.
    #[error("the certificate of {host} is not trusted: {reason}")]
    Certificate {
        /// Host name of the URL.
        host: String,
        /// Error of the certificate check.
        reason: String,
    },
    /// TLS failed for another reason.
    #[error("TLS with {host} failed: {reason}")]
    Tls {
        /// Host name of the URL.
        host: String,
        /// Error of the TLS library.
        reason: String,
    },
    /// This machine has no root certificates.
    #[error(
        "this machine has no root certificates to check the server's certificate with: {reason}"
    )]
    NoRoots {
        /// Errors of loading them.
        reason: String,
    },
    /// The connection ended before the answer was complete.
    #[error("the connection ended {after_bytes} bytes into the answer to the handshake: {reason}")]
    Dropped {
        /// Bytes of the answer that arrived.
        after_bytes: usize,
        /// Error of the operating system.
        reason: String,
    },
    /// The user stopped the probe before the handshake was answered.
    #[error("stopped before the handshake was answered")]
    Interrupted,
    /// The answer is not HTTP.
    #[error("the answer to the handshake is not HTTP: {reason}")]
    NotHttp {
        /// Error of the HTTP parser.
        reason: String,
    },
}
