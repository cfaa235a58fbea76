//! The Autobahn test cases, a third-party WebSocket protocol suite, run against the gateway's sockets.
//!
//! The cases expect an echo server, so the function returns every message. API Gateway differs from an echo server in
//! some cases, and so does the gateway. The verdicts are in `docs/reference/autobahn.md`.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use tokio::process::Command;

use crate::support::{RunningGateway, program, root, run};

const PAGE: &str = "docs/reference/autobahn.md";

#[tokio::test]
async fn the_verdicts_of_the_autobahn_cases_match_the_docs() {
    let path = root().join(".tools/venv/bin/kosoku");
    let Some(kosoku) = program("kosoku, which runs the Autobahn cases,", &[path]) else {
        return;
    };
    let running = RunningGateway::start().await;
    let reports = tempfile::tempdir().unwrap();
    let output = run(Command::new(kosoku)
        .args(["--mode", "fuzzingclient", "--parallelism", "4"])
        // Left out: compression, which API Gateway does not negotiate, and measurements of sizes and counts.
        .args(["--exclude", "9.*", "--exclude", "12.*", "--exclude", "13.*"])
        .arg("--outdir")
        .arg(reports.path())
        .arg(running.url()))
    .await;
    running.gateway.shutdown().await;
    let index = find(reports.path(), "index.json")
        .unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let page = page(&serde_json::from_slice(&std::fs::read(index).unwrap()).unwrap());

    let path = root().join(PAGE);
    if std::env::var_os("STACKGEN_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    assert_eq!(
        page,
        std::fs::read_to_string(&path).unwrap_or_default(),
        "{PAGE} is stale: run `make docs`"
    );
}

fn find(folder: &Path, name: &str) -> Option<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    let paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths
        .iter()
        .find(|path| path.file_name().is_some_and(|file| file == name))
        .cloned()
        .or_else(|| {
            paths
                .iter()
                .filter(|path| path.is_dir())
                .find_map(|path| find(path, name))
        })
}

/// Renders the results by group. Cases that differ are listed with the row of the reference.
///
/// # Panics
///
/// If a case fails for a reason that is not in the reference.
fn page(index: &Value) -> String {
    let cases = index.as_object().and_then(|agents| agents.values().next());
    let cases = cases
        .and_then(Value::as_object)
        .expect("one server was tested");
    let mut groups: BTreeMap<u32, CaseGroup> = BTreeMap::new();
    for (id, case) in cases {
        let number = id.split('.').next().and_then(|number| number.parse().ok());
        let group = groups.entry(number.unwrap_or_default()).or_default();
        match verdict(id, case) {
            None => group.passed += 1,
            Some(row) => group.differ.entry(row).or_default().push(id.clone()),
        }
    }
    let mut page = HEAD.to_owned();
    for (number, group) in groups {
        let differ: Vec<String> = group
            .differ
            .into_iter()
            .map(|(row, ids)| reported(row, ids))
            .collect();
        let title = TITLES
            .iter()
            .find(|(of, _)| *of == number)
            .map_or("", |(_, title)| title);
        page += &format!(
            "| {number} {title} | {} | {} |\n",
            group.passed,
            differ.join("; ")
        );
    }
    page
}

#[derive(Default)]
struct CaseGroup {
    passed: usize,
    /// IDs of the cases that differ, by row of the reference.
    differ: BTreeMap<&'static str, Vec<String>>,
}

/// Returns the row of the reference that explains a failed case; `None` if the case passed.
fn verdict(id: &str, case: &Value) -> Option<&'static str> {
    let passes = |verdict: &Value| {
        matches!(
            verdict.as_str(),
            Some("OK" | "NON-STRICT" | "INFORMATIONAL")
        )
    };
    match case["remoteCloseCode"].as_u64() {
        _ if passes(&case["behavior"]) && passes(&case["behaviorClose"]) => None,
        Some(1003) => Some("M10"),
        Some(1009) => Some("M11"),
        _ => panic!("case {id} fails, and no row of the reference explains it: {case:#}"),
    }
}

fn reported(row: &str, mut ids: Vec<String>) -> String {
    ids.sort_by_key(|id| {
        id.split('.')
            .map(|part| part.parse().unwrap_or(0))
            .collect::<Vec<u32>>()
    });
    let why = match row {
        "M10" => "binary messages are refused with 1003",
        _ => "frames over 32 KB are refused with 1009",
    };
    let ids = ids.join(", ");
    let link = row.to_lowercase();
    format!("{ids}: {why} ([{row}](api-gateway-websocket.md#{link}))")
}

const TITLES: [(u32, &str); 8] = [
    (1, "framing"),
    (2, "pings and pongs"),
    (3, "reserved bits"),
    (4, "opcodes"),
    (5, "fragmentation"),
    (6, "UTF-8"),
    (7, "closing"),
    (10, "auto-fragmentation"),
];

const HEAD: &str = "# The Autobahn cases

Results of the WebSocket protocol suite that most servers are tested with, for the local gateway's sockets.
[kosoku](https://pypi.org/project/kosoku/) runs the cases against a stage whose function returns every message. A test of
`generator/gateway` writes this page, and fails if the page is stale.

The cases expect an echo server. API Gateway differs from one in two ways, and so does the gateway. Those cases are listed with
the row of the reference. Not run: group 9 (sizes and times) and groups 12 and 13 (compression, which API Gateway does not
negotiate).

| Cases | Pass | Differ as API Gateway does |
|---|---:|---|
";
