//! Cases with recorded outputs of Velocity.
//!
//! A file has cases such as
//!
//! ```text
//! ==== a_name
//! #if($t)yes#end
//! ---- ok
//! yes
//! ```
//!
//! The line breaks before the lines with marks do not count. In a case whose name ends in `(empty)`, references without a value
//! are empty; in the others they render as they stand.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stackgen_vtl::UnresolvedReferences;

use crate::generate::{self, variables};
use crate::velocity::{Case, Outcome};

/// Case with the outcome that Velocity had.
pub(crate) struct RecordedCase {
    pub(crate) name: String,
    pub(crate) case: Case,
    /// Output, or nothing for an error.
    pub(crate) expected: Option<String>,
}

/// Returns the files with cases.
pub(crate) fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/velocity/cases");
    let entries = fs::read_dir(folder).expect("the folder exists");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("it is readable").path())
        .collect();
    files.sort();
    files
}

/// Reads a file. A case without a recorded outcome expects an empty output.
pub(crate) fn read(file: &Path) -> Vec<RecordedCase> {
    let text = fs::read_to_string(file).expect("it is readable");
    let cases = text.strip_prefix("==== ").expect("it starts with a case");
    let cases = cases.split("\n==== ").map(|case| {
        let (name, rest) = case.split_once('\n').expect("a template follows the name");
        let (template, expected) = match rest.split_once("\n---- ok\n") {
            Some((template, output)) => (template, Some(output.to_owned())),
            None => (rest.split("\n---- error").next().unwrap_or_default(), None),
        };
        let unresolved = match name.ends_with("(empty)") {
            true => UnresolvedReferences::Empty,
            false => UnresolvedReferences::Source,
        };
        let template = template.replace("␍", "\r");
        RecordedCase {
            name: name.to_owned(),
            case: Case {
                template,
                variables: variables(),
                unresolved,
            },
            expected: expected.map(|output| output.replace("␍", "\r")),
        }
    });
    let mut cases: Vec<_> = cases.collect();
    if let Some(last) = cases.last_mut() {
        last.expected = last.expected.take().map(|output| {
            output
                .strip_suffix('\n')
                .map(str::to_owned)
                .unwrap_or(output)
        });
    }
    cases
}

/// Writes cases with their outcomes.
pub(crate) fn write(file: &Path, cases: &[(RecordedCase, Outcome)]) {
    let mut text = String::new();
    for (case, outcome) in cases {
        let template = &case.case.template;
        text += &format!("==== {}\n{template}\n", case.name);
        text += &match outcome {
            Ok(output) => format!("---- ok\n{output}\n"),
            Err(_) => "---- error\n".to_owned(),
        };
    }
    fs::write(file, text.replace('\r', "␍")).expect("it is writable");
}

/// Number of recorded random templates, and the bytes that one may have.
const RANDOM_CASES: usize = 1_500;
const RANDOM_BYTES: usize = 160;

fn random_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/velocity/random.jsonl")
}

/// Reads the random templates with their outcomes.
pub(crate) fn random() -> Vec<RecordedCase> {
    let text = fs::read_to_string(random_file()).expect("it is readable");
    let cases = text.lines().map(|line| {
        let line: Value = serde_json::from_str(line).expect("it is JSON");
        let unresolved = match line["empty"].as_bool() {
            Some(true) => UnresolvedReferences::Empty,
            _ => UnresolvedReferences::Source,
        };
        let template = line["template"].as_str().expect("it is text").to_owned();
        RecordedCase {
            name: String::new(),
            case: Case {
                template,
                variables: variables(),
                unresolved,
            },
            expected: line["output"].as_str().map(str::to_owned),
        }
    });
    cases.collect()
}

/// Writes random templates with their outcomes.
pub(crate) fn write_random(mut render: impl FnMut(&Case) -> Outcome) {
    let cases = (1..)
        .map(generate::case)
        .filter(|case| case.template.len() <= RANDOM_BYTES);
    let lines = cases.take(RANDOM_CASES).map(|case| {
        let empty = case.unresolved == UnresolvedReferences::Empty;
        let line = json!({"template": case.template, "empty": empty, "output": render(&case).ok()});
        format!("{line}\n")
    });
    fs::write(random_file(), lines.collect::<String>()).expect("it is writable");
}
