//! A WebSocket server of the npm package `ws`, which `make tools` installs with wscat.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Echoes messages. It knows one token, and commands: `who am I?`, `close CODE`, and `later MS TEXT`, which it echoes after a time.
const SERVER: &str = r"
const { WebSocketServer } = require(process.argv[1] + '/ws');
const { randomUUID } = require('crypto');
const server = new WebSocketServer({
  port: 0, host: '127.0.0.1',
  verifyClient: ({ req }, answer) => {
    const token = new URL(req.url, 'http://h').searchParams.get('token');
    answer(token === null || token === 'valid-token', 401);
  },
});
server.on('connection', (socket) => {
  const id = randomUUID();
  socket.on('message', (data) => {
    const text = data.toString();
    const close = text.match(/^close (\d+)$/);
    const later = text.match(/^later (\d+) (.*)$/);
    if (close) socket.close(Number(close[1]), 'as you said');
    else if (later) setTimeout(() => socket.send(later[2]), Number(later[1]));
    else if (text === 'who am I?') socket.send(JSON.stringify({ id, at: Date.now() }));
    else if (text !== 'silence') socket.send(text);
  });
});
server.on('listening', () => console.log(server.address().port));
";

/// A running server. Dropping it ends it.
pub(crate) struct WsServer {
    process: Child,
    port: u16,
}

impl WsServer {
    /// Starts a server; `None` skips the test.
    pub(crate) fn start() -> Option<Self> {
        let modules = stackgen_test_tools::installed("wscat/node_modules")?;
        let node = stackgen_test_tools::on_path("node")?;
        let mut process = Command::new(node)
            .args(["-e", SERVER])
            .arg(modules)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        Some(WsServer {
            process,
            port: line.trim().parse().unwrap(),
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://127.0.0.1:{}/prod", self.port)
    }
}

impl Drop for WsServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
