//! HTTP requests to a target.

use super::ProbeTarget;

impl ProbeTarget {
    /// Returns the request of a WebSocket handshake.
    pub(crate) fn handshake_request(&self, key: &str) -> String {
        let mut lines = vec![
            ("Connection", "Upgrade".to_owned()),
            ("Upgrade", "websocket".to_owned()),
            ("Sec-WebSocket-Version", "13".to_owned()),
            ("Sec-WebSocket-Key", key.to_owned()),
        ];
        if !self.subprotocols.is_empty() {
            lines.push(("Sec-WebSocket-Protocol", self.subprotocols.join(", ")));
        }
        self.request_head("GET", &lines)
    }

    /// Returns an HTTP request without a body. It asks the server to close the connection after the answer.
    pub(crate) fn plain_request(&self, method: &str) -> String {
        let mut lines = vec![("Connection", "close".to_owned())];
        if !matches!(method, "GET" | "HEAD") {
            lines.push(("Content-Length", "0".to_owned()));
        }
        self.request_head(method, &lines)
    }

    fn request_head(&self, method: &str, lines: &[(&str, String)]) -> String {
        let mut request = format!("{method} {}", self.path);
        for (index, (name, value)) in self.query.iter().enumerate() {
            request.push(if index == 0 { '?' } else { '&' });
            request.push_str(name);
            if let Some(value) = value {
                request.push('=');
                request.push_str(value);
            }
        }
        request.push_str(" HTTP/1.1\r\n");
        let mut add_line = |name: &str, value: &str| {
            request.push_str(&format!("{name}: {value}\r\n"));
        };
        let has_header = |searched: &str| {
            self.headers
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case(searched))
        };
        if !has_header("host") {
            add_line("Host", &self.authority);
        }
        for (name, value) in lines {
            add_line(name, value);
        }
        if !has_header("user-agent") {
            add_line(
                "User-Agent",
                concat!("stackgen-probe/", env!("CARGO_PKG_VERSION")),
            );
        }
        for (name, value) in &self.headers {
            add_line(name, value);
        }
        request.push_str("\r\n");
        request
    }
}
