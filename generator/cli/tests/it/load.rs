//! `stackgen load`.

use std::collections::BTreeSet;
use std::process::Stdio;

use insta::{assert_snapshot, with_settings};
use serde_json::Value;

use crate::common::{Run, Sandbox};
use crate::running::{Dev, interrupt};
use crate::ws_server::WsServer;

fn load(sandbox: &Sandbox, line: &str) -> Run {
    sandbox.run(&format!("load {line}"))
}

/// Returns a run whose figures are replaced, because they differ from run to run.
fn without_figures(run: &Run) -> String {
    let mut text = String::new();
    for line in run
        .to_string()
        .lines()
        .filter(|line| !line.contains("  up to "))
    {
        text.push_str(line);
        text.push('\n');
    }
    text
}

const FIGURES: [(&str, &str); 4] = [
    (r"[0-9.]+ (ms|s)\b", "[time]"),
    (r"[0-9,]+ a second", "[rate] a second"),
    (r"[0-9,]+ (sent|answered|lost)", "[n] $1"),
    (r"127\.0\.0\.1:[0-9]+", "[address]"),
];

#[test]
fn numbered_messages_to_an_echo_are_measured_and_none_is_lost() {
    let dev = Dev::start(&["--messages-at-a-time", "1"]);
    let line = r#"--local --connections 4 --listeners 1 --ramp 100 --duration 2500ms --think 0s --send {"n":<number>} --html load.html --json-file load.json"#;
    let run = load(&dev.sandbox, line);
    with_settings!({filters => FIGURES.to_vec()}, {
        assert_snapshot!(without_figures(&run), @r#"
        exit 0
        --- stdout
        Connections
          8 of 8 opened within [time], [rate] a second; at most 8 at a time
          handshake: p50 [time], p90 [time], p99 [time], max [time]

        Messages
          [n] sent in [time], [rate] a second
          {"n":<number>}: [n] sent, [n] answered; p50 [time], p90 [time], p99 [time], max [time]

        From a message to its answer
          p50 [time], p90 [time], p99 [time], max [time]
        --- stderr
        8 connections, [rate] a second, then [time]; Ctrl-C ends the load with a report
        wrote load.html
        wrote load.json
        "#);
    });
    let report: Value = serde_json::from_str(&dev.sandbox.read("load.json")).unwrap();
    let message = &report["messages"][0];
    assert_eq!(
        (report["opened"].as_u64(), report["clean"].as_bool()),
        (Some(8), Some(true))
    );
    assert_eq!(
        (message["lost"].as_u64(), message["reordered"].as_u64()),
        (Some(0), Some(0))
    );
    assert_eq!(message["sent"], message["answered"]);
    let counted = report["histogram"].as_array().unwrap().iter();
    let counted: u64 = counted
        .map(|bucket| bucket["count"].as_u64().unwrap())
        .sum();
    assert_eq!(message["answered"], counted);
    let page = dev.sandbox.read("load.html");
    assert!(
        page.contains("<polyline") && page.contains("{&quot;n&quot;:&lt;number&gt;}"),
        "{page}"
    );
    for foreign in ["<script", "http://", "https://", "src="] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}

/// Runs a short load of a server that is not ours; `None` skips the test.
fn load_of_ws(sandbox: &Sandbox, more: &str) -> Option<Run> {
    let server = WsServer::start()?;
    let line = format!(
        "{} --ramp 100 --duration 500ms --timeout 300ms --think 100ms {more}",
        server.url()
    );
    Some(load(sandbox, &line))
}

#[test]
fn callers_take_turns_and_refusals_are_counted_by_status() {
    let sandbox = Sandbox::new();
    // The server knows the token of the first two callers only.
    sandbox.write("tokens", "valid-token\nvalid-token\nother-token\n");
    let more = "--connections 6 --tokens tokens --send silence --send 9=echo-<number>";
    let Some(run) = load_of_ws(&sandbox, more) else {
        return;
    };
    let text = without_figures(&run);
    assert!(text.contains("2 handshakes refused with 401"), "{text}");
    assert!(text.contains("4 of 6 opened"), "{text}");
    assert_eq!(run.code, Some(3), "{text}");
}

#[test]
fn messages_without_answers_are_lost_unless_none_is_expected() {
    let sandbox = Sandbox::new();
    let Some(silent) = load_of_ws(&sandbox, "--connections 3 --send silence") else {
        return;
    };
    with_settings!({filters => FIGURES.to_vec()}, {
        assert_snapshot!(without_figures(&silent), @"
        exit 3
        --- stdout
        Connections
          3 of 3 opened within [time], [rate] a second; at most 3 at a time
          handshake: p50 [time], p90 [time], p99 [time], max [time]

        Messages
          [n] sent in [time], [rate] a second
          silence: [n] sent, [n] answered, [n] lost
          Order is unknown for silence: the messages have no number, so each answer counts for the oldest
          one that waits. Write <number> where the server returns it.
          Nothing answered silence: the route may be one-way (row M7), or the answer does not contain the
          number. `--no-answer` counts no message as lost.
        --- stderr
        3 connections, [rate] a second, then [time]; Ctrl-C ends the load with a report
        look up a row: stackgen explain M7
        ");
    });
    let expected = load_of_ws(&sandbox, "--connections 3 --send silence --no-answer").unwrap();
    with_settings!({filters => FIGURES.to_vec()}, {
        assert_snapshot!(without_figures(&expected), @"
        exit 0
        --- stdout
        Connections
          3 of 3 opened within [time], [rate] a second; at most 3 at a time
          handshake: p50 [time], p90 [time], p99 [time], max [time]

        Messages
          [n] sent in [time], [rate] a second
          silence: [n] sent
          Without answers, it is unknown whether messages were lost or reordered.
        --- stderr
        3 connections, [rate] a second, then [time]; Ctrl-C ends the load with a report
        ");
    });
}

#[test]
fn closes_of_the_server_are_counted_by_code_and_explained() {
    let sandbox = Sandbox::new();
    sandbox.write("close", "close 1011\n");
    let Some(run) = load_of_ws(&sandbox, "--connections 3 --send @close") else {
        return;
    };
    with_settings!({filters => FIGURES.to_vec()}, {
        assert_snapshot!(without_figures(&run), @"
        exit 3
        --- stdout
        Connections
          3 of 3 opened within [time], [rate] a second; at most 3 at a time
          handshake: p50 [time], p90 [time], p99 [time], max [time]

        Refusals and closes
          3 connections closed by the server with 1011 as you said
              possible (row X4): The server failed. The Developer Guide lists this code for an error inside
              API Gateway.
              next: If it happens again, check the proxies in between, and note the connectionId and the
                    time for AWS support.

        Messages
          [n] sent in [time], [rate] a second
          close: [n] sent, [n] answered, [n] lost
          Order is unknown for close: the messages have no number, so each answer counts for the oldest one
          that waits. Write <number> where the server returns it.
          Nothing answered close: the route may be one-way (row M7), or the answer does not contain the
          number. `--no-answer` counts no message as lost.
        --- stderr
        3 connections, [rate] a second, then [time]; Ctrl-C ends the load with a report
        look up a row: stackgen explain X4
        ");
    });
}

#[test]
fn a_load_without_a_server_fails() {
    let run = load(
        &Sandbox::new(),
        "ws://127.0.0.1:9/prod --connections 2 --duration 100ms --send a",
    );
    assert_eq!(run.code, Some(1), "{run}");
    let reason = "2 handshakes not answered: the server refuses connections";
    assert!(run.stdout.contains(reason), "{run}");
}

#[test]
fn a_file_that_cannot_be_written_does_not_cost_the_result() {
    let sandbox = Sandbox::new();
    sandbox.write("load.html/file", "");
    let run = load(
        &sandbox,
        "ws://127.0.0.1:9/prod --duration 100ms --send a --html load.html",
    );
    assert_eq!(run.code, Some(2), "{run}");
    let reason = "1 handshake not answered: the server refuses connections";
    assert!(run.stdout.contains(reason), "{run}");
    assert!(run.stderr.contains("load.html"), "{run}");
}

#[test]
fn an_account_is_asked_for_first_and_its_quota_of_connections_is_kept() {
    let sandbox = Sandbox::new();
    let url = "wss://abc123.execute-api.eu-west-1.amazonaws.com/prod";
    let run = |more: &str| load(&sandbox, &format!("{url} --ramp 900 --send a {more}"));
    assert_snapshot!(run("--connections 5000 --rate 2"), @"
    exit 2
    --- stderr
    note: the ramp is held to 500 connections a second, the account's default quota (row L6)
    help: `--over-quota` opens them faster
    error: 5,000 connections, about 399980 messages to abc123.execute-api.eu-west-1.amazonaws.com: about 0.40 USD for API Gateway alone, without free tiers
    help: this is not a local gateway: start the load with `--yes`
    look up a row: stackgen explain L6
    ");
    assert_snapshot!(run("--over-quota --think 0s"), @"
    exit 2
    --- stderr
    note: 900 connections a second exceed the account's default quota of 500 (row L6): API Gateway refuses the rest with 429
    error: 1 connection, about 600 messages to abc123.execute-api.eu-west-1.amazonaws.com, if answers take 50 ms: about 0.00 USD for API Gateway alone, without free tiers
    help: this is not a local gateway: start the load with `--yes`
    look up a row: stackgen explain L6
    ");
}

#[test]
fn the_load_of_stackgen_yaml_is_the_default() {
    let dev = Dev::start(&[]);
    let spec = dev.sandbox.read("stackgen.yaml");
    let load_spec =
        "\nload: { senders: 2, listeners: 3, rate: 40, size: 200, joinWithin: 100ms }\n";
    dev.sandbox.write("stackgen.yaml", spec + load_spec);
    let run = load(&dev.sandbox, "--local --duration 500ms --json");
    assert_eq!(run.code, Some(0), "{run}");
    let report = run.json();
    assert_eq!(
        (report["planned"].as_u64(), report["opened"].as_u64()),
        (Some(8), Some(8))
    );
    assert_eq!(report["messages"][0]["name"], "$default");
    assert!(
        report["messages"][0]["sent"].as_u64() > Some(10),
        "{report}"
    );
}

#[test]
fn the_load_of_stackgen_yaml_is_not_that_of_another_api() {
    let sandbox = Sandbox::starter("echo");
    let spec = sandbox.read("stackgen.yaml");
    sandbox.write("stackgen.yaml", spec + "\nload: { senders: 2 }\n");
    assert_snapshot!(load(&sandbox, "--api-id abc123 --yes"), @"
    exit 2
    --- stderr
    error: no message is given
    help: give one with `--send` or `--route`, or add `load` with a `route` to stackgen.yaml
    ");
}

#[test]
fn bad_loads_are_explained() {
    let sandbox = Sandbox::new();
    let run = |more: &str| load(&sandbox, &format!("ws://127.0.0.1:9/prod {more}"));
    assert_snapshot!(run(""), @"
    exit 2
    --- stderr
    error: no message is given
    help: give one with `--send` or `--route`, or add `load` with a `route` to stackgen.yaml
    ");
    assert_snapshot!(run("--send @none.json"), @"
    exit 2
    --- stderr
    error: cannot read none.json: no such file or directory
    ");
    assert_snapshot!(run("--send a --think 1s --rate 2"), @"
    exit 2
    --- stderr
    error: the argument '--think <DURATION>' cannot be used with '--rate <MESSAGES>'

    Usage: stackgen load --send <[WEIGHT=]TEXT|@FILE> --think <DURATION> <URL>

    For more information, try '--help'.
    ");
    assert_snapshot!(run("--send a --callers 3"), @"
    exit 2
    --- stderr
    error: `--callers` creates tokens of the local gateway
    help: use `--local`, or give tokens with `--tokens FILE`
    ");
    sandbox.write("tokens", "\n");
    assert_snapshot!(run("--send a --tokens tokens"), @"
    exit 2
    --- stderr
    error: cannot read tokens: it has no token
    ");
    let many = run("--send a --connections 4000000000");
    assert_eq!(many.code, Some(1), "{many}");
    // Without a hard limit, the system refuses the soft one.
    let hints = ["raise the hard limit", "raise it yourself"];
    assert!(
        hints.iter().any(|hint| many.stderr.contains(hint)),
        "{many}"
    );
}

#[test]
fn ctrl_c_ends_a_load_with_a_report() {
    let dev = Dev::start(&[]);
    let process = dev
        .sandbox
        .process()
        .args([
            "load",
            "--local",
            "--connections",
            "3",
            "--ramp",
            "100",
            "--duration",
            "10m",
        ])
        .args(["--think", "10ms", "--send", "<number>"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Until each connection has sent a message.
    let mut senders = BTreeSet::new();
    while senders.len() < 3 {
        senders.insert(dev.event("message")["connection"].to_string());
    }
    interrupt(&process);
    let run = Run::of(process.wait_with_output().unwrap());
    assert_eq!(run.code, Some(3), "{run}");
    assert!(run.stdout.contains("3 of 3 opened"), "{run}");
    assert!(run.stdout.contains("Stopped before the end."), "{run}");
    assert!(!run.stdout.contains("lost"), "{run}");
}
