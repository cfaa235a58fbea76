//! The way to a server: its name, a TCP connection, TLS. Each step is timed and fails in its own words.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use serde::Serialize;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::millis::{millis, some_millis};
use crate::target::Target;

/// A step of connecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    /// Resolving the host's name.
    Dns,
    /// Opening a TCP connection.
    Tcp,
    /// Agreeing on TLS.
    Tls,
    /// Waiting for the handshake's answer.
    Upgrade,
}

impl Step {
    /// What the step does.
    pub fn name(self) -> &'static str {
        match self {
            Step::Dns => "resolving the name",
            Step::Tcp => "connecting",
            Step::Tls => "agreeing on TLS",
            Step::Upgrade => "waiting for the answer to the handshake",
        }
    }
}

/// How long the steps took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Timings {
    /// Resolving the name.
    #[serde(serialize_with = "millis")]
    pub dns: Duration,
    /// Opening a TCP connection.
    #[serde(serialize_with = "millis")]
    pub tcp: Duration,
    /// Agreeing on TLS; `None` without TLS.
    #[serde(serialize_with = "some_millis")]
    pub tls: Option<Duration>,
    /// From the request to the head of its answer: for a `$connect` route that is its authorizer and its integration.
    #[serde(serialize_with = "millis")]
    pub upgrade: Duration,
}

/// Why there is no answer to a handshake at all. No secret is in it.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "kind"
)]
pub enum ConnectError {
    /// The host's name has no address.
    #[error("{host} cannot be resolved: {reason}")]
    Dns {
        /// The host.
        host: String,
        /// What the resolver says.
        reason: String,
    },
    /// Nobody listens there.
    #[error("{address} refuses connections")]
    Refused {
        /// The last address that was tried.
        address: SocketAddr,
    },
    /// No connection, for another reason.
    #[error("{address} cannot be reached: {reason}")]
    Unreachable {
        /// The last address that was tried.
        address: SocketAddr,
        /// What the system says.
        reason: String,
    },
    /// A step took too long.
    #[error("{} took longer than {} s", .step.name(), .after.as_secs_f64())]
    TimedOut {
        /// The step.
        step: Step,
        /// The time it had.
        #[serde(serialize_with = "millis")]
        after: Duration,
    },
    /// The server's certificate is refused.
    #[error("the certificate of {host} is refused: {reason}")]
    Certificate {
        /// The host.
        host: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No agreement on TLS.
    #[error("no TLS with {host}: {reason}")]
    Tls {
        /// The host.
        host: String,
        /// What went wrong.
        reason: String,
    },
    /// No root certificates on this machine.
    #[error("this machine has no root certificates to judge the server's by: {reason}")]
    NoRoots {
        /// What was looked for.
        reason: String,
    },
    /// The connection ended before there was an answer.
    #[error("the connection ended {after_bytes} bytes into the answer to the handshake: {reason}")]
    Dropped {
        /// How much of an answer there was.
        after_bytes: usize,
        /// What the system says.
        reason: String,
    },
    /// Whoever started the probe stopped it before there was an answer.
    #[error("stopped before the handshake was answered")]
    Interrupted,
    /// The answer is not HTTP.
    #[error("the answer to the handshake is not HTTP: {reason}")]
    NotHttp {
        /// What is wrong with it.
        reason: String,
    },
}

/// A connection, with TLS or without.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// What is known once connected.
pub(crate) struct Dialled {
    pub(crate) stream: Stream,
    pub(crate) peer: SocketAddr,
    /// `TLSv1.3`.
    pub(crate) tls: Option<String>,
    pub(crate) timings: Timings,
}

/// Connects, without a word of HTTP.
pub(crate) async fn dial(target: &Target) -> Result<Dialled, ConnectError> {
    let mut timings = Timings::default();
    let began = Instant::now();
    let addresses = resolve(target).await?;
    timings.dns = began.elapsed();
    let began = Instant::now();
    let (tcp, peer) = connect(target, &addresses).await?;
    timings.tcp = began.elapsed();
    // A probe measures: nothing is to wait for more.
    let _ = tcp.set_nodelay(true);
    if !target.secure {
        return Ok(Dialled {
            stream: Stream::Plain(tcp),
            peer,
            tls: None,
            timings,
        });
    }
    let began = Instant::now();
    let stream = secure(target, tcp).await?;
    timings.tls = Some(began.elapsed());
    let version = stream.get_ref().1.protocol_version();
    let tls = version
        .and_then(|version| version.as_str())
        .map(|name| name.replace('_', "."));
    Ok(Dialled {
        stream: Stream::Tls(Box::new(stream)),
        peer,
        tls,
        timings,
    })
}

async fn within<T>(
    target: &Target,
    step: Step,
    work: impl Future<Output = T>,
) -> Result<T, ConnectError> {
    let after = target.timeout;
    let done = timeout(after, work).await;
    done.map_err(|_| ConnectError::TimedOut { step, after })
}

async fn resolve(target: &Target) -> Result<Vec<SocketAddr>, ConnectError> {
    let failed = |reason: String| ConnectError::Dns {
        host: target.host.clone(),
        reason,
    };
    let lookup = tokio::net::lookup_host((target.host.as_str(), target.port));
    let found = within(target, Step::Dns, lookup).await?;
    let addresses: Vec<_> = found.map_err(|error| failed(reason(&error)))?.collect();
    match addresses.is_empty() {
        true => Err(failed("it has no address".to_owned())),
        false => Ok(addresses),
    }
}

/// The first address that answers; each has its share of the time, so that one that swallows packets leaves some.
async fn connect(
    target: &Target,
    addresses: &[SocketAddr],
) -> Result<(TcpStream, SocketAddr), ConnectError> {
    let share = target.timeout / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let mut failed = ConnectError::TimedOut {
        step: Step::Tcp,
        after: target.timeout,
    };
    for &address in addresses {
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok((stream, address)),
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                failed = ConnectError::Refused { address };
            }
            Ok(Err(error)) => {
                failed = ConnectError::Unreachable {
                    address,
                    reason: reason(&error),
                };
            }
            Err(_) => {}
        }
    }
    Err(failed)
}

