//! Checks the file against its schema: reports every unknown key, missing key and wrong value, with its location.

mod value;

use std::collections::BTreeSet;

use serde_json::Value as Json;
use stackgen_cfn::{Entry, Map, Node, Span, Value};

use super::{format, unknown_key};
use crate::LocatedError;
use crate::spec::DURATION_FORMAT as DURATION;
use crate::wording::{nearest, use_one_of};

/// Checks a document against the schema of [`crate::schema`] and adds errors to `errors`. Returns the spans of damaged
/// keys and values, which [`super::readable`] removes.
pub(crate) fn check(
    schema: &Json,
    document: &Node,
    text: &str,
    errors: &mut Vec<LocatedError>,
) -> BTreeSet<Span> {
    let mut checker = StructureChecker {
        root: schema,
        text,
        errors,
        damaged: BTreeSet::new(),
    };
    checker.node(schema, "", "the file", document, document.span);
    checker.damaged
}

struct StructureChecker<'a> {
    root: &'a Json,
    /// Text of the file.
    text: &'a str,
    errors: &'a mut Vec<LocatedError>,
    damaged: BTreeSet<Span>,
}

impl<'a> StructureChecker<'a> {
    fn report(&mut self, error: LocatedError) {
        self.damaged.insert(error.span);
        self.errors.push(error);
    }

    fn is_damaged(&self, entry: &Entry) -> bool {
        self.damaged.contains(&entry.key_span) || self.damaged.contains(&entry.node.span)
    }

    /// Checks a node. `definition` is the name of the schema's innermost definition, `name` the key of the node.
    fn node(&mut self, schema: &'a Json, definition: &'a str, name: &str, node: &Node, key: Span) {
        if let Some(target) = schema.get("$ref").and_then(Json::as_str) {
            let definition = target.rsplit('/').next().unwrap_or(target);
            let schema = &self.root["$defs"][definition];
            return self.node(schema, definition, name, node, key);
        }
        if let Some(branches) = alternatives(schema) {
            return self.alternatives(branches, definition, name, node, key);
        }
        if schema.get("const").is_some() || schema.get("enum").is_some() {
            return self.one_of(&constants(schema), name, node, key);
        }
        if schema.get("x-raw").is_some() {
            if node.as_map().is_none() && node.value != Value::Null {
                self.wrong_type(&["object"], name, node, key);
            }
            return;
        }
        if node.as_call().is_some() {
            if schema.get("x-intrinsics").is_none() {
                self.intrinsic(name, node);
            }
            return;
        }
        let types = types(schema);
        if !types.is_empty() && !types.iter().any(|word| is_a(word, node)) {
            let length_of_time = schema.get("format").and_then(Json::as_str) == Some(DURATION);
            return match node.as_int().filter(|_| length_of_time) {
                Some(number) => self.without_unit(number, name, node.span),
                None => self.wrong_type(&types, name, node, key),
            };
        }
        match &node.value {
            Value::Map(map) => self.map(schema, definition, name, map, key),
            Value::List(items) => self.list(schema, definition, name, items, node.span),
            Value::String(text) => self.string(schema, name, text, node.span),
            Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
                if schema.get("x-intrinsics").is_some() {
                    self.as_written(name, node);
                }
                if let Some(number) = as_number(node) {
                    self.number(schema, name, number, node.span);
                }
            }
            _ => {}
        }
    }

    fn alternatives(
        &mut self,
        branches: &'a [Json],
        definition: &'a str,
        name: &str,
        node: &Node,
        key: Span,
    ) {
        let constants: Vec<_> = branches.iter().flat_map(constants).collect();
        if !constants.is_empty() {
            return self.one_of(&constants, name, node, key);
        }
        let null = |branch: &&Json| branch.get("type").and_then(Json::as_str) == Some("null");
        let mut real = branches.iter().filter(|branch| !null(branch));
        let accepting = branches.iter().find(|branch| self.accepts(branch, node));
        match (accepting, real.next(), real.next()) {
            // For an optional value of one type, check against that type: its errors are the most precise.
            (Some(branch), _, _) | (None, Some(branch), None) => {
                self.node(branch, definition, name, node, key);
            }
            _ => {
                let types: Vec<_> = branches
                    .iter()
                    .flat_map(|branch| types(self.resolve(branch)))
                    .collect();
                self.wrong_type(&types, name, node, key);
            }
        }
    }

    fn resolve<'b>(&self, schema: &'b Json) -> &'b Json
    where
        'a: 'b,
    {
        match schema.get("$ref").and_then(Json::as_str) {
            Some(target) => {
                self.resolve(&self.root["$defs"][target.rsplit('/').next().unwrap_or(target)])
            }
            None => schema,
        }
    }

    /// Returns true if a branch accepts the type of a node. The content is checked later.
    fn accepts(&self, schema: &'a Json, node: &Node) -> bool {
        let schema = self.resolve(schema);
        if let Some(branches) = alternatives(schema) {
            return branches.iter().any(|branch| self.accepts(branch, node));
        }
        let types = types(schema);
        types.is_empty()
            || types.iter().any(|word| is_a(word, node))
            || (node.as_call().is_some() && schema.get("x-intrinsics").is_some())
    }

    fn map(
        &mut self,
        schema: &'a Json,
        definition: &'a str,
        name: &str,
        map: &Map,
        key_span: Span,
    ) {
        let no_properties = serde_json::Map::new();
        let properties = schema.get("properties").and_then(Json::as_object);
        let extra = schema.get("additionalProperties");
        for (key, entry) in map.entries() {
            if let Some(property) = properties.and_then(|known| known.get(key)) {
                self.node(property, definition, key, &entry.node, entry.key_span);
                continue;
            }
            match extra {
                Some(Json::Bool(false)) => {
                    let known = properties.unwrap_or(&no_properties);
                    self.unknown_key(definition, name, key, entry.key_span, known);
                }
                Some(extra) => {
                    self.key(schema, key, entry.key_span);
                    self.node(extra, definition, key, &entry.node, entry.key_span);
                }
                None => {}
            }
        }
        for required in schema
            .get("required")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
        {
            let Some(required) = required.as_str() else {
                continue;
            };
            match map.entry(required) {
                None => self.missing_key(properties, name, required, key_span),
                // A mapping is damaged if a required part of it is.
                Some(entry) if required != "name" && self.is_damaged(entry) => {
                    self.damaged.insert(key_span);
                }
                Some(_) => {}
            }
        }
        if schema.get("minProperties").is_some() && map.is_empty() {
            self.report(LocatedError::new(
                key_span,
                format!("`{name}` is empty: it needs at least one entry"),
            ));
        }
    }

    fn missing_key(
        &mut self,
        properties: Option<&serde_json::Map<String, Json>>,
        name: &str,
        key: &str,
        span: Span,
    ) {
        let subject = if name == "the file" {
            name.to_owned()
        } else {
            format!("`{name}`")
        };
        let error = LocatedError::new(span, format!("{subject} lacks `{key}`"));
        let description = properties.and_then(|known| known.get(key)?.get("description")?.as_str());
        let error = match description {
            Some(text) => error.hint(format!("`{key}`: {}", first_sentence(text))),
            None => error,
        };
        // A mapping without a name is still readable.
        match key {
            "name" => self.errors.push(error),
            _ => self.report(error),
        }
    }

    fn unknown_key(
        &mut self,
        definition: &str,
        name: &str,
        key: &str,
        span: Span,
        known: &serde_json::Map<String, Json>,
    ) {
        let location = if name == "the file" {
            "at the top of the file".to_owned()
        } else {
            format!("in `{name}`")
        };
        let error = LocatedError::new(span, format!("unknown key `{key}` {location}"));
        let names: Vec<_> = known.keys().map(String::as_str).collect();
        let error = match (
            unknown_key::explain(definition, key),
            nearest(key, names.iter().copied()),
        ) {
            (Some(explanation), _) => {
                let error = error.hint(explanation.hint);
                match explanation.row {
                    Some(row) => error.row(row),
                    None => error,
                }
            }
            (None, Some(near)) => error.hint(format!("did you mean `{near}`?")),
            (None, None) => error.hint(use_one_of(&names)),
        };
        self.report(error);
    }

    fn key(&mut self, schema: &Json, key: &str, span: Span) {
        let format = schema
            .pointer("/propertyNames/format")
            .and_then(Json::as_str);
        if let Some(error) = format.and_then(|format| format::check(format, key)) {
            self.report(error.at(span));
        }
    }

    fn list(
        &mut self,
        schema: &'a Json,
        definition: &'a str,
        name: &str,
        items: &[Node],
        span: Span,
    ) {
        let least = schema.get("minItems").and_then(Json::as_u64).unwrap_or(0);
        if (items.len() as u64) < least {
            self.report(LocatedError::new(
                span,
                format!("`{name}` is empty: it needs at least one entry"),
            ));
        }
        if let Some(schema) = schema.get("items") {
            for item in items {
                self.node(schema, definition, name, item, item.span);
            }
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "limits are far below 2^53")]
fn as_number(node: &Node) -> Option<f64> {
    match node.value {
        Value::Int(number) => Some(number as f64),
        Value::Float(number) => Some(number),
        _ => None,
    }
}

