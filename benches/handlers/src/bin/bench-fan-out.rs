//! Our fan-out, as the audio handler does it: `bench-fan-out <endpoint> <listeners> [<concurrency>]`.
//!
//! For every line on standard input sends that text to all listeners once, and prints how long it took. A program of its
//! own, so that its memory is that of a program that does nothing else.

#[path = "../aws.rs"]
mod aws;

use std::env;
use std::error::Error;
use std::io::stdin;
use std::time::Instant;

use bytes::Bytes;
use serde_json::json;
use stackgen_websocket::{ConnectionId, FanOut, ManagementApi, fan_out};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [endpoint, listeners, concurrency @ ..] = words.as_slice() else {
        return Err("bench-fan-out <endpoint> <listeners> [<concurrency>]".into());
    };
    let mut how = FanOut::default();
    if let [concurrency] = concurrency {
        how.concurrency = concurrency.parse()?;
    }
    let api = ManagementApi::new(&aws::settings("").sdk_config(), endpoint);
    let audience: Vec<_> = (0..listeners.parse()?).map(listener).collect();
    for message in stdin().lines() {
        let message = Bytes::from(message?);
        let start = Instant::now();
        let report = fan_out(&api, &audience, message, &how).await;
        let seconds = start.elapsed().as_secs_f64();
        let line = json!({"seconds": seconds, "sent": report.sent, "at_a_time": how.concurrency});
        println!("{line}");
    }
    Ok(())
}

/// An id like API Gateway's.
fn listener(number: usize) -> ConnectionId {
    ConnectionId::new(format!("L0SM9cOF{number:05}cCIhw="))
}
