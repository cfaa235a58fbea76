//! Services that do not run in the local gateway: `stackgen dev --services`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use stackgen_test_tools::PrivateCa;

use crate::common::{Sandbox, root};
use crate::release::emulator::Emulator;
use crate::running::Dev;

/// Creates a folder with the template.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let template = root().join("generator/cli/tests/it/services.yaml");
    sandbox.write("template.yaml", std::fs::read(template).unwrap());
    sandbox
}

/// Starts the template with flags. Functions find boto3 in a virtual environment.
fn started(environment: &Path, flags: &[&str]) -> Dev {
    started_with(sandbox(), flags, &[("VIRTUAL_ENV", environment)])
}

fn started_with(sandbox: Sandbox, flags: &[&str], variables: &[(&str, &Path)]) -> Dev {
    let arguments = [&["template.yaml", "--json", "--no-watch"], flags].concat();
    let mut dev = Dev::spawn(sandbox, &arguments, variables);
    dev.ready = dev.event("ready");
    dev
}

pub(crate) fn virtual_environment() -> Option<PathBuf> {
    let python = stackgen_test_tools::installed("venv/bin/python")?;
    Some(python.parent()?.parent()?.to_owned())
}

/// Runs `services.py`, and returns what it prints.
pub(crate) fn services(emulator: &Emulator, arguments: &[&str]) -> Value {
    let python = stackgen_test_tools::installed("ministack/bin/python").unwrap();
    let mut command = Command::new(python);
    command.arg(root().join("generator/cli/tests/ministack/services.py"));
    let output = command
        .arg(emulator.url())
        .args(arguments)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

#[test]
fn integrations_and_functions_reach_the_services_of_an_emulator() {
    let Some(environment) = virtual_environment() else {
        return;
    };
    let Some(emulator) = Emulator::start() else {
        return;
    };
    services(&emulator, &["create"]);
    let mut dev = started(&environment, &["--services", &emulator.url()]);
    assert_eq!(dev.ready["gateway"]["services"], emulator.url());
    for (message, answer) in [
        (
            json!({"action": "queue", "queue": "notes", "text": "a & b"}),
            "MessageId",
        ),
        // The role may not send to this queue.
        (
            json!({"action": "queue", "queue": "other", "text": "no"}),
            "AccessDenied",
        ),
        (json!({"action": "topic", "text": "by topic"}), "MessageId"),
        (json!({"action": "bus", "text": "by event"}), "EventId"),
        (
            json!({"action": "machine", "text": "by machine"}),
            "executionArn",
        ),
        (
            json!({"action": "function", "text": "by function"}),
            "the function sent it",
        ),
    ] {
        dev.answers(&message.to_string(), answer);
    }
    let received = services(&emulator, &["received", "4"]);
    assert_eq!(
        received["messages"],
        json!([
            "a & b",
            "by function",
            "by topic",
            r#"{"text": "by event"}"#
        ])
    );
    assert_eq!(received["inputs"], json!(["\"by machine\""]));
    dev.interrupt();
    assert_eq!(dev.ended(), Some(0));
}

#[test]
fn without_an_emulator_a_call_names_the_flag_and_is_reported() {
    let Some(environment) = virtual_environment() else {
        return;
    };
    let dev = started(&environment, &[]);
    assert_eq!(dev.ready["gateway"]["services"], Value::Null);
    let message = r#"{"action":"function","text":"hi"}"#;
    dev.answers(
        message,
        "the local gateway has no sqs; start `stackgen dev` with --services URL",
    );
    let reported = dev.event("serviceNotRun");
    assert_eq!(reported["service"], "sqs");
    assert_eq!(reported["operation"], "GetQueueUrl");
    assert_eq!(dev.event("message")["route"], "function");
    let message = r#"{"action":"queue","queue":"notes","text":"hi"}"#;
    dev.answers(message, "Internal server error");
    let outcome = dev.event("message")["outcome"]["reason"].to_string();
    assert!(outcome.contains("has no sqs; start"), "{outcome}");
}

/// Answers every request on a port with a queue's URL.
fn queue_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || answer_requests(stream));
        }
    });
    address
}

fn answer_requests(mut stream: TcpStream) -> std::io::Result<()> {
    let body = r#"{"QueueUrl":"http://queues/1/notes"}"#;
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut length = 0;
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let header = line.to_ascii_lowercase();
            if let Some(value) = header.strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
        }
        reader.read_exact(&mut vec![0; length])?;
        stream.write_all(answer.as_bytes())?;
    }
}

#[test]
fn an_https_endpoint_needs_a_certificate_that_the_machine_trusts() {
    let Some(environment) = virtual_environment() else {
        return;
    };
    let (right, wrong) = (PrivateCa::new(), PrivateCa::new());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let address = runtime.block_on(right.serve("localhost", queue_server()));
    let url = format!("https://localhost:{}", address.port());
    let message = r#"{"action":"function","text":"hi"}"#;
    for (trusted, answer) in [
        (right.pem(), "the function sent it"),
        (wrong.pem(), "invalid peer certificate"),
    ] {
        let sandbox = sandbox();
        sandbox.write("roots.pem", trusted);
        let roots = sandbox.path().join("roots.pem");
        let variables = [
            ("VIRTUAL_ENV", environment.as_path()),
            ("SSL_CERT_FILE", roots.as_path()),
        ];
        let dev = started_with(sandbox, &["--services", &url], &variables);
        dev.answers(message, answer);
    }
}

#[test]
fn an_endpoint_on_another_machine_is_noted_and_printed() {
    let arguments = ["template.yaml", "--services", "http://services.example/"];
    let dev = Dev::spawn(sandbox(), &arguments, &[]);
    let line = dev.line("Services");
    let expected = "http://services.example   gets the calls of services that do not run here";
    assert!(line.contains(expected), "{line}");
    let note = dev.error("leave this machine");
    assert!(
        note.contains("they go to http://services.example"),
        "{note}"
    );
}

#[test]
fn the_url_of_services_is_checked() {
    let sandbox = Sandbox::new();
    for (url, hint) in [
        (
            "localhost:4566",
            "write a URL such as http://127.0.0.1:4566",
        ),
        ("http://a:b@localhost", "without a user name and a password"),
    ] {
        let run = sandbox.run(&format!("dev --services {url}"));
        assert_eq!(run.code, Some(2), "{run}");
        assert!(run.stderr.contains(hint), "{run}");
    }
}