fn alternatives(schema: &Json) -> Option<&[Json]> {
    let branches = schema.get("anyOf").or_else(|| schema.get("oneOf"))?;
    branches.as_array().map(Vec::as_slice)
}

fn constants(schema: &Json) -> Vec<&Json> {
    match (
        schema.get("const"),
        schema.get("enum").and_then(Json::as_array),
    ) {
        (Some(constant), _) => vec![constant],
        (None, Some(constants)) => constants
            .iter()
            .filter(|constant| !constant.is_null())
            .collect(),
        (None, None) => Vec::new(),
    }
}

fn plain(constant: &Json) -> String {
    constant
        .as_str()
        .map_or_else(|| constant.to_string(), str::to_owned)
}

fn types(schema: &Json) -> Vec<&str> {
    match schema.get("type") {
        Some(Json::String(word)) => vec![word],
        Some(Json::Array(words)) => words.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_a(word: &str, node: &Node) -> bool {
    match word {
        "object" => node.as_map().is_some(),
        "array" => node.as_list().is_some(),
        "string" => node.as_str().is_some(),
        "boolean" => node.as_bool().is_some(),
        "integer" => node.as_int().is_some(),
        "number" => matches!(node.value, Value::Int(_) | Value::Float(_)),
        "null" => node.value == Value::Null,
        _ => false,
    }
}

fn type_words(word: &str) -> &'static str {
    match word {
        "object" => "a mapping",
        "array" => "a list",
        "string" => "a string",
        "boolean" => "true or false",
        "integer" => "a whole number",
        _ => "a number",
    }
}

fn first_sentence(text: &str) -> &str {
    text.split_once(". ")
        .map_or(text, |(first, _)| first)
        .trim_end_matches('.')
}
