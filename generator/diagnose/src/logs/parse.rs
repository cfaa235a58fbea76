//! Parsing a line by the kind of its source.

use super::access_format::AccessFormat;
use super::access_record::access_record;
use super::entry::{LineLevel, LogSource, SourceKind};
use super::line::{LineFact, ParsedLine};
use super::{execution_line, function_line};

/// Takes a line of a source apart.
pub fn parse_line<'m>(source: &LogSource, message: &'m str) -> ParsedLine<'m> {
    match &source.kind {
        SourceKind::Access(format) => access_line(format, message),
        SourceKind::Execution => execution_line::parse(message),
        SourceKind::Authorizer | SourceKind::Function | SourceKind::Named => {
            function_line::parse(message)
        }
    }
}

fn access_line<'m>(format: &AccessFormat, message: &'m str) -> ParsedLine<'m> {
    let Some(record) = access_record(format, message) else {
        // The format changed, or another API writes to the group.
        return function_line::parse(message);
    };
    let level = match record.is_failure() {
        true => LineLevel::Error,
        false => LineLevel::Info,
    };
    ParsedLine {
        level: Some(level),
        message: record.summary().into(),
        fields: record.fields(),
        connection: record.connection.clone(),
        request: record.request.clone().or_else(|| record.extended.clone()),
        lambda: None,
        route: record.route.clone(),
        fact: LineFact::Access(Box::new(record)),
    }
}
