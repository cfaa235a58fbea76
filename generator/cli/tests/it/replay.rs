//! `stackgen replay`, `stackgen dev --record` and `stackgen probe --record`.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::thread::{self, JoinHandle};

use insta::{assert_snapshot, with_settings};

use crate::common::{Run, Sandbox, building, root, target};
use crate::running::{Dev, place_echo};

const RECORDING: &str = r#"{"recording":1}
{"at":0.0,"connection":1,"open":{"status":101}}
{"at":0.0,"connection":1,"send":{"n":1}}
{"at":0.0,"connection":1,"receive":{"n":1}}
{"at":0.1,"connection":2,"open":{"status":101}}
{"at":0.1,"connection":2,"send":"hello"}
{"at":0.1,"connection":2,"receive":"hello"}
{"at":0.1,"connection":1,"sendBinary":3}
{"at":0.1,"connection":1,"close":{"by":"server","code":1003,"reason":"Unsupported data"}}
{"at":0.2,"connection":2,"close":{"by":"client","code":1000}}
"#;

/// Returns a folder with the starter `echo` and a recording of it.
fn project(recording: &str) -> Sandbox {
    let sandbox = Sandbox::starter("echo");
    place_echo(&sandbox);
    sandbox.write("r.jsonl", recording);
    sandbox
}

fn replay(sandbox: &Sandbox, more: &str) -> Run {
    sandbox.run(&format!("replay r.jsonl --no-build --timeout 2s {more}"))
}

