//! The sections in CloudFormation's own words: each entry must have the shape that CloudFormation reads, or it would
//! refuse the whole template.

mod entry;
mod wiring;

use stackgen_cfn::{Entry, Map, Node};

use crate::Problem;
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
pub(super) fn check(document: &Node, outline: &Outline, problems: &mut Vec<Problem>) {
    for section in SECTIONS {
        let map = document.get(section).and_then(Node::as_map);
        for (id, entry) in map.into_iter().flat_map(Map::entries) {
            // Functions in the place of an entry are told with the references.
            if id.starts_with("Fn::") {
                continue;
            }
            problems.extend(logical_id(id, entry));
            entry::check(section, id, entry, problems);
        }
    }
    wiring::check(document, outline, problems);
}

fn logical_id(id: &str, entry: &Entry) -> Option<Problem> {
    let fits = !id.is_empty()
        && id.len() <= LOGICAL_ID_LENGTH
        && id.chars().all(|c| c.is_ascii_alphanumeric());
    (!fits).then(|| {
        Problem::new(entry.key_span, format!("`{id}` is not a valid logical ID")).hint(format!(
            "use letters and digits only, at most {LOGICAL_ID_LENGTH}"
        ))
    })
}
