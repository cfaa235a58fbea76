//! Transport connections: DNS, TCP and TLS. Each step is timed and has errors of its own kind.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::connect_error::{ConnectError, ConnectStep, Timings};
use crate::target::ProbeTarget;

/// TCP stream with or without TLS.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Transport connection on which no HTTP was sent yet.
pub(crate) struct Transport {
    pub(crate) stream: Stream,
    pub(crate) peer: SocketAddr,
    /// TLS version, such as `TLSv1.3`.
    pub(crate) tls: Option<String>,
    pub(crate) timings: Timings,
}

/// Opens the transport connection: resolves the host, connects, and negotiates TLS if the URL asks for it.
pub(crate) async fn open_transport(target: &ProbeTarget) -> Result<Transport, ConnectError> {
    let mut timings = Timings::default();
    let began = Instant::now();
    let addresses = resolve(target).await?;
    timings.dns = began.elapsed();
    let began = Instant::now();
    let (tcp, peer) = connect_tcp(target, &addresses).await?;
    timings.tcp = began.elapsed();
    // Without this, Nagle's algorithm would delay small messages and distort the timings.
    let _ = tcp.set_nodelay(true);
    if !target.secure {
        return Ok(Transport {
            stream: Stream::Plain(tcp),
            peer,
            tls: None,
            timings,
        });
    }
    let began = Instant::now();
    let stream = negotiate_tls(target, tcp).await?;
    timings.tls = Some(began.elapsed());
    let version = stream.get_ref().1.protocol_version();
    let tls = version
        .and_then(|version| version.as_str())
        .map(|name| name.replace('_', "."));
    Ok(Transport {
        stream: Stream::Tls(Box::new(stream)),
        peer,
        tls,
        timings,
    })
}

/// Fails the step if it exceeds the target's timeout.
async fn with_timeout<T>(
    target: &ProbeTarget,
    step: ConnectStep,
    work: impl Future<Output = T>,
) -> Result<T, ConnectError> {
    let after = target.timeout;
    let finished = timeout(after, work).await;
    finished.map_err(|_| ConnectError::TimedOut { step, after })
}

async fn resolve(target: &ProbeTarget) -> Result<Vec<SocketAddr>, ConnectError> {
    let failed = |reason: String| ConnectError::Dns {
        host: target.host.clone(),
        reason,
    };
    let lookup = tokio::net::lookup_host((target.host.as_str(), target.port));
    let found = with_timeout(target, ConnectStep::Dns, lookup).await?;
    let addresses: Vec<_> = found.map_err(|error| failed(error_text(&error)))?.collect();
    match addresses.is_empty() {
        true => Err(failed("it has no address".to_owned())),
        false => Ok(addresses),
    }
}

/// Connects to the first address that accepts. Each address gets an equal share of the timeout, so that one that drops
/// packets leaves time for the others.
async fn connect_tcp(
    target: &ProbeTarget,
    addresses: &[SocketAddr],
) -> Result<(TcpStream, SocketAddr), ConnectError> {
    let share = target.timeout / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let mut last_error = ConnectError::TimedOut {
        step: ConnectStep::Tcp,
        after: target.timeout,
    };
    for &address in addresses {
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok((stream, address)),
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                last_error = ConnectError::Refused { address };
            }
            Ok(Err(error)) => {
                last_error = ConnectError::Unreachable {
                    address,
                    reason: error_text(&error),
                };
            }
            Err(_) => {}
        }
    }
    Err(last_error)
}

async fn negotiate_tls(
    target: &ProbeTarget,
    tcp: TcpStream,
) -> Result<TlsStream<TcpStream>, ConnectError> {
    let host = || target.host.clone();
    let config = match &target.tls {
        Some(config) => config.clone(),
        None => native_tls_config()?,
    };
    let name = ServerName::try_from(host()).map_err(|error| ConnectError::Tls {
        host: host(),
        reason: error.to_string(),
    })?;
    let negotiation = TlsConnector::from(config).connect(name, tcp);
    with_timeout(target, ConnectStep::Tls, negotiation)
        .await?
        .map_err(|error| {
            let inner = error
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match inner {
                Some(rustls::Error::InvalidCertificate(_)) => ConnectError::Certificate {
                    host: host(),
                    reason: error_text(&error),
                },
                _ => ConnectError::Tls {
                    host: host(),
                    reason: error_text(&error),
                },
            }
        })
}

/// Returns a TLS configuration that trusts the root certificates of this machine.
fn native_tls_config() -> Result<Arc<ClientConfig>, ConnectError> {
    let loaded = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(loaded.certs);
    if added == 0 {
        let errors: Vec<_> = loaded.errors.iter().map(ToString::to_string).collect();
        return Err(ConnectError::NoRoots {
            reason: errors.join("; "),
        });
    }
    tls_config_with_roots(roots).map_err(|error| ConnectError::NoRoots {
        reason: error.to_string(),
    })
}

/// Returns a TLS configuration that trusts these root certificates.
///
/// # Errors
///
/// If the TLS library supports no protocol version.
pub fn tls_config_with_roots(roots: RootCertStore) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(
        builder.with_root_certificates(roots).with_no_client_auth(),
    ))
}

/// Returns the error's text without the `(os error N)` that the standard library appends.
pub(crate) fn error_text(error: &io::Error) -> String {
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
