//! Fixtures of the linter, from which templates get parts.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use stackgen_cfn::{Node, Sources, parse};

/// Returns both sides of every fixture, parsed.
pub(super) fn donors() -> &'static [Node] {
    static DONORS: OnceLock<Vec<Node>> = OnceLock::new();
    DONORS.get_or_init(|| {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
        let mut texts = Vec::new();
        collect(&fixtures, &mut texts);
        texts.sort();
        let donors = texts.iter().filter_map(|text| read(text)).collect();
        assert!(!Vec::is_empty(&donors), "there are no fixtures");
        donors
    })
}

fn collect(folder: &Path, texts: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, texts);
        } else if let Ok(text) = fs::read_to_string(&path) {
            match path.extension().and_then(|it| it.to_str()) {
                Some("diff") => texts.extend(['-', '+'].map(|other| one_side(&text, other))),
                Some("yaml" | "json") => texts.push(text),
                _ => {}
            }
        }
    }
}

fn one_side(difference: &str, other: char) -> String {
    let lines = difference.lines().filter(|line| !line.starts_with(other));
    let lines: Vec<_> = lines
        .map(|line| line.get(1..).unwrap_or_default())
        .collect();
    lines.join("\n")
}

pub(super) fn read(text: &str) -> Option<Node> {
    parse(Sources::new().add("donor", text)).ok()
}
