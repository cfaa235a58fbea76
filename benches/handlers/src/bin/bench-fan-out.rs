//! Fan-out of a message: `bench-fan-out <endpoint> <listeners> [<concurrency> [<interval in microseconds>]]`.
//!
//! For every line of standard input, it sends the line to all listeners once, and prints the duration. It is a separate
//! program, so that its memory contains nothing else.

#[path = "../aws.rs"]
mod aws;

use std::env;
use std::error::Error;
use std::io::stdin;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::json;
use stackgen_websocket::{ConnectionId, FanOutOptions, ManagementApi, fan_out};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [endpoint, listeners, given @ ..] = words.as_slice() else {
        return Err("bench-fan-out <endpoint> <listeners> [<concurrency> [<interval>]]".into());
    };
    let mut options = FanOutOptions::default();
    if let [concurrency, ..] = given {
        options.concurrency = concurrency.parse()?;
    }
    if let [_, interval] = given {
        options.interval = Duration::from_micros(interval.parse()?);
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
