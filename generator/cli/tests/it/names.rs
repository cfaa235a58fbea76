//! Names of types.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::common::root;

/// Names that several programs may use: each starter is a project of its own, and handlers never see the generator.
const SIDES: [&[&str]; 5] = [
    &["generator"],
    &["handlers", "templates/live-session"],
    &["templates/chat"],
    &["templates/echo"],
    &["benches"],
];

/// Returns the Rust sources below a folder, without tests and fixtures.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_symlink() {
            // `sources` of the command line links to the handlers.
            continue;
        } else if path.is_dir() {
            if !["tests", "fixtures", "target", "fuzz", "node_modules"].contains(&name) {
                files.extend(sources(&path));
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// Returns the name of the type that a line declares for other modules.
fn declared_type(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub")?;
    let rest = match rest.strip_prefix('(') {
        Some(restricted) => restricted.split_once(')')?.1,
        None => rest,
    };
    let kinds = [" struct ", " enum ", " trait ", " type "];
    let rest = kinds.iter().find_map(|kind| rest.strip_prefix(kind))?;
    let end = rest.find(|c: char| !c.is_alphanumeric());
    let name = &rest[..end.unwrap_or(rest.len())];
    // A macro's `pub struct $name` has none.
    (!name.is_empty()).then_some(name)
}

#[test]
fn a_type_name_stands_once() {
    let mut twice = Vec::new();
    for side in SIDES {
        let mut declared: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for file in side.iter().flat_map(|folder| sources(&root().join(folder))) {
            let text = std::fs::read_to_string(&file).unwrap();
            let file = file.strip_prefix(root()).unwrap().display().to_string();
            for name in text.lines().filter_map(declared_type) {
                declared
                    .entry(name.to_owned())
                    .or_default()
                    .insert(file.clone());
            }
        }
        assert!(!declared.is_empty(), "{side:?}");
        twice.extend(declared.into_iter().filter(|(_, files)| files.len() > 1));
    }
    assert!(twice.is_empty(), "types share a name: {twice:#?}");
}

#[test]
fn types_for_other_modules_are_found() {
    assert_eq!(declared_type("pub struct Place<'a> {"), Some("Place"));
    assert_eq!(declared_type("    pub(super) enum Place"), Some("Place"));
    assert_eq!(declared_type("struct Private;"), None);
    assert_eq!(declared_type("pub use crate::Place;"), None);
    assert_eq!(declared_type("pub struct $name {"), None);
}
