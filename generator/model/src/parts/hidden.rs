//! Values that come from `NoEcho` parameters, in canonical form.
//!
//! A diff must compare such values and must not show them. Canonical text that starts with or contains [`MARK`] is
//! compared without the mark and shown as [`MASK`]. No template can forge a mark in a text of its own, because a literal
//! `${` is canonically written `${!`.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

/// Prefix of a canonical text that comes from a `NoEcho` parameter.
pub(crate) const MARK: &str = "${****}";

/// Text shown in place of a value that comes from a `NoEcho` parameter.
pub const MASK: &str = "****";

/// Returns the text, marked where `hidden` is true.
pub(crate) fn marked(text: String, hidden: bool) -> String {
    match hidden {
        true => format!("{MARK}{text}"),
        false => text,
    }
}

/// Returns true if both values are equal except for marks: a parameter that only becomes `NoEcho` keeps its value.
pub(crate) fn is_same(left: &Json, right: &Json) -> bool {
    left == right
        || ((is_marked(left) || is_marked(right)) && without_marks(left) == without_marks(right))
}

/// Returns the value with every marked text masked as a whole; the parts of it that are not marked stay.
pub(crate) fn masked(value: Json) -> Json {
    replace_texts(value, &|text| match text.contains(MARK) {
        true => MASK.to_owned(),
        false => text,
    })
}

/// Returns a name or a path without what is marked in it.
pub(crate) fn masked_name(name: &str) -> Cow<'_, str> {
    match name.find(MARK) {
        Some(at) => Cow::Owned(format!("{}{MASK}", &name[..at])),
        None => Cow::Borrowed(name),
    }
}

/// Returns true if any text of the value is marked.
pub(crate) fn is_marked(value: &Json) -> bool {
    match value {
        Json::String(text) => text.contains(MARK),
        Json::Array(items) => items.iter().any(is_marked),
        Json::Object(entries) => {
            let mut entries = entries.iter();
            entries.any(|(key, value)| key.contains(MARK) || is_marked(value))
        }
        _ => false,
    }
}

fn without_marks(value: &Json) -> Json {
    replace_texts(value.clone(), &|text| text.replace(MARK, ""))
}

fn replace_texts(value: Json, replace: &impl Fn(String) -> String) -> Json {
    match value {
        Json::String(text) => Json::String(replace(text)),
        Json::Array(items) => {
            let items = items.into_iter().map(|item| replace_texts(item, replace));
            items.collect()
        }
        Json::Object(entries) => {
            let entries = entries.into_iter();
            let entries = entries.map(|(key, value)| (replace(key), replace_texts(value, replace)));
            Json::Object(entries.collect::<Map<_, _>>())
        }
        other => other,
    }
}
