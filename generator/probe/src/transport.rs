//! Transport connections: DNS, TCP, proxy and TLS. Each step is timed and has errors of its own kind.

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use rustls::pki_types::ServerName;
use stackgen_network::Proxy;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::connect_error::{ConnectError, ConnectStep, Timings};
use crate::proxy::open_tunnel;
use crate::stream::{Stream, error_text};
use crate::target::ProbeTarget;
use crate::tls::native_tls_config;

/// Transport connection on which no HTTP was sent yet.
pub(crate) struct Transport {
    pub(crate) stream: Stream,
    /// Address of the server or of the proxy.
    pub(crate) peer: SocketAddr,
    /// TLS version, such as `TLSv1.3`.
    pub(crate) tls: Option<String>,
    pub(crate) timings: Timings,
}

/// Opens the transport connection: resolves the host, connects, opens a tunnel if there is a proxy, and negotiates TLS if the
/// URL asks for it.
pub(crate) async fn open_transport(target: &ProbeTarget) -> Result<Transport, ConnectError> {
    let mut timings = Timings::default();
    let (mut stream, peer) = match (&target.emulator, &target.proxy) {
        (Some(emulator), _) => {
            open_tcp(target, &emulator.host, emulator.port, &mut timings).await?
        }
        (None, Some(proxy)) => open_proxied(target, proxy, &mut timings).await?,
        (None, None) => open_tcp(target, &target.host, target.port, &mut timings).await?,
    };
    let mut tls = None;
    if target.secure && target.emulator.is_none() {
        let began = Instant::now();
        let negotiated = negotiate_tls(target, &target.host, stream).await?;
        timings.tls = Some(began.elapsed());
        let version = negotiated.get_ref().1.protocol_version();
        tls = version
            .and_then(|version| version.as_str())
            .map(|name| name.replace('_', "."));
        stream = Stream::Tls(Box::new(negotiated));
    }
    Ok(Transport {
        stream,
        peer,
        tls,
        timings,
    })
}

async fn open_tcp(
    target: &ProbeTarget,
    host: &str,
    port: u16,
    timings: &mut Timings,
) -> Result<(Stream, SocketAddr), ConnectError> {
    let began = Instant::now();
    let addresses = resolve(target, host, port).await?;
    timings.dns = began.elapsed();
    let began = Instant::now();
    let (tcp, peer) = connect_tcp(target, &addresses).await?;
    timings.tcp = began.elapsed();
    // Without this, Nagle's algorithm would delay small messages and distort the timings.
    let _ = tcp.set_nodelay(true);
    Ok((Stream::Plain(tcp), peer))
}

/// Connects to a proxy and opens a tunnel to the target.
async fn open_proxied(
    target: &ProbeTarget,
    proxy: &Proxy,
    timings: &mut Timings,
) -> Result<(Stream, SocketAddr), ConnectError> {
    let failed = |error: ConnectError| ConnectError::ProxyFailed {
        proxy: proxy.to_string(),
        reason: error.to_string(),
    };
    let opened = open_tcp(target, &proxy.host, proxy.port, timings).await;
    let (mut stream, peer) = opened.map_err(failed)?;
    let began = Instant::now();
    if proxy.secure {
        let negotiated = negotiate_tls(target, &proxy.host, stream).await;
        stream = Stream::Tls(Box::new(negotiated.map_err(failed)?));
    }
    let tunnel = open_tunnel(&mut stream, proxy, target);
    with_timeout(target, ConnectStep::Proxy, tunnel).await??;
    timings.proxy = Some(began.elapsed());
    Ok((stream, peer))
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

async fn resolve(
    target: &ProbeTarget,
    host: &str,
    port: u16,
) -> Result<Vec<SocketAddr>, ConnectError> {
    let failed = |reason: String| ConnectError::Dns {
        host: host.to_owned(),
        reason,
    };
    let lookup = tokio::net::lookup_host((host, port));
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
    host: &str,
    stream: Stream,
) -> Result<TlsStream<Stream>, ConnectError> {
    let host = || host.to_owned();
    let config = match &target.tls {
        Some(config) => config.clone(),
        None => native_tls_config()?,
    };
    let name = ServerName::try_from(host()).map_err(|error| ConnectError::Tls {
        host: host(),
        reason: error.to_string(),
    })?;
    let negotiation = TlsConnector::from(config).connect(name, stream);
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
