//! Every connection's life, from a hundred thousand events of five groups.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::LoggedApi;

/// Lines of each group, by connection.
type LineCounts = BTreeMap<String, BTreeMap<String, u64>>;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[test]
fn every_connections_life_is_complete_among_100_000_events_that_arrive_out_of_order() {
    let Some(logged) = LoggedApi::create() else {
        return;
    };
    let truth = logged.emulator.logs(&["fill", &logged.api], "");
    let truth: Value = serde_json::from_str(&truth).unwrap();
    let expected = truth["connections"].as_object().unwrap();
    assert_eq!(truth["events"], 100_000);
    assert_eq!(expected.len(), 1001);

    let report = logged.run("--since 2h --connections --json");
    assert_eq!(report.code, Some(0), "{}", report.stderr);
    let report = report.json();
    let connections = report["connections"].as_array().unwrap();
    assert_eq!(connections.len(), expected.len());
    for found in connections {
        assert_life(found, expected);
    }
    assert!(
        report["sources"]
            .as_array()
            .unwrap()
            .iter()
            .all(|source| source["linesWithoutConnection"] == 0)
    );

    assert_lines(&logged, expected);
}

/// Asserts that a connection is as the truth has it.
fn assert_life(found: &Value, expected: &Map<String, Value>) {
    let id = text(&found["connectionId"]);
    let wanted = &expected[&id];
    let messages = found["messages"].as_array().unwrap();
    let failed = messages.iter().filter(|message| message["status"] == 500);
    let is_timeout = |message: &&Value| message["functionFailed"] == true;
    let timeouts = messages.iter().filter(is_timeout).count();
    let found_facts = serde_json::json!({
        "status": found["handshake"]["status"],
        "messages": messages.len(),
        "failed": failed.count(),
        "code": found["close"]["code"],
        "user": found["user"],
    });
    for (name, value) in found_facts.as_object().unwrap() {
        assert_eq!(*value, wanted[name], "{name} of {id}: {found:#}");
    }
    assert_eq!(timeouts as u64, wanted["failed"].as_u64().unwrap(), "{id}");
    let problem = text(&found["problems"][0]["summary"]);
    // A tenth of the connections is still open.
    let is_open = wanted["code"].is_null() && wanted["fate"] == "too-large";
    let expected = match is_open {
        true => "",
        false => problem_of(&text(&wanted["fate"])),
    };
    assert_eq!(expected, without_numbers(&problem), "{id}: {found:#}");
}

/// Asserts that every line is there once, in order, and belongs to its connection.
fn assert_lines(logged: &LoggedApi, expected: &Map<String, Value>) {
    let lines = logged.run("--since 2h --json");
    assert_eq!(lines.code, Some(0), "{}", lines.stderr);
    let (mut counts, mut last, mut total) = (LineCounts::new(), String::new(), 0);
    for line in lines.stdout.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let (id, group, time) = (
            text(&line["connectionId"]),
            text(&line["group"]),
            text(&line["time"]),
        );
        assert!(time >= last, "{time} after {last}");
        last = time;
        total += 1;
        *counts.entry(id).or_default().entry(group).or_default() += 1;
    }
    assert_eq!(total, 100_000);
    for (id, wanted) in expected {
        let wanted: BTreeMap<String, u64> =
            serde_json::from_value(wanted["lines"].clone()).unwrap();
        assert_eq!(counts[id], wanted, "{id}");
    }
}

/// Returns the worst problem that a fate leads to.
fn problem_of(fate: &str) -> &'static str {
    match fate {
        "healthy" => "",
        "no-token" | "bad-token" => "refused 401 Unauthorized",
        "no-session" => "refused 404",
        "crash" => "refused 502 Internal server error",
        "bare-close" => "closed with 1005",
        "failing" => "say 500 Internal server error",
        "too-large" => "closed with 1009",
        other => panic!("unknown fate {other}"),
    }
}

/// Removes the age of a connection and the number of equal failures.
fn without_numbers(problem: &str) -> &str {
    let problem = problem.split(" after ").next().unwrap_or_default();
    problem.split(" ×").next().unwrap_or_default()
}
