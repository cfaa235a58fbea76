//! The files of this repository that inputs are made of.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use crate::common::root;

/// The kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A stackgen.yaml.
    Spec,
    /// A CloudFormation or SAM template.
    Template,
}

/// A file before it is mutated.
#[derive(Debug)]
pub(crate) struct Origin {
    /// Its path in the repository; for a fixture with two sides, `-` or `+` follows.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

/// Folders with templates: what `synth` renders, the linter's fixtures and corpus, and other people's templates.
const TEMPLATES: &[&str] = &[
    "generator/gateway/tests",
    "generator/lint/corpus",
    "generator/lint/fixtures",
    "generator/model/tests/fixtures",
    "out",
];

/// Folders with stackgen.yaml files.
const SPECS: &[&str] = &["generator/synth/tests/it", "templates"];

/// All of one kind, in an order that is the same on every machine.
pub(crate) fn origins(kind: Kind) -> &'static [Origin] {
    static SPEC: OnceLock<Vec<Origin>> = OnceLock::new();
    static TEMPLATE: OnceLock<Vec<Origin>> = OnceLock::new();
    let (cell, folders) = match kind {
        Kind::Spec => (&SPEC, SPECS),
        Kind::Template => (&TEMPLATE, TEMPLATES),
    };
    cell.get_or_init(|| {
        let mut found = Vec::new();
        for folder in folders {
            collect(&root().join(folder), kind, &mut found);
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        assert!(!found.is_empty(), "there are no files in {folders:?}");
        found
    })
}

fn collect(folder: &Path, kind: Kind, found: &mut Vec<Origin>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        if path.is_dir() {
            collect(&path, kind, found);
            continue;
        }
        let extension = path.extension().and_then(|it| it.to_str());
        let in_corpus = name.starts_with("generator/lint/corpus/");
        let sides: &[char] = match extension {
            Some("diff") => &['-', '+'],
            Some("yaml" | "yml" | "json") => &[' '],
            None if in_corpus => &[' '],
            _ => continue,
        };
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        for side in sides {
            let (name, text) = match side {
                ' ' => (name.clone(), text.clone()),
                _ => (format!("{name} {side}"), one_side(&text, *side)),
            };
            found.push(Origin { name, kind, text });
        }
    }
}

/// The template of a fixture's lines that begin with a blank or with this.
fn one_side(difference: &str, side: char) -> String {
    let lines = difference
        .lines()
        .filter(|line| line.starts_with([' ', side]))
        .map(|line| &line[1..]);
    lines.collect::<Vec<_>>().join("\n")
}
