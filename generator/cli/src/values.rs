//! Parsers of values on the command line.

use std::time::Duration;

use stackgen_synth::spec;

/// Parses a duration, which is not zero.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let read = spec::Duration::parse(text).map(|duration| Duration::from_millis(duration.millis()));
    read.filter(|duration| !duration.is_zero())
        .ok_or_else(|| "write a number and a unit: `500ms`, `90s`, `11m`, `2h`".to_owned())
}

/// Parses `NAME=VALUE`.
pub(crate) fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}
