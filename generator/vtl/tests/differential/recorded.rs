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

use stackgen_vtl::UnresolvedReferences;

use crate::generate::variables;
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
    let mut files: Vec<_> = entries.map(|entry| entry.expect("it is readable").path()).collect();
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
            case: Case { template, variables: variables(), unresolved },
            expected: expected.map(|output| output.replace("␍", "\r")),
        }
    });
    let mut cases: Vec<_> = cases.collect();
    if let Some(last) = cases.last_mut() {
        last.expected = last.expected.take().map(|output| {
            output.strip_suffix('\n').map(str::to_owned).unwrap_or(output)
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
