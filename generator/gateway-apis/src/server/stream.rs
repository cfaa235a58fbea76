//! Connection of a client, with or without TLS.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::uri::Scheme;
use stackgen_gateway_common::AwsHost;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

/// First byte of a TLS connection: the type of a handshake record. No HTTP method starts with it.
const TLS_HANDSHAKE: u8 = 22;

/// TLS of a server.
#[derive(Clone, Debug)]
pub struct ServerTls {
    /// Certificates and protocol versions.
    pub config: Arc<ServerConfig>,
    /// Hosts of AWS that the server stands for. With TLS, they are accepted in `Host` beside loopback's names, because
    /// a client that verified its certificate was sent here on purpose.
    pub hosts: AwsHosts,
}

/// Hosts of AWS that a server stands for, in all regions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AwsHosts {
    /// Those of the API with this ID.
    Api(Arc<str>),
    /// Those of services. Hosts of customers' resources, such as load balancers, are not among them.
    Services,
}

impl AwsHosts {
    /// Returns true if a host is one of these.
    pub(super) fn contain(&self, host: &str) -> bool {
        match (self, AwsHost::parse(&host.to_ascii_lowercase())) {
            (AwsHosts::Api(id), Some(AwsHost::Api(api))) => api.eq_ignore_ascii_case(id),
            (AwsHosts::Services, Some(AwsHost::Service(_))) => true,
            _ => false,
        }
    }
}

/// Connection of a client.
#[derive(Debug)]
pub enum ClientStream {
    /// TCP without TLS.
    Plain(TcpStream),
    /// TLS. It is boxed, because it is many times larger.
    Tls(Box<TlsStream<TcpStream>>),
}

impl ClientStream {
    /// Returns the server's address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            ClientStream::Plain(stream) => stream.local_addr(),
            ClientStream::Tls(stream) => stream.get_ref().0.local_addr(),
        }
    }

    /// Returns `https` for connections with TLS, else `http`.
    pub fn scheme(&self) -> Scheme {
        match self {
            ClientStream::Plain(_) => Scheme::HTTP,
            ClientStream::Tls(_) => Scheme::HTTPS,
        }
    }
}

/// Returns true if the client starts a TLS handshake. Waits for its first byte and leaves it in the socket.
pub(super) async fn starts_tls(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    let count = stream.peek(&mut first).await?;
    Ok(count == 1 && first[0] == TLS_HANDSHAKE)
}

/// Performs the TLS handshake.
///
/// # Errors
///
/// If the client does not trust the certificate, asks for another name, or does not speak TLS.
pub(super) async fn handshake(stream: TcpStream, tls: &ServerTls) -> io::Result<ClientStream> {
    let acceptor = TlsAcceptor::from(tls.config.clone());
    let stream = acceptor.accept(stream).await?;
    Ok(ClientStream::Tls(Box::new(stream)))
}

impl AsyncRead for ClientStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            ClientStream::Plain(stream) => Pin::new(stream).poll_read(cx, into),
            ClientStream::Tls(stream) => Pin::new(stream).poll_read(cx, into),
        }
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            ClientStream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            ClientStream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            ClientStream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            ClientStream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            ClientStream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            ClientStream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            ClientStream::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
            ClientStream::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            ClientStream::Plain(stream) => stream.is_write_vectored(),
            ClientStream::Tls(stream) => stream.is_write_vectored(),
        }
    }
}
