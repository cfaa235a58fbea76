//! Tests of parsing and writing: values, errors and spans, and agreement with other parsers.

mod emit;
mod errors;
mod generate;
mod readers;
mod robust;
mod round_trip;
mod spans;
mod values;

use stackgen_cfn::{Node, ParseError, Source, Sources};

/// Returns a table with one file, and the file.
fn source(text: &str) -> (Sources, Source) {
    let mut sources = Sources::new();
    let source = sources.add("t.yaml", text).clone();
    (sources, source)
}

fn parse(text: &str) -> Result<Node, Vec<ParseError>> {
    stackgen_cfn::parse(&source(text).1)
}

/// Parses a text without errors.
fn read(text: &str) -> Node {
    parse(text).unwrap_or_else(|errors| panic!("{text:?}: {errors:?}"))
}
