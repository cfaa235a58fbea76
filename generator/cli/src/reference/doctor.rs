//! `docs/reference/doctor.md`: the checks of `stackgen doctor`, and the faults that they are tested with.

use std::fmt::Write;

use serde::Deserialize;
use stackgen_diagnose::doctor::{FAMILIES, LIVE_RULES, SYMPTOMS, find};
use stackgen_lint::registry;

/// Faults that the tests inject, and the findings that they expect.
const FAULTS: &str = include_str!("../../tests/doctor/faults.json");

#[derive(Debug, Deserialize)]
struct FaultTable {
    faults: Vec<Fault>,
    history: Vec<HistoricFault>,
}

#[derive(Debug, Deserialize)]
struct Fault {
    fault: String,
    local: Option<Vec<String>>,
    emulator: Option<Vec<String>>,
    pinned: Option<Vec<String>>,
    /// Answer of AWS that a test puts in place of the emulator's.
    replay: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct HistoricFault {
    number: usize,
    fault: String,
    lint: Vec<String>,
    tests: Vec<String>,
    doctor: Vec<String>,
}

fn faults() -> FaultTable {
    serde_json::from_str(FAULTS).unwrap()
}

/// Returns the page.
pub(super) fn page() -> String {
    let mut text = String::from(
        "# Checks of `stackgen doctor`\n\n\
         Generated from the checks by `make docs`; do not edit. [Why did my socket close?](../guide/why-did-my-socket-close.md) explains \
         how to use the command.\n\n\
         A problem or a warning makes the exit code 3; a note does not. The last column has rows of the \
         [API Gateway reference](api-gateway-websocket.md).\n",
    );
    for family in FAMILIES {
        let _ = write!(
            text,
            "\n## {}xx: {}\n\n| Check | Severity | Finds | Looks at | Rows |\n|---|---|---|---|---|\n",
            family.prefix, family.title
        );
        for check in family.checks {
            let id = check.id;
            let _ = writeln!(
                text,
                "| <a id=\"{}\"></a>{id} | {} | {} | {} | {} |",
                id.to_ascii_lowercase(),
                check.severity.name(),
                check.title,
                check.looks_at,
                rows(check.rows)
            );
        }
    }
    rules(&mut text);
    symptoms(&mut text);
    injected(&mut text);
    history(&mut text);
    text
}

fn rows(rows: &[&str]) -> String {
    let rows = rows.iter().map(|row| {
        let anchor = row.to_ascii_lowercase();
        format!("[{row}](api-gateway-websocket.md#{anchor})")
    });
    rows.collect::<Vec<_>>().join(", ")
}

fn rules(text: &mut String) {
    text.push_str(
        "\n## Rules of the linter in an account\n\nDR101 reads the account into the model and applies these rules. A finding has the ID of \
         its rule.\n\n| Rule | What is wrong |\n|---|---|\n",
    );
    for id in LIVE_RULES {
        let rule = registry::find(id).unwrap();
        let _ = writeln!(
            text,
            "| [{id}](../rules/{id}-{}.md) | {} |",
            rule.name,
            rule.title()
        );
    }
}

fn symptoms(text: &mut String) {
    text.push_str(
        "\n## Symptoms\n\n`--symptom` takes a code, a status or a line of a log, and runs only the checks that can tell its cause.\n\n\
         | Symptom | Meaning | Rows | Checks |\n|---|---|---|---|\n",
    );
    for symptom in &SYMPTOMS {
        let checks: Vec<_> = symptom.checks.iter().map(|id| link(id)).collect();
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} |",
            symptom.name,
            symptom.meaning,
            rows(symptom.rows),
            checks.join(", ")
        );
    }
}

fn link(id: &str) -> String {
    match id.starts_with("SG") {
        true => format!(
            "[{id}](../rules/{id}-{}.md)",
            registry::find(id).unwrap().name
        ),
        false => format!("[{id}](#{})", id.to_ascii_lowercase()),
    }
}

fn links(ids: &[String]) -> String {
    ids.iter().map(|id| link(id)).collect::<Vec<_>>().join(", ")
}

fn injected(text: &mut String) {
    text.push_str(
        "\n## Faults that the tests inject\n\nThe tests break a running stack, one fault at a time, and expect exactly these findings; on the \
         healthy stack there are none. The columns are `stackgen dev`, an emulator of AWS, and the emulator with `release: pinned`. On the \
         emulator a changed route is live at once and belongs to a stack, so the same fault can show more or less there. \
         A fault that neither of them has is replayed: a proxy gives the answer that AWS gives.\n\n\
         | Fault | `--local` | Emulator | Pinned |\n|---|---|---|---|\n",
    );
    for fault in faults().faults {
        let cell = |ids: &Option<Vec<String>>| {
            ids.as_ref()
                .map_or("not injected".to_owned(), |ids| links(ids))
        };
        let replayed = match fault.replay {
            Some(_) => " (replayed)",
            None => "",
        };
        let _ = writeln!(
            text,
            "| {}{replayed} | {} | {} | {} |",
            fault.fault,
            cell(&fault.local),
            cell(&fault.emulator),
            cell(&fault.pinned)
        );
    }
}

fn history(text: &mut String) {
    text.push_str(
        "\n## Sixteen faults of a real stack\n\nThe mistakes that a stack like the starter `live-session` was built with, and what finds each \
         today: the linter before a deploy, a test of the starter's functions, or `doctor` in an account.\n\n\
         | | Fault | Lint | Tests | Doctor |\n|---|---|---|---|---|\n",
    );
    for one in faults().history {
        let tests: Vec<_> = one.tests.iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            one.number,
            one.fault,
            links(&one.lint),
            tests.join(", "),
            links(&one.doctor)
        );
    }
}

#[test]
fn every_check_of_a_fault_exists() {
    let table = faults();
    let of_faults = table
        .faults
        .iter()
        .flat_map(|one| [&one.local, &one.emulator, &one.pinned]);
    let of_faults = of_faults.flatten().flatten();
    let of_history = table
        .history
        .iter()
        .flat_map(|one| one.lint.iter().chain(&one.doctor));
    for id in of_faults.chain(of_history) {
        assert!(find(id).is_some() || registry::find(id).is_some(), "{id}");
    }
    for one in &table.history {
        let is_caught = !one.lint.is_empty() || !one.tests.is_empty() || !one.doctor.is_empty();
        assert!(is_caught, "{}", one.fault);
    }
    assert_eq!(table.history.len(), 16);
}

#[test]
fn every_test_that_catches_a_fault_exists() {
    let root = super::root();
    let mut sources = String::new();
    for folder in ["handlers", "templates", "generator/cli/tests"] {
        for entry in walkdir::WalkDir::new(root.join(folder))
            .into_iter()
            .flatten()
        {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    for name in faults().history.iter().flat_map(|one| &one.tests) {
        assert!(sources.contains(&format!("fn {name}(")), "no test {name}");
    }
}
