//! `stackgen logs` against an emulator that is not ours.

mod denied;
mod follow;
mod lives;
mod local;
mod views;

use serde_json::{Value, json};

use crate::common::{Run, Sandbox};
use crate::release::emulator::Emulator;

/// An emulator with an API that has logs.
struct LoggedApi {
    emulator: Emulator,
    api: String,
    sandbox: Sandbox,
}

impl LoggedApi {
    /// Creates the API; `None` skips the test.
    fn create() -> Option<LoggedApi> {
        let emulator = Emulator::start()?;
        let api = emulator.logs(&["create"], "");
        Some(LoggedApi {
            emulator,
            api,
            sandbox: Sandbox::new(),
        })
    }

    /// Runs `stackgen logs` on the API.
    fn run(&self, line: &str) -> Run {
        self.run_at(&self.emulator.url(), line)
    }

    fn run_at(&self, endpoint: &str, line: &str) -> Run {
        Run::of(self.command(endpoint, line).output().unwrap())
    }

    fn command(&self, endpoint: &str, line: &str) -> std::process::Command {
        let mut command = self.sandbox.process();
        command.env("AWS_REGION", "us-east-1").arg("logs");
        command.args([
            "--api-id",
            &self.api,
            "--stage-name",
            "prod",
            "--endpoint-url",
            endpoint,
        ]);
        command.args(line.split_whitespace());
        command
    }

    /// Writes lines, each with a group's short name, a stream, a time and a message.
    fn put(&self, lines: &[(&str, &str, i64, String)]) {
        let group = |name: &str| match name {
            "access" => "/aws/apigateway/chat".to_owned(),
            "execution" => format!("/aws/apigateway/{}/prod", self.api),
            function => format!("/aws/lambda/chat-{function}"),
        };
        let lines = lines.iter().map(|(name, stream, time, message)| {
            json!({ "group": group(name), "stream": stream, "time": time, "message": message })
                .to_string()
        });
        let input = lines.collect::<Vec<_>>().join("\n");
        self.emulator.logs(&["put"], &input);
    }
}

/// Returns a line of the access log, in the format of `logs.py`. Values that are not given are `-`.
fn access(values: &Value) -> String {
    let names = [
        "requestId",
        "eventType",
        "routeKey",
        "status",
        "connectionId",
        "connectedAt",
        "sourceIp",
        "principalId",
        "authorizerStatus",
        "authorizerError",
        "authorizerLatency",
        "integrationStatus",
        "integrationLatency",
        "errorMessage",
    ];
    let fields = names.map(|name| {
        let value = match &values[name] {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        format!("\"{name}\":\"{value}\"")
    });
    format!("{{{}}}", fields.join(","))
}

/// 2026-11-30T08:00:00Z, in milliseconds since 1970.
const EIGHT: i64 = 1_796_025_600_000;
