//! `stackgen dev`, `stackgen token` and `stackgen deploy --local`, with the echo starter's own function

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::common::{Sandbox, building, root, target};

/// No test waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// The starter's function, built once; in a place where nobody builds it anew.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let _building = building();
        let status = Command::new(env!("CARGO"))
            .args([
                "build",
                "--offline",
                "--quiet",
                "--workspace",
                "--bin",
                "echo",
            ])
            .current_dir(root())
            .env("CARGO_TARGET_DIR", target())
            .status()
            .unwrap();
        assert!(status.success());
        let echo = Path::new(env!("CARGO_TARGET_TMPDIR")).join("echo");
        fs::copy(target().join("debug/echo"), &echo).unwrap();
        echo
    })
}

/// A `stackgen dev` that runs.
struct Dev {
    sandbox: Sandbox,
    child: Child,
    lines: Receiver<String>,
    /// What it said that it is.
    ready: Value,
}

impl Dev {
    /// Runs in a folder with the echo starter, and waits until it is ready.
    fn start(arguments: &[&str]) -> Self {
        let sandbox = Sandbox::starter("echo");
        // Where its own cargo would have left it.
        let debug = sandbox.path().join("target/debug");
        fs::create_dir_all(&debug).unwrap();
        fs::copy(built(), debug.join("echo")).unwrap();
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("stackgen"))
            .current_dir(sandbox.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .args(["dev", "--json", "--no-build", "--port", "0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = lines(child.stdout.take().unwrap());
        let mut dev = Dev {
            sandbox,
            child,
            lines,
            ready: Value::Null,
        };
        dev.ready = dev.event("ready");
        dev
    }

    /// The next event of that kind.
    fn event(&self, kind: &str) -> Value {
        loop {
            let line = self
                .lines
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("no {kind}"));
            let Ok(event) = serde_json::from_str::<Value>(&line) else {
                continue;
            };
            if event["event"] == kind {
                return event;
            }
        }
    }

    fn url(&self) -> &str {
        let stage = &self.ready["gateway"]["apis"][0]["stages"][0];
        stage["url"].as_str().unwrap()
    }

    /// What a message is answered with: `stackgen probe` says it.
    fn answers(&self, send: &str, expect: &str) {
        let probe = self
            .sandbox
            .command()
            .args(["probe", self.url(), "--send", send, "--expect", expect])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&probe.stdout);
        assert!(probe.status.success(), "{said}");
    }

    /// The processes of its functions.
    fn functions(&self) -> Vec<u32> {
        let children = format!("/proc/{0}/task", self.child.id());
        let threads = fs::read_dir(children).unwrap();
        let children = threads.flat_map(|thread| {
            let children = thread.unwrap().path().join("children");
            let children = fs::read_to_string(children).unwrap_or_default();
            let children = children.split_whitespace();
            children.map(|id| id.parse().unwrap()).collect::<Vec<u32>>()
        });
        children.collect()
    }

    /// Ends it as Ctrl-C does, and tells the code that it ends with.
    fn interrupt(&mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap().code()
    }
}

/// What fails leaves nothing that runs.
impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (told, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if told.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

#[test]
fn a_message_is_answered_and_ctrl_c_leaves_nothing() {
    let mut dev = Dev::start(&[]);
    dev.answers("hello", "hello");
    let message = dev.event("message");
    assert_eq!(message["route"], "$default");
    assert_eq!(message["outcome"]["kind"], "answered");
    let file = dev.sandbox.path().join(".stackgen/gateway.json");
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let functions = dev.functions();
    assert!(!functions.is_empty());

    assert_eq!(dev.interrupt(), Some(0));
    assert!(!file.exists());
    assert!(!dev.sandbox.path().join(".stackgen").exists());
    for id in functions {
        assert!(!Path::new(&format!("/proc/{id}")).exists(), "{id} is left");
    }
}

#[test]
fn row_d1_a_saved_route_waits_for_a_deployment_and_a_broken_file_changes_nothing() {
    let dev = Dev::start(&[]);
    let spec = dev.sandbox.read("stackgen.yaml");
    dev.sandbox.write("stackgen.yaml", "websocket: [");
    let refused = &dev.event("notApplied")["refused"]["errors"][0];
    assert!(refused["message"].is_string(), "{refused}");
    dev.answers("hello", "hello");

    let routes = "  routes:\n    ping: { function: echo, twoWay: true }";
    dev.sandbox
        .write("stackgen.yaml", spec.replace("  routes:", routes));
    let applied = dev.event("applied");
    let created = applied["changes"].as_array().unwrap().iter();
    let created: Vec<_> = created.map(|change| &change["logicalId"]).collect();
    assert!(created.iter().any(|id| *id == "PingRoute"), "{created:?}");
    assert_eq!(applied["undeployed"].as_array().unwrap().len(), 1);
    assert_eq!(applied["needsDeployment"], true);
    let wiring = applied["diff"].as_array().unwrap().iter();
    let mut wiring = wiring.filter(|change| change["effect"] == "wiring");
    assert!(wiring.any(|change| change["subject"]["name"] == "ping"));

    dev.answers(r#"{"action":"ping"}"#, "ping");
    assert_eq!(dev.event("message")["route"], "$default");
    let deployed = dev.sandbox.run("deploy --local --no-build");
    assert_eq!(deployed.code, Some(0), "{deployed}");
    dev.answers(r#"{"action":"ping"}"#, "ping");
    assert_eq!(dev.event("message")["route"], "ping");
}

#[test]
fn a_token_is_printed_alone_and_says_what_it_was_asked_to() {
    let dev = Dev::start(&["--no-watch"]);
    let run = dev
        .sandbox
        .run("token --sub ada --aud app --claim admin=true --lifetime 5m");
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let token = run.stdout.trim_end();
    assert_eq!(token.split('.').count(), 3, "{token}");
    assert_eq!(token.lines().count(), 1);
    let rotated = dev.sandbox.run("token --rotate --at-once");
    assert_eq!((rotated.code, rotated.stdout.as_str()), (Some(0), ""));
    let second = Command::new(assert_cmd::cargo::cargo_bin!("stackgen"))
        .current_dir(dev.sandbox.path())
        .arg("dev")
        .output()
        .unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("runs for this project already"), "{said}");
}

#[test]
fn without_a_gateway_commands_say_how_to_start_one() {
    let sandbox = Sandbox::starter("echo");
    let run = sandbox.run("token --sub ada");
    insta::assert_snapshot!(run, @r"
    exit 1
    --- stderr
    error: no local gateway runs for stackgen.yaml
    help: `stackgen dev` starts one; `--file` names another project
    ");
    sandbox.write(
        ".stackgen/gateway.json",
        r#"{"pid":1,"key":"k","stack":null,"endpoint":"http://127.0.0.1:1","issuer":"i","audiences":[],
            "dynamodb":"d","partition":"aws","region":"r","account":"a","apis":[]}"#,
    );
    let run = sandbox.run("token --sub ada");
    insta::assert_snapshot!(run, @r"
    exit 1
    --- stderr
    error: the local gateway with process id 1 does not run any more
    help: start it again with `stackgen dev`
    ");
}
