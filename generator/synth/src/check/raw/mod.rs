//! The sections in CloudFormation's own words: each entry must have the shape that CloudFormation reads, or it would
//! refuse the whole template.

mod entry;
mod wiring;

use stackgen_cfn::{Entry, Map, Node};

use crate::LocatedError;
use crate::outline::Outline;

/// The sections of stackgen.yaml in CloudFormation's words.
pub(super) const SECTIONS: [&str; 5] = [
    "parameters",
    "mappings",
    "conditions",
    "resources",
    "outputs",
];

/// CloudFormation's limit on a logical id.
const LOGICAL_ID_LENGTH: usize = 255;

/// Checks the shapes of all entries, and what raw resources do to the APIs.
pub(super) fn check(document: &Node, outline: &Outline, errors: &mut Vec<LocatedError>) {
    for section in SECTIONS {
        let map = document.get(section).and_then(Node::as_map);
        for (id, entry) in map.into_iter().flat_map(Map::entries) {
            // Functions in the place of an entry are told with the references.
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
        && id.len() <= LOGICAL_ID_LENGTH
        && id.chars().all(|c| c.is_ascii_alphanumeric());
    (!fits).then(|| {
        LocatedError::new(entry.key_span, format!("`{id}` is not a valid logical ID")).hint(
            format!("use letters and digits only, at most {LOGICAL_ID_LENGTH}"),
        )
    })
}
