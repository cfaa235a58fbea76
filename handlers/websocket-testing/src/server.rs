use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server on a free loopback port. Dropping it stops it.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start(routes: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a loopback port is free");
        let address = listener
            .local_addr()
            .expect("a bound listener has an address");
        let task = tokio::spawn(async move {
            // Runs until the task is aborted.
            let _ = axum::serve(listener, routes).await;
        });
        Server { address, task }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
pub(super) mod client {
    //! A minimal HTTP client for the tests of these servers.

    use std::net::SocketAddr;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    pub(crate) struct ClientResponse {
        pub(crate) status: u16,
        pub(crate) body: String,
        head: String,
    }

    impl ClientResponse {
        pub(crate) fn header(&self, name: &str) -> Option<&str> {
            let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
            headers.find_map(|(found, value)| (found == name).then_some(value))
        }
    }

    /// Sends one request; `headers` are whole lines.
    pub(crate) async fn request(
        to: SocketAddr,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> ClientResponse {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        let mut stream = TcpStream::connect(to).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        ClientResponse {
            status: head[9..12].parse().unwrap(),
            body: body.to_owned(),
            head: head.to_owned(),
        }
    }
}