async fn secure(target: &Target, tcp: TcpStream) -> Result<TlsStream<TcpStream>, ConnectError> {
    let host = || target.host.clone();
    let config = match &target.tls {
        Some(config) => config.clone(),
        None => native()?,
    };
    let name = ServerName::try_from(host()).map_err(|error| ConnectError::Tls {
        host: host(),
        reason: error.to_string(),
    })?;
    let agreement = TlsConnector::from(config).connect(name, tcp);
    within(target, Step::Tls, agreement)
        .await?
        .map_err(|error| {
            let inner = error
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match inner {
                Some(rustls::Error::InvalidCertificate(_)) => ConnectError::Certificate {
                    host: host(),
                    reason: reason(&error),
                },
                _ => ConnectError::Tls {
                    host: host(),
                    reason: reason(&error),
                },
            }
        })
}

/// Judges certificates by the roots that this machine trusts.
fn native() -> Result<Arc<ClientConfig>, ConnectError> {
    let loaded = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(loaded.certs);
    if added == 0 {
        let errors: Vec<_> = loaded.errors.iter().map(ToString::to_string).collect();
        return Err(ConnectError::NoRoots {
            reason: errors.join("; "),
        });
    }
    trusting(roots).map_err(|error| ConnectError::NoRoots {
        reason: error.to_string(),
    })
}

/// Judges certificates by these roots.
///
/// # Errors
///
/// If the TLS library has no protocol version to offer.
pub fn trusting(roots: RootCertStore) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(
        builder.with_root_certificates(roots).with_no_client_auth(),
    ))
}

/// What the system says, without its numbers.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((text, _)) => text.to_owned(),
        None => text,
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
