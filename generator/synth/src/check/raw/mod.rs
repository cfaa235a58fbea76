//! Sections in CloudFormation's syntax. CloudFormation refuses the whole template if an entry is malformed.

mod entry;
mod wiring;

use stackgen_cfn::{Entry, Map, Node};

use crate::LocatedError;
use crate::outline::TemplateOutline;

/// Sections of stackgen.yaml in CloudFormation's syntax.
pub(super) const SECTIONS: [&str; 5] = [
    "parameters",
    "mappings",
    "conditions",
    "resources",
    "outputs",
];

/// Maximum length of a logical ID (a CloudFormation quota).
const MAX_LOGICAL_ID_LENGTH: usize = 255;

/// Checks the structure of all entries, and raw resources that are parts of the stack's APIs.
pub(super) fn check(document: &Node, outline: &TemplateOutline, errors: &mut Vec<LocatedError>) {
    for section in SECTIONS {
        let map = document.get(section).and_then(Node::as_map);
        for (id, entry) in map.into_iter().flat_map(Map::entries) {
            // `check::references` reports a function in place of an entry.
            if id.starts_with("Fn::") {
                continue;
            }
            errors.extend(logical_id(id, entry));
            entry::check(section, id, entry, errors);
        }
    }
    wiring::check(document, outline, errors);
}

fn logical_id(id: &str, entry: &Entry) -> Option<LocatedError> {
    let fits = !id.is_empty()
        && id.len() <= MAX_LOGICAL_ID_LENGTH
        && id.chars().all(|c| c.is_ascii_alphanumeric());
    (!fits).then(|| {
        LocatedError::new(entry.key_span, format!("`{id}` is not a valid logical ID")).hint(
            format!("use letters and digits only, at most {MAX_LOGICAL_ID_LENGTH}"),
        )
    })
}
