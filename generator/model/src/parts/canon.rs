//! The canonical form of values.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::{Names, hidden};
use crate::resolve::Branches;
use crate::resource::Resource;
use crate::{FunctionLink, Link, LogicalId, Piece, Qualifier, Reference, Resolved, Text, Unknown};

/// Start of an unknown part in canonical text, which ends with `}`.
pub(crate) const UNKNOWN_START: &str = "${?";

/// Renders values in canonical form: equal if and only if they have the same meaning. Keys are in byte order, scalars
/// are text because CloudFormation treats `30` and `"30"` alike, and references name their targets.
pub(crate) struct Canon<'a> {
    pub(crate) names: &'a Names<'a>,
    /// The API whose parts are rendered, written `self`.
    own: Option<&'a LogicalId>,
    /// Rendered branches. Many texts may share one.
    rendered: RefCell<HashMap<*const Branches, Json>>,
}

impl<'a> Canon<'a> {
    pub(crate) fn new(names: &'a Names<'a>, own: Option<&'a LogicalId>) -> Self {
        Canon {
            names,
            own,
            rendered: RefCell::default(),
        }
    }

    /// Returns the properties except some, with the condition that decides whether the resource exists.
    pub(crate) fn properties(&self, resource: &Resource, without: &[&str]) -> Map<String, Json> {
        let mut content = match self.value(&resource.properties) {
            Json::Object(content) => content,
            unknown => Map::from_iter([("Properties".to_owned(), unknown)]),
        };
        content.retain(|key, _| !without.contains(&key.as_str()));
        if let Some(tags) = content.get("Tags").and_then(tag_map) {
            content.insert("Tags".to_owned(), tags);
        }
        if let Some(conditional) = &resource.conditional {
            content.insert(
                "Condition".to_owned(),
                Json::from(self.expression(&conditional.unknown)),
            );
        }
        content
    }

    pub(crate) fn value(&self, value: &Resolved) -> Json {
        match value {
            Resolved::Null => Json::Null,
            Resolved::Bool(value) => Json::from(value.to_string()),
            Resolved::Int(value) => Json::from(value.to_string()),
            Resolved::Float(value) => Json::from(value.to_string()),
            Resolved::Text(text) => Json::from(self.text(text)),
            Resolved::List(items) => items.iter().map(|item| self.value(item)).collect(),
            Resolved::Map(map) => {
                let mut entries: Vec<_> = map.iter().collect();
                entries.sort_unstable_by_key(|(key, _)| key.as_str());
                Json::Object(
                    entries
                        .into_iter()
                        .map(|(key, value)| (key.clone(), self.value(value)))
                        .collect(),
                )
            }
            Resolved::Unknown(unknown) => self.unknown(unknown),
        }
    }

    pub(crate) fn text(&self, text: &Text) -> String {
        let mut out = hidden::marked(String::new(), self.names.marks_hidden && text.is_hidden());
        for piece in text.pieces() {
            match piece {
                Piece::Literal(text) => out.push_str(&text.replace("${", "${!")),
                Piece::Reference(reference) => out.push_str(&self.reference(reference)),
                Piece::Pseudo(pseudo) => out.push_str(&format!("${{{}}}", pseudo.name())),
                Piece::Unknown(unknown) => {
                    out.push_str(&format!("{UNKNOWN_START}{}}}", self.unknown(unknown)))
                }
            }
        }
        out
    }

    pub(crate) fn reference(&self, reference: &Reference) -> String {
        let what = if self.own == Some(&reference.logical_id) {
            "self".to_owned()
        } else {
            self.names.label(&reference.logical_id)
        };
        match &reference.attribute {
            None => format!("${{{what}}}"),
            Some(attribute) => format!("${{{what}.{attribute}}}"),
        }
    }

    fn unknown(&self, unknown: &Unknown) -> Json {
        let Some(branches) = &unknown.branches else {
            return json!({ "Unknown": self.expression(unknown) });
        };
        let pointer = Arc::as_ptr(branches);
        if let Some(json) = self.rendered.borrow().get(&pointer) {
            return json.clone();
        }
        let branch = |value: &Option<Resolved>| value.as_ref().map(|value| self.value(value));
        let when = hidden::marked(branches.when.to_string(), self.hides(unknown));
        let json = json!({ "If": when, "No": branch(&branches.no), "Yes": branch(&branches.yes) });
        let json = match json.to_string() {
            long if long.len() > 4_000 => {
                let digest = crate::digest::sha256_hex(long.as_bytes());
                json!({ "If": hidden::marked(digest, self.hides(unknown)) })
            }
            _ => json,
        };
        self.rendered.borrow_mut().insert(pointer, json.clone());
        json
    }

    fn expression(&self, unknown: &Unknown) -> String {
        hidden::marked(unknown.expression.to_string(), self.hides(unknown))
    }

    fn hides(&self, unknown: &Unknown) -> bool {
        self.names.marks_hidden && unknown.hidden
    }

    /// Replaces a property that names a function of this template with the function itself.
    pub(crate) fn function_property(
        &self,
        content: &mut Map<String, Json>,
        key: &str,
        link: &FunctionLink,
    ) {
        if let Some(function) = self.function(link) {
            content.insert(key.to_owned(), function);
        }
    }

    /// Returns a function with its qualifier.
    pub(crate) fn function(&self, link: &FunctionLink) -> Option<Json> {
        let Link::To(id) = &link.function else {
            return None;
        };
        let mut json = json!({ "Function": self.names.name(id) });
        if let Some(qualifier) = &link.qualifier {
            json["Qualifier"] = Json::from(match qualifier {
                Qualifier::Version(id) | Qualifier::Alias(id) => self.names.label(id),
                Qualifier::Named(text) => self.text(text),
            });
        }
        Some(json)
    }
}

/// Converts a list of `Key` and `Value` into a map: the order of tags has no meaning, and some types have a map of
/// tags.
fn tag_map(tags: &Json) -> Option<Json> {
    let mut pairs = Vec::new();
    for tag in tags.as_array()? {
        pairs.push((
            tag.get("Key")?.as_str()?.to_owned(),
            tag.get("Value")?.clone(),
        ));
    }
    pairs.sort_by(|(left, _), (right, _)| left.cmp(right));
    Some(Json::Object(pairs.into_iter().collect()))
}
