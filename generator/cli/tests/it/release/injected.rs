//! Deploys through microburst, a proxy that is not ours and answers with the errors of AWS.
//!
//! WebSockets do not get through it, so these deploys are not verified. Its rules for an `operation` never match calls of API
//! Gateway v2, so they name the service.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::emulator::Emulator;
use super::project::Project;
use super::{assert_done, assert_failed, assert_says};

/// Time for the proxy to start on a busy machine.
const START: Duration = Duration::from_secs(60);

/// The proxy, in front of the emulator. Dropping it ends it.
struct Microburst {
    process: Child,
    port: u16,
}

impl Microburst {
    /// Starts the proxy; `None` skips the test.
    fn start(emulator: &Emulator) -> Option<Microburst> {
        let program = stackgen_test_tools::installed("microburst/bin/python")?;
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let process = Command::new(program)
            .args(["-m", "microburst", "--host", "127.0.0.1"])
            .args(["--upstream", &emulator.url(), "--port", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let microburst = Microburst { process, port };
        let started = Instant::now();
        while microburst.request("GET", "health", None).is_none() {
            assert!(started.elapsed() < START, "microburst does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(microburst)
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Replaces the rules, and forgets which fired.
    fn inject(&self, rules: Value) {
        self.request("DELETE", "fired", None).unwrap();
        let added = self.request("POST", "rules", Some(&rules)).unwrap();
        assert!(
            added.to_string().contains("service") || rules == json!([]),
            "{added}"
        );
    }

    /// Returns the services of the calls that a rule changed, in order.
    fn fired(&self) -> Vec<String> {
        let fired = self.request("GET", "fired", None).unwrap();
        let list = fired
            .as_array()
            .or_else(|| fired["fired"].as_array())
            .unwrap();
        let service = |event: &Value| event["service"].as_str().unwrap().to_owned();
        list.iter().map(service).collect()
    }

    /// Calls the control API.
    fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Option<Value> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok()?;
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = format!(
            "{method} /_microburst/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (_, body) = answer.split_once("\r\n\r\n")?;
        Some(serde_json::from_str(body).unwrap_or(Value::Null))
    }
}

impl Drop for Microburst {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts an emulator with a bucket, the proxy, and a project that calls the proxy; `None` skips the test.
fn started(environment: &'static str) -> Option<(Emulator, Microburst, Project)> {
    let emulator = Emulator::start()?;
    let mut project = Project::new(&emulator, environment);
    assert_done(&project.run_as("bootstrap"));
    let microburst = Microburst::start(&emulator)?;
    project.use_endpoint(microburst.url());
    Some((emulator, microburst, project))
}

const SERVICES: [&str; 4] = ["cloudformation", "s3", "lambda", "apigateway"];

#[test]
fn throttled_calls_are_retried() {
    let Some((_emulator, microburst, project)) = started("prod") else {
        return;
    };
    assert_done(&project.deploy("--no-verify"));
    let rule = |service: &&str| {
        let (code, status) = match *service {
            "s3" => ("SlowDown", 503),
            "cloudformation" => ("Throttling", 400),
            _ => ("TooManyRequestsException", 429),
        };
        json!({"service": service, "times": 2, "error": {"code": code, "status": status, "message": "Rate exceeded"}})
    };
    microburst.inject(SERVICES.iter().map(rule).collect());
    project.set_code("second", true);
    let run = project.deploy("--no-verify");
    assert_done(&run);
    let fired = microburst.fired();
    for service in SERVICES.iter().filter(|service| **service != "lambda") {
        let count = fired.iter().filter(|fired| fired == service).count();
        assert_eq!(count, 2, "{service}: {fired:?}");
    }
}

/// Calls to CloudFormation without which nothing is created.
const CREATION: [&str; 4] = [
    "DescribeStacks",
    "CreateChangeSet",
    "DescribeChangeSet",
    "ExecuteChangeSet",
];

#[test]
fn a_denied_call_of_a_creation_is_named_and_no_resource_is_created() {
    let Some((_emulator, microburst, project)) = started("dev") else {
        return;
    };
    for operation in CREATION {
        let denied = json!({
            "service": "cloudformation", "operation": operation,
            "error": {"code": "AccessDenied", "status": 403, "message": "User: arn:aws:iam::1:user/ci is not authorized"}
        });
        microburst.inject(json!([denied]));
        let action = format!("cloudformation:{operation}");
        assert_failed(&project.deploy("--no-verify"), [action.as_str()]);
        assert!(!microburst.fired().is_empty(), "{operation}");
        microburst.inject(json!([]));
        let status = project.run("status");
        assert!(
            status.stderr.contains("there is no API"),
            "{operation}: {status}"
        );
    }
    let created = project.deploy("--no-verify");
    assert_done(&created);
    assert_says(&created, "create stack rooms-dev");
}

#[test]
fn an_expired_token_ends_the_deploy_and_a_rerun_finishes_it() {
    let Some((_emulator, microburst, project)) = started("dev") else {
        return;
    };
    let expired = json!({
        "service": "cloudformation", "operation": "DescribeStackEvents",
        "error": {"code": "ExpiredToken", "status": 403, "message": "The security token included in the request is expired"}
    });
    let update = json!({
        "service": "cloudformation", "operation": "ExecuteChangeSet",
        "error": {"code": "ExpiredToken", "status": 403, "message": "The security token included in the request is expired"}
    });
    microburst.inject(json!([update, expired]));
    let run = project.deploy("--no-verify");
    assert_failed(&run, ["expired"]);
    microburst.inject(json!([]));
    let again = project.deploy("--no-verify");
    assert_done(&again);
    assert_says(&again, "create stack rooms-dev");
}

#[test]
fn answers_that_break_off_after_the_call_took_effect_make_nothing_twice() {
    let Some((_emulator, microburst, project)) = started("prod") else {
        return;
    };
    let cut = |operation: &str| json!({"service": "cloudformation", "operation": operation, "times": 1, "response": {"abort_bytes": 10}});
    let rules = json!([
        cut("CreateChangeSet"),
        cut("ExecuteChangeSet"),
        {"service": "s3", "operation": "PutObject", "times": 1, "response": {"abort_bytes": 1}},
        {"service": "apigateway", "times": 1, "response": {"abort_bytes": 10}},
    ]);
    for label in ["first", "second"] {
        project.set_code(label, true);
        microburst.inject(rules.clone());
        let run = project.deploy("--no-verify");
        assert_done(&run);
        let fired = microburst.fired();
        let of = |service: &str| fired.iter().filter(|fired| *fired == service).count();
        assert_eq!(of("cloudformation"), 2, "{fired:?}");
        assert_eq!(of("apigateway"), 1, "{fired:?}");
    }
    microburst.inject(json!([]));
    let status = project.run("status --allow-unverified");
    assert_done(&status);
}

#[test]
fn a_slow_network_changes_nothing_but_the_time() {
    let Some((_emulator, microburst, project)) = started("dev") else {
        return;
    };
    microburst.inject(json!([{"service": "*", "latency": 40}]));
    let run = project.deploy("--no-verify");
    assert_done(&run);
    assert!(microburst.fired().len() > 20);
    assert_says(&project.deploy("--no-verify"), "is up to date");
}
