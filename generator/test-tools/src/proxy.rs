//! An HTTP proxy.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// HTTP proxy on loopback. It resolves host names by itself, so that tests can use names that no resolver knows.
pub struct TestProxy {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone)]
struct ProxySettings {
    hosts: BTreeMap<String, SocketAddr>,
    /// Value of `Proxy-Authorization` that every request must have.
    authorization: Option<String>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl TestProxy {
    /// Starts a proxy that reaches these hosts, and answers 502 for others.
    ///
    /// # Panics
    ///
    /// Panics if loopback has no free port.
    pub async fn start(hosts: &[(&str, SocketAddr)]) -> Self {
        Self::start_with(hosts, None).await
    }

    /// Starts a proxy that answers 407 to requests without this value of `Proxy-Authorization`.
    ///
    /// # Panics
    ///
    /// Panics if loopback has no free port.
    pub async fn start_with_authorization(
        hosts: &[(&str, SocketAddr)],
        authorization: &str,
    ) -> Self {
        Self::start_with(hosts, Some(authorization)).await
    }

    async fn start_with(hosts: &[(&str, SocketAddr)], authorization: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("loopback has a free port");
        let address = listener.local_addr().expect("the listener is bound");
        let requests = Arc::default();
        let hosts = hosts.iter();
        let settings = ProxySettings {
            hosts: hosts.map(|(host, to)| ((*host).to_owned(), *to)).collect(),
            authorization: authorization.map(str::to_owned),
            requests: Arc::clone(&requests),
        };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(settings.clone().serve(client));
            }
        });
        TestProxy { address, requests }
    }

    /// Returns the address of the proxy.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the requests so far, in order: method and target, such as `CONNECT sts.amazonaws.com:443`.
    pub fn requests(&self) -> Vec<String> {
        let requests = self.requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ProxySettings {
    async fn serve(self, mut client: TcpStream) -> io::Result<()> {
        let head = read_head(&mut client).await?;
        let (line, headers) = head.split_once("\r\n").unwrap_or((&head, ""));
        let mut words = line.split(' ');
        let method = words.next().unwrap_or_default();
        let target = words.next().unwrap_or_default();
        self.record(format!("{method} {target}"));
        if !self.is_authorized(headers) {
            let answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
            return client.write_all(answer).await;
        }
        let rest = target.strip_prefix("http://").unwrap_or(target);
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = authority
            .rsplit_once(':')
            .map_or(authority, |(host, _)| host);
        let Some(address) = self.hosts.get(host) else {
            let answer = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";
            return client.write_all(answer).await;
        };
        let mut server = TcpStream::connect(address).await?;
        match method {
            "CONNECT" => {
                let answer = b"HTTP/1.1 200 Connection established\r\n\r\n";
                client.write_all(answer).await?;
            }
            _ => {
                let request = format!("{method} /{path} HTTP/1.1\r\n{headers}");
                server.write_all(request.as_bytes()).await?;
            }
        }
        copy_bidirectional(&mut client, &mut server).await?;
        Ok(())
    }

    fn record(&self, request: String) {
        let requests = self.requests.lock();
        let mut requests = requests.unwrap_or_else(PoisonError::into_inner);
        requests.push(request);
    }

    fn is_authorized(&self, headers: &str) -> bool {
        let Some(required) = &self.authorization else {
            return true;
        };
        let mut headers = headers.lines().filter_map(|line| line.split_once(": "));
        headers.any(|(name, value)| {
            name.eq_ignore_ascii_case("proxy-authorization") && value == required
        })
    }
}

/// Reads a request up to the empty line that ends its head.
async fn read_head(client: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
