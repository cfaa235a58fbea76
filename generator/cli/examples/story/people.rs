//! A speaker and listeners, on real sockets.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use stackgen_probe::{
    ClientClose, ClientConnection, Incoming, ProbeTarget, Secret, TokenPlacement, connect,
};
use tokio::time::Instant;

use crate::tell::{Failed, Told};

/// How long anything may take that should happen at once.
const PATIENCE: Duration = Duration::from_secs(10);

/// Somebody who is connected.
pub(crate) struct Person {
    connection: ClientConnection,
}

/// What a handshake came to.
pub(crate) struct Arrived {
    pub(crate) status: u16,
    pub(crate) took: Duration,
    pub(crate) person: Option<Person>,
}

/// Connects with these query parameters, and a token if there is one.
pub(crate) async fn arrive(
    url: &str,
    query: &[(&str, &str)],
    token: Option<&str>,
) -> Result<Arrived, Failed> {
    let mut target = ProbeTarget::new(url).told("the URL")?;
    for (name, value) in query {
        target = target.query(name, value);
    }
    if let Some(token) = token {
        let placement = TokenPlacement::Query("token".to_owned());
        target = target
            .token(&Secret::new(token), &placement)
            .told("the token")?;
    }
    let started = Instant::now();
    let attempt = connect(&target).await.told("connecting")?;
    Ok(Arrived {
        status: attempt.handshake.status,
        took: started.elapsed(),
        person: attempt.connection.map(|connection| Person { connection }),
    })
}

impl Person {
    pub(crate) async fn send(&mut self, message: &Value) -> Result<(), Failed> {
        let sent = self.connection.send(&message.to_string()).await;
        sent.map_err(|close| Failed::new(format!("the connection ended with {}", close.code)))
    }

    /// The next message.
    pub(crate) async fn hear(&mut self) -> Result<Value, Failed> {
        match self.next(PATIENCE).await? {
            Some(text) => Ok(serde_json::from_str(&text).unwrap_or(Value::String(text))),
            None => Err(Failed::new("nothing was heard for 10 s")),
        }
    }

    /// The next message of this type, whatever comes before it.
    pub(crate) async fn hear_of(&mut self, kind: &str) -> Result<Value, Failed> {
        loop {
            let message = self.hear().await?;
            if message["type"] == kind {
                return Ok(message);
            }
        }
    }

    /// True when the connection stays open for so long, whatever is heard.
    pub(crate) async fn stays(&mut self, time: Duration) -> bool {
        let until = Instant::now() + time;
        loop {
            match self.connection.receive(until).await {
                Incoming::Closed(_) => return false,
                Incoming::Nothing => return true,
                _ => {}
            }
        }
    }

    /// Leaves, as a page does that says so.
    pub(crate) async fn leave(self) -> u16 {
        self.connection.close(&ClientClose::NORMAL).await.code
    }

    async fn next(&mut self, time: Duration) -> Result<Option<String>, Failed> {
        let until = Instant::now() + time;
        loop {
            match self.connection.receive(until).await {
                Incoming::Text(text) => return Ok(Some(text.as_str().to_owned())),
                Incoming::Closed(close) => {
                    return Err(Failed::new(format!(
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

/// One chunk of audio: the number of the chunk is in the sound.
pub(crate) fn chunk(session: &str, index: u64) -> Value {
    let sound = vec![u8::try_from(index % 251).unwrap_or_default(); 3_200];
    json!({
        "action": "sendAudio",
        "sessionId": session,
        "audioData": STANDARD.encode(sound),
        "timestamp": 1_700_000_000_000_u64 + index,
        "format": "pcm",
        "chunkIndex": index,
    })
}
