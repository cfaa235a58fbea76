//! YAML tags.

use saphyr_parser::Tag;

use super::ParseErrorKind;
use super::scalar;
use crate::{Intrinsic, Node, Value};

/// Kind of a known tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TagKind {
    /// An intrinsic function.
    Intrinsic(Intrinsic),
    /// `!`: the scalar is a string, whatever its text.
    NonSpecific,
    /// A core type, such as `!!int`, by the name after the exclamation marks.
    Core(String),
}

const CORE: &str = "tag:yaml.org,2002:";

/// Returns the kind of a tag, or an error for an unknown tag.
pub(super) fn kind(tag: &Tag) -> Result<TagKind, ParseErrorKind> {
    let full = format!("{}{}", tag.handle, tag.suffix);
    if let Some(core) = full.strip_prefix(CORE) {
        return match core {
            "str" | "int" | "float" | "bool" | "null" | "map" | "seq" => {
                Ok(TagKind::Core(core.to_owned()))
            }
            _ => Err(unknown(format!("!!{core}"))),
        };
    }
    match full.strip_prefix('!') {
        Some("") => Ok(TagKind::NonSpecific),
        Some(name) => match Intrinsic::from_tag(name) {
            Some(function) => Ok(TagKind::Intrinsic(function)),
            None => Err(unknown(full)),
        },
        None => Err(unknown(format!("!<{full}>"))),
    }
}

fn unknown(tag: String) -> ParseErrorKind {
    let name = tag.trim_start_matches('!');
    let name = name.strip_prefix("Fn::").unwrap_or(name).to_lowercase();
    let nearest = Intrinsic::ALL
        .iter()
        .filter(|function| function.tag().len().abs_diff(name.len()) * 3 <= function.tag().len())
        .map(|function| {
            (
                strsim::osa_distance(&name, &function.tag().to_lowercase()),
                function,
            )
        })
        .min_by_key(|(distance, _)| *distance)
        .filter(|&(distance, function)| distance * 3 <= function.tag().len())
        .map(|(_, function)| function.to_string());
    ParseErrorKind::UnknownTag { tag, nearest }
}

/// Returns the value of a scalar with a core tag.
pub(super) fn cast(core: &str, text: &str) -> Result<Value, ParseErrorKind> {
    let value = match core {
        "str" => Some(Value::String(text.to_owned())),
        "int" => scalar::int(text).map(Value::Int),
        "float" => scalar::float(text)
            .or_else(|| scalar::int(text).map(|whole| whole as f64))
            .map(Value::Float),
        "bool" => scalar::bool(text).map(Value::Bool),
        "null" => scalar::is_null(text).then_some(Value::Null),
        _ => None,
    };
    value.ok_or_else(|| mismatch(core, &Node::from(scalar::resolve(text))))
}

/// Returns the error for a core tag on a value of another type.
pub(super) fn mismatch(core: &str, found: &Node) -> ParseErrorKind {
    ParseErrorKind::TagMismatch {
        tag: format!("!!{core}"),
        found: found.kind().to_owned(),
    }
}
