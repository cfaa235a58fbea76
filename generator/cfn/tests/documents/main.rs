//! Documents in and out: what they mean, where they are wrong, and that other readers agree.

mod emit;
mod errors;
mod generate;
mod meaning;
mod readers;
mod robust;
mod round_trip;
mod spans;

use stackgen_cfn::{Node, ParseError, Source, Sources};

/// A file table with one file, and the file.
fn source(text: &str) -> (Sources, Source) {
    let mut sources = Sources::new();
    let source = sources.add("t.yaml", text).clone();
    (sources, source)
}

fn parse(text: &str) -> Result<Node, Vec<ParseError>> {
    stackgen_cfn::parse(&source(text).1)
}

/// The document of a text that has no error.
fn read(text: &str) -> Node {
    parse(text).unwrap_or_else(|errors| panic!("{text:?}: {errors:?}"))
}