#[test]
fn a_recording_is_played_against_a_gateway_of_its_own() {
    let sandbox = project(RECORDING);
    let files = sandbox.files();
    assert_snapshot!(replay(&sandbox, ""), @"
    exit 0
    --- stdout
    r.jsonl: as recorded, 2 connections, 9 events
    ");
    assert_eq!(sandbox.files(), files, "nothing is left behind");
}

#[test]
fn every_difference_is_shown_in_its_connection() {
    let changed = RECORDING
        .replace(r#""receive":{"n":1}"#, r#""receive":{"n":2}"#)
        .replace(r#""code":1003"#, r#""code":1009"#)
        .replace(
            r#"{"at":0.1,"connection":2,"receive":"hello"}"#,
            r#"{"at":0.1,"connection":2,"receive":"hello"}
{"at":0.1,"connection":2,"receive":"more"}"#,
        );
    let sandbox = project(&changed);
    assert_snapshot!(replay(&sandbox, ""), @r#"
    exit 3
    --- stdout
    connection 1
        open      101
        send      {"n":1}
      - receive   {"n":2}
      + receive   {"n":1}
        send      3 bytes, binary
      - close     by the server with 1009 Unsupported data
      + close     by the server with 1003 Unsupported data

    connection 2
        open      101
        send      hello
        receive   hello
      - receive   more
        close     by the client with 1000

    r.jsonl: 2 of 2 connections are not as recorded
    "#);
    let json = replay(&sandbox, "--json");
    assert_eq!(json.code, Some(3));
    let json = json.json();
    assert_eq!(json["same"], false);
    let events = &json["connections"][1]["events"];
    assert_eq!(events[3]["result"], "missing", "{events}");
    assert_eq!(events[3]["receive"], "more", "{events}");
    assert_eq!(sandbox.read("r.jsonl"), changed);
}

#[test]
fn messages_that_are_not_recorded_and_their_order_are_differences() {
    let text = r#"{"recording":1}
{"at":0.0,"connection":1,"open":{"status":101}}
{"at":0.0,"connection":1,"send":"a"}
{"at":0.0,"connection":1,"send":"b"}
{"at":0.0,"connection":1,"send":"c"}
{"at":0.0,"connection":1,"receive":"b"}
{"at":0.0,"connection":1,"receive":"a"}
{"at":0.5,"connection":1,"close":{"by":"client","code":1000}}
"#;
    let sandbox = Sandbox::starter("echo");
    place_echo(&sandbox);
    sandbox.write("r.jsonl", text);
    // One message at a time, so that the answers are in order.
    let dev = Dev::start(&["--messages-at-a-time", "1"]);
    let run = |more: &str| {
        let url = dev.url();
        sandbox.run(&format!("replay r.jsonl {url} {more}"))
    };
    assert_snapshot!(run(""), @"
    exit 3
    --- stdout
    connection 1
        open      101
        send      a
        send      b
        send      c
      ~ receive   b  (it arrived after messages that are recorded later)
        receive   a
      + receive   c
        close     by the client with 1000

    r.jsonl: 1 of 1 connection is not as recorded
    ");
    assert_snapshot!(run("--any-order"), @"
    exit 3
    --- stdout
    connection 1
        open      101
        send      a
        send      b
        send      c
        receive   b
        receive   a
      + receive   c
        close     by the client with 1000

    r.jsonl: 1 of 1 connection is not as recorded
    ");
    assert_eq!(run("--update").code, Some(0));
    assert_snapshot!(sandbox.read("r.jsonl"), @r#"
    {"recording":1}
    {"at":0.0,"connection":1,"open":{"status":101}}
    {"at":0.0,"connection":1,"send":"a"}
    {"at":0.0,"connection":1,"send":"b"}
    {"at":0.0,"connection":1,"send":"c"}
    {"at":0.0,"connection":1,"receive":"a"}
    {"at":0.0,"connection":1,"receive":"b"}
    {"at":0.5,"connection":1,"receive":"c"}
    {"at":0.5,"connection":1,"close":{"by":"client","code":1000}}
    "#);
    assert_eq!(run("").code, Some(0));
}

#[test]
fn update_keeps_what_is_the_same() {
    let recording = RECORDING.replace(r#""receive":{"n":1}"#, r#""receive":{"n":"<number>"}"#);
    let changed = recording.replace(r#""receive":"hello""#, r#""receive":"other""#);
    let sandbox = project(&changed);
    let run = replay(&sandbox, "--update");
    assert_eq!(run.code, Some(0), "{run}");
    assert!(
        run.stdout
            .contains("r.jsonl: updated, 1 of 2 connections differed"),
        "{run}"
    );
    assert_eq!(sandbox.read("r.jsonl"), recording);
    assert_eq!(replay(&sandbox, "").code, Some(0));
}

/// Answers one handshake with 403 after a step, and refuses connections afterwards.
fn refuse_one(step: impl FnOnce() + Send + 'static) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        drop(listener);
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        step();
        let answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(answer).unwrap();
    });
    (address, server)
}

#[test]
fn update_keeps_a_recording_if_a_handshake_has_no_answer() {
    let (address, server) = refuse_one(|| {});
    let sandbox = Sandbox::new();
    let recording = r#"{"recording":1}
{"at":0.0,"connection":1,"open":{"status":401}}
{"at":0.1,"connection":2,"open":{"status":101}}
"#;
    sandbox.write("r.jsonl", recording);
    let run = sandbox.run(&format!("replay r.jsonl ws://{address}/prod --update"));
    // Ends the server, if the command did not connect.
    drop(TcpStream::connect(address));
    assert_eq!(run.code, Some(1), "{run}");
    assert!(
        run.stderr
            .contains("r.jsonl was not updated, because connection 2 had no answer"),
        "{run}"
    );
    server.join().unwrap();
    assert_eq!(sandbox.read("r.jsonl"), recording);
}

#[test]
fn a_recording_that_cannot_be_written_does_not_cost_the_result() {
    let sandbox = Sandbox::new();
    let recording = r#"{"recording":1}
{"at":0.0,"connection":1,"open":{"status":401}}
"#;
    sandbox.write("r.jsonl", recording);
    let path = sandbox.path().join("r.jsonl");
    let (address, server) = refuse_one(move || {
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
    });
    let run = sandbox.run(&format!("replay r.jsonl ws://{address}/prod --update"));
    drop(TcpStream::connect(address));
    assert_snapshot!(run, @"
    exit 2
    --- stdout
    connection 1
      - open      401
      + open      403

    r.jsonl: 1 of 1 connection is not as recorded
    --- stderr
    error: cannot write r.jsonl: is a directory
    help: check that you may write to the folder, or name another with `--out`
    ");
    server.join().unwrap();
}

#[test]
fn dev_records_what_clients_see() {
    let sandbox = Sandbox::new();
    let path = sandbox.path().join("recorded.jsonl");
    let mut dev = Dev::start(&["--record", path.to_str().unwrap()]);
    dev.answers(r#"{"action":"a"}"#, r#"{"action":"a"}"#);
    let url = format!("{}?token=a-secret-of-1-caller", dev.url());
    dev.answers_at(&url, "hello", "hello");
    let unknown = dev.url().replace("/prod", "/nope");
    assert_eq!(
        sandbox
            .run(&format!("probe {unknown} --expect-status 403"))
            .code,
        Some(0)
    );
    dev.interrupt();
    assert_eq!(dev.ended(), Some(0));
    let recorded = sandbox.read("recorded.jsonl");
    with_settings!({filters => vec![(r#""at":[0-9.]+"#, r#""at":0"#)]}, {
        assert_snapshot!(recorded, @r#"
        {"recording":1}
        {"at":0,"connection":1,"open":{"status":101}}
        {"at":0,"connection":1,"send":{"action":"a"}}
        {"at":0,"connection":1,"receive":{"action":"a"}}
        {"at":0,"connection":1,"close":{"by":"client","code":1000}}
        {"at":0,"connection":2,"open":{"caller":"caller","query":{"token":"<token>"},"status":101}}
        {"at":0,"connection":2,"send":"hello"}
        {"at":0,"connection":2,"receive":"hello"}
        {"at":0,"connection":2,"close":{"by":"client","code":1000}}
        {"at":0,"connection":3,"open":{"stage":"nope","status":403}}
        "#);
    });
    // The local gateway creates a token for the caller.
    let sandbox = project(&recorded);
    let run = replay(&sandbox, "");
    assert_eq!(run.code, Some(0), "{run}");
}

#[test]
fn probe_records_its_connection() {
    let dev = Dev::start(&[]);
    let sandbox = &dev.sandbox;
    let probe = |more: &str| {
        let line = format!("probe --local --send hello --token s3cret-token --record {more}");
        sandbox.run(&line)
    };
    let run = probe("p.jsonl");
    assert_eq!(run.code, Some(0), "{run}");
    assert!(run.stderr.contains("recorded p.jsonl"), "{run}");
    with_settings!({filters => vec![(r#""at":[0-9.]+"#, r#""at":0"#)]}, {
        assert_snapshot!(sandbox.read("p.jsonl"), @r#"
        {"recording":1}
        {"at":0,"connection":1,"open":{"caller":"caller","query":{"token":"<token>"},"status":101}}
        {"at":0,"connection":1,"send":"hello"}
        {"at":0,"connection":1,"receive":"hello"}
        {"at":0,"connection":1,"close":{"by":"client","code":1000}}
        "#);
    });
    assert_eq!(sandbox.run("replay p.jsonl --local").code, Some(0));
    let named = sandbox.run("replay p.jsonl --local --stage-name prod");
    assert_eq!(named.code, Some(0), "{named}");
    assert_snapshot!(sandbox.run("replay p.jsonl --local --api other"), @r#"
    exit 2
    --- stderr
    error: the local gateway has no API "other"
    help: it has: echo-api-dev
    "#);
    assert_snapshot!(sandbox.run("replay p.jsonl --local --stage-name other"), @"
    exit 2
    --- stderr
    error: no stage of echo-api-dev is selected
    help: name one with `--stage-name`: prod
    ");
    // What flags select replaces the recorded API.
    let other = sandbox
        .read("p.jsonl")
        .replace(r#""open":{"#, r#""open":{"api":"other","#);
    sandbox.write("other.jsonl", other);
    assert_snapshot!(sandbox.run("replay other.jsonl --local"), @r#"
    exit 2
    --- stderr
    error: the local gateway has no API "other"
    help: write one of them as `api` into `open`: echo-api-dev
    "#);
    let named = sandbox.run("replay other.jsonl --local --stage-name prod");
    assert_eq!(named.code, Some(0), "{named}");
    // A file that cannot be written does not cost the result.
    let run = probe("/proc/none/p.jsonl --json");
    assert_eq!(run.code, Some(2), "{run}");
    for part in [r#""passed": true"#, "cannot write /proc/none/p.jsonl"] {
        assert!(run.stdout.contains(part), "{run}");
    }
    // An older recording is replaced, and no other file.
    assert_eq!(probe("p.jsonl").code, Some(0));
    assert_snapshot!(probe("stackgen.yaml").stderr, @"
    error: stackgen.yaml exists and is not a recording; it was not replaced
    help: name another file, or move it away
    ");
}

#[test]
fn bad_recordings_and_missing_callers_are_explained() {
    let sandbox =
        project("{\"recording\":1}\nnonsense\n{\"at\":0,\"connection\":1,\"send\":\"a\"}\n");
    assert_snapshot!(replay(&sandbox, ""), @"
    exit 2
    --- stderr
    error: r.jsonl:2: this is not JSON: expected ident
    error: r.jsonl:3: connection 1 was not opened before
    ");
    assert_snapshot!(sandbox.run("replay none.jsonl"), @"
    exit 2
    --- stderr
    error: there is no none.jsonl
    help: record one with `stackgen dev --record FILE` or `stackgen probe --record FILE`
    ");
    assert_snapshot!(sandbox.run("replay stackgen.yaml"), @r#"
    exit 2
    --- stderr
    error: stackgen.yaml:1: this is not a recording: its first line must be {"recording":1}
    "#);
    sandbox.write(
        "r.jsonl",
        r#"{"recording":1}
{"at":0,"connection":1,"open":{"caller":"ada","query":{"token":"<token>","key":"<secret-1>"},"status":101}}
"#,
    );
    assert_snapshot!(replay(&sandbox, ""), @"
    exit 2
    --- stderr
    error: the recording needs the value of <secret-1>
    help: name the variable that holds it: `--secret secret-1=VAR`
    ");
    sandbox.write(
        "r.jsonl",
        sandbox.read("r.jsonl").replace("<secret-1>", "k"),
    );
    assert_snapshot!(replay(&sandbox, "ws://127.0.0.1:9/prod"), @r#"
    exit 2
    --- stderr
    error: the token of the caller "ada" is not given
    help: name the variable that holds it: `--caller ada=VAR`, or `--token-env VAR` for all callers
    "#);
    assert_snapshot!(replay(&sandbox, "ws://127.0.0.1:9/prod --token abcdefgh"), @"
    exit 1
    --- stdout
    connection 1 as ada
      - open      101  (127.0.0.1:9 refuses connections)

    r.jsonl: 1 of 1 connection is not as recorded
    ");
    let empty = Sandbox::new();
    empty.write("r.jsonl", RECORDING);
    assert_snapshot!(replay(&empty, ""), @"
    exit 2
    --- stderr
    error: there is no stackgen.yaml to run, and no target is given
    help: name the project with `--file`, or give a URL, `--local` or `--env`
    ");
}

/// Builds the functions of the starters, and copies them to where a project's cargo would write them.
fn place_functions(sandbox: &Sandbox, starter: &str) {
    let _building = building();
    let spec = sandbox.read("stackgen.yaml");
    let binaries = spec
        .lines()
        .filter_map(|line| line.trim().strip_prefix("binary: "));
    let debug = sandbox.path().join("target/debug");
    fs::create_dir_all(&debug).unwrap();
    for binary in binaries {
        let status = Command::new(env!("CARGO"))
            .args([
                "build",
                "--offline",
                "--quiet",
                "--workspace",
                "--bin",
                binary,
            ])
            .current_dir(root())
            .env("CARGO_TARGET_DIR", target())
            .status()
            .unwrap();
        assert!(status.success(), "{starter}: {binary}");
        fs::copy(target().join("debug").join(binary), debug.join(binary)).unwrap();
    }
}

#[test]
fn make_test_of_every_starter_plays_a_recording_that_is_true() {
    for starter in ["echo", "chat", "live-session"] {
        let sandbox = Sandbox::new();
        assert_eq!(sandbox.run(&format!("init {starter}")).code, Some(0));
        place_functions(&sandbox, starter);
        let makefile = sandbox.read("Makefile");
        let replay = makefile
            .lines()
            .find_map(|line| line.strip_prefix("\t$(STACKGEN) "));
        let run = sandbox.run(&format!("{} --no-build", replay.unwrap()));
        assert_eq!(run.code, Some(0), "{starter}: {run}");
        assert!(run.stdout.contains("as recorded"), "{starter}: {run}");
    }
}

#[test]
fn a_late_message_is_waited_for_while_recorded_ones_arrive() {
    let Some(server) = crate::ws_server::WsServer::start() else {
        return;
    };
    let sandbox = Sandbox::new();
    sandbox.write(
        "r.jsonl",
        r#"{"recording":1}
{"at":0.0,"connection":1,"open":{"status":101}}
{"at":0.0,"connection":1,"send":"later 1500 slow"}
{"at":0.0,"connection":1,"send":"quick"}
{"at":0.1,"connection":1,"receive":"slow"}
{"at":0.1,"connection":1,"receive":"quick"}
"#,
    );
    let run = sandbox.run(&format!("replay r.jsonl {} --any-order", server.url()));
    assert_snapshot!(run, @"
    exit 0
    --- stdout
    r.jsonl: as recorded, 1 connection, 5 events
    ");
}

#[test]
fn a_recording_is_played_against_a_server_that_is_not_ours() {
    let Some(server) = crate::ws_server::WsServer::start() else {
        return;
    };
    let sandbox = Sandbox::new();
    sandbox.write(
        "r.jsonl",
        r#"{"recording":1}
{"at":0.0,"connection":1,"open":{"query":{"token":"<invalid-token>"},"status":401}}
{"at":0.0,"connection":2,"open":{"caller":"ada","query":{"token":"<token>"},"subprotocols":["chat"],"status":101,"subprotocol":"chat"}}
{"at":0.0,"connection":2,"send":"who am I?"}
{"at":0.0,"connection":2,"receive":{"id":"<id-1>","at":"<time>"}}
{"at":0.1,"connection":2,"send":{"to":"<id-1>"}}
{"at":0.1,"connection":2,"receive":{"to":"<id-1>"}}
{"at":0.1,"connection":2,"send":"close 4001"}
{"at":0.1,"connection":2,"close":{"by":"server","code":4001,"reason":"as you said"}}
"#,
    );
    let line = format!("replay r.jsonl {} --token valid-token", server.url());
    assert_snapshot!(sandbox.run(&line), @"
    exit 0
    --- stdout
    r.jsonl: as recorded, 2 connections, 8 events
    ");
    sandbox.write("r.jsonl", sandbox.read("r.jsonl").replace("4001,", "4002,"));
    assert_snapshot!(sandbox.run(&line), @r#"
    exit 3
    --- stdout
    connection 2 as ada
        open      101, subprotocol chat
        send      who am I?
        receive   {"id":"<id-1>","at":"<time>"}
        send      {"to":"<id-1>"}
        receive   {"to":"<id-1>"}
        send      close 4001
      - close     by the server with 4002 as you said
      + close     by the server with 4001 as you said

    r.jsonl: 1 of 2 connections is not as recorded
    "#);
}
