//! Trying a stage with a client of our own.

use std::time::Duration;

use stackgen_deploy::{Handshake, Verify};
use stackgen_probe::{Closing, Target, connect};

/// Shakes hands as a caller who brings nothing along.
#[derive(Debug)]
pub(crate) struct Handshakes;

/// How long one handshake may take: an integration has 29 s (row C8).
const LONGEST: Duration = Duration::from_secs(35);

impl Verify for Handshakes {
    async fn handshake(&self, url: &str) -> Handshake {
        let mut target = match Target::new(url) {
            Ok(target) => target,
            Err(error) => return Handshake::Unanswered(error.to_string()),
        };
        target.timeout = LONGEST;
        match connect(&target).await {
            Ok(attempt) => {
                let status = attempt.handshake.status;
                let accepted = attempt.handshake.accepted();
                if let Some(connection) = attempt.connection {
                    connection.close(&Closing::NORMAL).await;
                }
                match status {
                    101 if !accepted => Handshake::Unanswered(
                        "101, but it breaks the WebSocket protocol".to_owned(),
                    ),
                    status => Handshake::Answered(status),
                }
            }
            Err(error) => Handshake::Unanswered(error.to_string()),
        }
    }
}
