//! Fixes of texts: the result parses to the expected document, and the rest of the file stays unchanged.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod all;
mod examples;
mod generate;
mod random;

use stackgen_cfn::{Node, Sources};
use stackgen_lint::{AppliedFixes, Edit, Fix, apply};

/// Applies a fix for each list of edits that `edits` creates from the parsed document.
fn fixed(text: &str, edits: impl Fn(&Node) -> Vec<Vec<Edit>>) -> AppliedFixes {
    let mut sources = Sources::new();
    let source = sources.add("t", text);
    let root = stackgen_cfn::parse(source).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let fixes: Vec<_> = edits(&root).into_iter().map(fix).collect();
    apply(source, &root, &fixes.iter().collect::<Vec<_>>())
}

fn fix(edits: Vec<Edit>) -> Fix {
    Fix {
        title: "fix it".to_owned(),
        edits,
    }
}

fn parse(text: &str) -> Node {
    let mut sources = Sources::new();
    stackgen_cfn::parse(sources.add("t", text))
        .unwrap_or_else(|errors| panic!("{errors:?}\n{text}"))
}
