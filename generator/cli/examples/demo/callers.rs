//! Callers: a speaker and listeners.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use stackgen_probe::{
    ClientClose, ClientConnection, Incoming, ProbeTarget, Secret, TokenPlacement, connect,
};
use tokio::time::Instant;

use crate::print::{DemoError, WithContext};

/// Longest wait for a message.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);

/// A connected caller.
pub(crate) struct DemoCaller {
    connection: ClientConnection,
}

/// Result of a handshake.
pub(crate) struct ConnectResult {
    pub(crate) status: u16,
    pub(crate) took: Duration,
    pub(crate) caller: Option<DemoCaller>,
}

/// Connects with query parameters, and with a token if there is one.
pub(crate) async fn connect_as(
    url: &str,
    query: &[(&str, &str)],
    token: Option<&str>,
) -> Result<ConnectResult, DemoError> {
    let mut target = ProbeTarget::new(url).context("the URL")?;
    for (name, value) in query {
        target = target.query(name, value);
    }
    if let Some(token) = token {
        let transport = TokenPlacement::Query("token".to_owned());
        target = target
            .token(&Secret::new(token), &transport)
            .context("the token")?;
    }
    let started = Instant::now();
    let attempt = connect(&target).await.context("connecting")?;
    Ok(ConnectResult {
        status: attempt.handshake.status,
        took: started.elapsed(),
        caller: attempt
            .connection
            .map(|connection| DemoCaller { connection }),
    })
}

impl DemoCaller {
    pub(crate) async fn send(&mut self, message: &Value) -> Result<(), DemoError> {
        let sent = self.connection.send(&message.to_string()).await;
        sent.map_err(|close| DemoError::new(format!("the connection ended with {}", close.code)))
    }

    /// Waits for the next message.
    pub(crate) async fn receive(&mut self) -> Result<Value, DemoError> {
        match self.next(MESSAGE_TIMEOUT).await? {
            Some(text) => Ok(serde_json::from_str(&text).unwrap_or(Value::String(text))),
            None => Err(DemoError::new("no message arrived for 10 s")),
        }
    }

    /// Waits for the next message of a type, and drops others.
    pub(crate) async fn receive_type(&mut self, kind: &str) -> Result<Value, DemoError> {
        loop {
            let message = self.receive().await?;
            if message["type"] == kind {
                return Ok(message);
            }
        }
    }

    /// Returns true if the connection stays open for a time.
    pub(crate) async fn stays_open(&mut self, time: Duration) -> bool {
        let until = Instant::now() + time;
        loop {
            match self.connection.receive(until).await {
                Incoming::Closed(_) => return false,
                Incoming::Nothing => return true,
                _ => {}
            }
        }
    }

    /// Closes the connection with code 1000.
    pub(crate) async fn close(self) -> u16 {
        self.connection.close(&ClientClose::NORMAL).await.code
    }

    async fn next(&mut self, time: Duration) -> Result<Option<String>, DemoError> {
        let until = Instant::now() + time;
        loop {
            match self.connection.receive(until).await {
                Incoming::Text(text) => return Ok(Some(text.as_str().to_owned())),
                Incoming::Closed(close) => {
                    return Err(DemoError::new(format!(
                        "the connection ended with {}",
                        close.code
                    )));
                }
                Incoming::Nothing => return Ok(None),
                Incoming::Ping | Incoming::Pong | Incoming::Binary(_) => {}
            }
        }
    }
}

/// Creates a chunk of audio that contains its number.
pub(crate) fn chunk(session: &str, index: u64) -> Value {
    let sound = vec![u8::try_from(index % 251).unwrap_or_default(); 8_000];
    json!({
        "action": "sendAudio",
        "sessionId": session,
        "audioData": STANDARD.encode(sound),
        "timestamp": 1_700_000_000_000_u64 + index,
        "format": "pcm",
        "chunkIndex": index,
    })
}
