//! Our fan-out, as the audio handler does it.

use std::io::stdin;
use std::time::Instant;

use bytes::Bytes;
use serde_json::json;
use stackgen_websocket::aws::AwsSettings;
use stackgen_websocket::{ConnectionId, Environment, FanOut, ManagementApi, fan_out};

use crate::Result;

/// For every line on standard input sends that text to all listeners once, and prints how long it took.
pub fn rounds(endpoint: &str, listeners: usize, concurrency: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let api = ManagementApi::new(&aws("").sdk_config(), endpoint);
        let how = FanOut {
            concurrency,
            ..FanOut::default()
        };
        let audience: Vec<_> = (0..listeners).map(listener).collect();
        for message in stdin().lines() {
            let message = Bytes::from(message?);
            let start = Instant::now();
            let report = fan_out(&api, &audience, message, &how).await;
            let seconds = start.elapsed().as_secs_f64();
            println!("{}", json!({"seconds": seconds, "sent": report.sent}));
        }
        Ok(())
    })
}

/// An id like API Gateway's.
fn listener(number: usize) -> ConnectionId {
    ConnectionId::new(format!("L0SM9cOF{number:05}cCIhw="))
}

/// AWS as a function finds it on Lambda, with DynamoDB elsewhere; the credentials are nobody's.
pub fn aws(dynamodb: &str) -> AwsSettings {
    let mut environment = Environment::new(|name: &str| {
        let value = match name {
            "AWS_REGION" => "us-east-1",
            "AWS_ACCESS_KEY_ID" => "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY" => "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "AWS_SESSION_TOKEN" => "session-token-of-nobody",
            "AWS_ENDPOINT_URL_DYNAMODB" => dynamodb,
            _ => return None,
        };
        Some(value.to_owned())
    });
    AwsSettings::read(&mut environment)
}
