//! Fan-out of the audio handler: `bench-fan-out <endpoint> <listeners> [<concurrency>]`.
//!
//! For every line of standard input, it sends the line to all listeners once, and prints the duration. It is a separate
//! program, so that its memory contains nothing else.

#[path = "../aws.rs"]
mod aws;

use std::env;
use std::error::Error;
use std::io::stdin;
use std::time::Instant;

use bytes::Bytes;
use serde_json::json;
use stackgen_websocket::{ConnectionId, FanOutOptions, ManagementApi, fan_out};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [endpoint, listeners, concurrency @ ..] = words.as_slice() else {
        return Err("bench-fan-out <endpoint> <listeners> [<concurrency>]".into());
    };
    let mut options = FanOutOptions::default();
    if let [concurrency] = concurrency {
        options.concurrency = concurrency.parse()?;
    }
    let api = ManagementApi::new(&aws::settings("").sdk_config(), endpoint);
    let audience: Vec<_> = (0..listeners.parse()?).map(listener).collect();
    for message in stdin().lines() {
        let message = Bytes::from(message?);
        let start = Instant::now();
        let report = fan_out(&api, &audience, message, &options).await;
        let seconds = start.elapsed().as_secs_f64();
        let line =
            json!({"seconds": seconds, "sent": report.sent, "at_a_time": options.concurrency});
        println!("{line}");
    }
    Ok(())
}

/// Returns an ID like API Gateway's.
fn listener(number: usize) -> ConnectionId {
    ConnectionId::new(format!("L0SM9cOF{number:05}cCIhw="))
}
