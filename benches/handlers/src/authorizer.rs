//! Rate at which the authorizer verifies tokens, with cached keys.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stackgen_websocket::SystemClock;
use stackgen_websocket::authorize::{
    KeyCache, KeySet, KeySource, KeySourceError, TokenRules, Verifier,
};
use stackgen_websocket_testing::events::Socket;
use stackgen_websocket_testing::{Function, InvocationResult, Issuer, SigningKey};

use crate::Result;
use crate::starts::memory_and_time;

fn keys() -> [SigningKey; 2] {
    [SigningKey::rsa("key-1"), SigningKey::ec("key-1")]
}

/// Key source without network.
struct Published(Value);

impl KeySource for Published {
    async fn fetch(&self) -> std::result::Result<KeySet, KeySourceError> {
        let keys = KeySet::from_json(self.0.to_string().as_bytes());
        keys.map_err(|_| KeySourceError::Canceled)
    }
}

/// Measures the library's verifier, in one thread.
pub fn verify(rounds: usize, time: Duration) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut subjects = Vec::new();
        for key in keys() {
            let issuer = Issuer::with_key(key).await;
            let key = issuer.key();
            let published = Published(json!({"keys": [key.jwk()]}));
            let rules = TokenRules::new(issuer.url(), [Issuer::AUDIENCE]);
            let verifier = Verifier::new(rules, KeyCache::new(published, SystemClock));
            let token = issuer.token("ada").signed(&key);
            verifier.verify(&token).await?;
            subjects.push((key.algorithm(), verifier, token));
        }
        for _ in 0..rounds {
            for (algorithm, verifier, token) in &subjects {
                let start = Instant::now();
                let mut verified = 0;
                while start.elapsed() < time {
                    verifier.verify(token).await?;
                    verified += 1;
                }
                let per_second = f64::from(verified) / start.elapsed().as_secs_f64();
                println!(
                    "{}",
                    json!({"algorithm": algorithm, "per_second": per_second})
                );
            }
        }
        Ok(())
    })
}

/// Measures the binary, with one event after the other over the Runtime API.
pub fn events(binaries: &Path, rounds: usize, time: Duration) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let mut subjects = Vec::new();
        for key in keys() {
            let issuer = Issuer::with_key(key).await;
            let environment = [
                ("JWT_ISSUER", issuer.url()),
                ("JWT_AUDIENCE", Issuer::AUDIENCE),
                ("RATE_LIMITS_TABLE", "RateLimits"),
                ("TICKETS_TABLE", "Tickets"),
            ];
            let function =
                Function::start(binaries.join("session-authorizer"), &environment).await?;
            let token = issuer.token("ada").signed(&issuer.key());
            let event = Socket::new("YQ==").authorize(&[("token", &token)], &[]);
            subjects.push((issuer, function, event));
        }
        for _ in 0..rounds {
            for (issuer, function, event) in &mut subjects {
                allowed(function, event).await?;
                let (_, before) = memory_and_time(function)?;
                let start = Instant::now();
                let mut events = 0;
                while start.elapsed() < time {
                    allowed(function, event).await?;
                    events += 1;
                }
                let per_second = f64::from(events) / start.elapsed().as_secs_f64();
                let (_, after) = memory_and_time(function)?;
                let cpu = (after - before).as_secs_f64() / f64::from(events);
                let algorithm = issuer.key().algorithm();
                println!(
                    "{}",
                    json!({"algorithm": algorithm, "per_second": per_second, "cpu_seconds": cpu})
                );
            }
        }
        for (issuer, ..) in &subjects {
            if issuer.fetches().keys != 1 {
                return Err("the keys were fetched more than once".into());
            }
        }
        Ok(())
    })
}

async fn allowed(function: &mut Function, event: &Value) -> Result<()> {
    match function.invoke(event).await? {
        InvocationResult::Response(answer) if answer["principalId"] == "ada" => Ok(()),
        other => Err(format!("not allowed: {other:?}").into()),
    }
}
