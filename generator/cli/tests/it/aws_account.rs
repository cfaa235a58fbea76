//! Calls of the user's account: `stackgen dev --aws`. The account is a server that verifies signatures with botocore.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::common::{Sandbox, root};
use crate::running::Dev;

/// A server in place of AWS.
struct Account {
    child: Child,
    lines: BufReader<ChildStdout>,
    url: String,
    /// Virtual environment with boto3.
    environment: PathBuf,
}

impl Account {
    /// Starts the server; `None` if botocore is not installed.
    fn start() -> Option<Self> {
        let python = stackgen_test_tools::installed("venv/bin/python")?;
        let environment = python.parent()?.parent()?.to_owned();
        let script = root().join("generator/cli/tests/it/aws_account.py");
        let mut child = Command::new(&python)
            .arg(script)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut port = String::new();
        lines.read_line(&mut port).unwrap();
        let url = format!("http://127.0.0.1:{}", port.trim());
        Some(Account {
            child,
            lines,
            url,
            environment,
        })
    }

    /// Returns the next request of a service. None may have a wrong signature.
    fn request(&mut self, service: &str) -> Value {
        loop {
            let mut line = String::new();
            self.lines.read_line(&mut line).unwrap();
            let seen: Value = serde_json::from_str(&line).unwrap();
            assert_ne!(seen["service"], Value::Null, "{seen}");
            if seen["service"] == service {
                return seen;
            }
        }
    }

    fn dev(&self, flags: &[&str]) -> Dev {
        let sandbox = Sandbox::new();
        let template = root().join("generator/cli/tests/it/aws_account.yaml");
        sandbox.write("template.yaml", std::fs::read(template).unwrap());
        let own = [
            "template.yaml",
            "--json",
            "--no-watch",
            "--aws",
            "--endpoint-url",
            &self.url,
        ];
        let variables = [
            ("VIRTUAL_ENV", self.environment.as_path()),
            ("AWS_ACCESS_KEY_ID", Path::new("AKIDUSER")),
            ("AWS_SECRET_ACCESS_KEY", Path::new("user-secret")),
            ("AWS_REGION", Path::new("eu-west-1")),
        ];
        Dev::spawn(sandbox, &[&own, flags].concat(), &variables)
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn functions_call_the_account_with_the_users_signature() {
    let Some(mut account) = Account::start() else {
        return;
    };
    let mut dev = account.dev(&["--yes"]);
    dev.ready = dev.event("ready");
    assert_eq!(
        dev.ready["gateway"]["aws"],
        "account 123456789012 in eu-west-1"
    );
    account.request("sts");
    dev.answers(r#"{"action":"call","kind":"queue"}"#, "sent by sqs");
    let sent = account.request("sqs");
    assert_eq!(sent["headers"]["x-amz-target"], "AmazonSQS.SendMessage");
    let body: Value = serde_json::from_str(sent["body"].as_str().unwrap()).unwrap();
    let queue = "https://sqs.eu-west-1.amazonaws.com/123456789012/notes";
    assert_eq!(body["QueueUrl"], queue);
    // Nothing of the function's own credentials leaves the machine.
    assert_eq!(sent["headers"]["x-amz-security-token"], Value::Null);
    assert!(!sent.to_string().contains("ASIA"), "{sent}");
    let mut called = dev.event("accountCalled");
    for varies in ["id", "at"] {
        let value = called.as_object_mut().unwrap().remove(varies);
        assert!(value.is_some_and(|value| value.is_u64()), "{varies}");
    }
    assert_eq!(
        called,
        json!({
            "event": "accountCalled", "caller": "caller", "service": "sqs", "operation": "SendMessage", "status": 200
        })
    );
    dev.answers(r#"{"action":"call","kind":"object"}"#, "stored");
    dev.answers(r#"{"action":"call","kind":"size"}"#, "5");
    let stored = account.request("s3");
    assert_eq!(
        (&stored["path"], &stored["body"]),
        (&json!("/files/a%20b/%C3%BC"), &json!("hello"))
    );
    dev.interrupt();
    assert_eq!(dev.ended(), Some(0));
}

/// Sends requests as any program of this machine could: it can connect to the control endpoint, and sign with anything.
fn outsiders_are_refused(dev: &Dev) {
    let endpoint = dev.ready["gateway"]["endpoint"].as_str().unwrap();
    let address = endpoint.strip_prefix("http://").unwrap();
    for (request, service, reason) in [
        (
            "POST /",
            "sqs",
            "it is not signed by a function of this gateway",
        ),
        // Another way to the account: let a function run other code.
        (
            "PUT /2015-03-31/functions/caller/code",
            "lambda",
            "functions change only through their files",
        ),
        (
            "POST /2015-03-31/functions",
            "lambda",
            "functions change only through their files",
        ),
    ] {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nX-Amz-Date: 20260101T000000Z\r\n\
             X-Amz-Target: AmazonSQS.ListQueues\r\nContent-Length: 2\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential=AKIDUSER/20260101/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=00\r\n\r\n{{}}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        assert!(answer.contains(reason), "{answer}");
    }
}

#[test]
fn calls_that_the_user_did_not_confirm_stay_here() {
    let Some(account) = Account::start() else {
        return;
    };
    let mut dev = account.dev(&["--yes"]);
    dev.ready = dev.event("ready");
    for (message, reason) in [
        (
            r#"{"action":"call","kind":"users"}"#,
            "the gateway does not call iam there",
        ),
        (
            r#"{"action":"call","kind":"elsewhere"}"#,
            "only eu-west-1 was confirmed",
        ),
        (
            r#"{"action":"queue","queue":"notes"}"#,
            "Internal server error",
        ),
    ] {
        dev.answers(message, reason);
    }
    let third = [(); 3].map(|()| dev.event("message"))[2].clone();
    let reason = third["outcome"]["reason"].to_string();
    assert!(
        reason.contains("only requests that a function signed"),
        "{reason}"
    );
    outsiders_are_refused(&dev);
    dev.interrupt();
    assert_eq!(dev.ended(), Some(0));
}

#[test]
fn without_a_terminal_the_account_must_be_confirmed_by_a_flag() {
    let sandbox =
        Sandbox::with("name: s\nwebsocket: { name: s, routes: { $default: { mock: 200 } } }\n");
    let run = sandbox.run("dev --aws");
    assert_eq!(run.code, Some(2), "{run}");
    assert!(
        run.stderr.contains("add `--yes`, or run it in a terminal"),
        "{run}"
    );
    let run = sandbox.run("dev --yes");
    assert_eq!(run.code, Some(2), "{run}");
    let run = sandbox.run("dev --aws --services http://127.0.0.1:1");
    assert_eq!(run.code, Some(2), "{run}");
}
