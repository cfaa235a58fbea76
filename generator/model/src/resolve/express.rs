//! Expressions as canonical text, so that unknown values can be compared.

use serde_json::{Value as Json, json};
use stackgen_cfn::{Intrinsic, IntrinsicCall, Map, Node, Value};

use super::names::is_hidden;
use super::{MAX_DEPTH, Resolver, Truth};
use crate::digest::sha256_hex;

/// Longer expressions are replaced by their digest, so that nested conditions cannot grow without bound.
const LONGEST: usize = 2_000;

/// Longer values of parameters and conditions are replaced by their digest: an expression may name one very often.
const LONGEST_NAMED: usize = 100;

impl Resolver<'_> {
    /// Returns a node as JSON in long form, with keys in byte order and without spaces. Names of parameters and
    /// conditions are replaced by their values, or stand beside them: the name alone would hide a change.
    pub(super) fn express(&self, node: &Node, depth: usize) -> String {
        shorten(self.expressed(node, depth).to_string())
    }

    fn expressed(&self, node: &Node, depth: usize) -> Json {
        if depth > MAX_DEPTH {
            return json(node);
        }
        let inner = |node: &Node| self.expressed(node, depth + 1);
        match &node.value {
            Value::List(items) => items.iter().map(inner).collect(),
            Value::Map(map) => object(map, inner),
            Value::Call(call) => self.expressed_call(call, depth + 1),
            _ => json(node),
        }
    }

    fn expressed_call(&self, call: &IntrinsicCall, depth: usize) -> Json {
        let argument = &*call.argument;
        let known = match (call.function, argument.as_str(), argument.as_list()) {
            (Intrinsic::Ref, Some(name), _) => self.parameter_expression(name),
            (Intrinsic::Condition, Some(name), _) => self.condition_expression(name, depth),
            (Intrinsic::If, _, Some([name, yes, no])) => name
                .as_str()
                .and_then(|name| self.condition_expression(name, depth))
                .map(|when| {
                    json!({ "Fn::If": [when, self.expressed(yes, depth), self.expressed(no, depth)] })
                }),
            (Intrinsic::Sub, Some(text), _) => Some(json!({ "Fn::Sub": self.expressed_sub(text) })),
            (Intrinsic::Sub, _, Some([text, variables])) => text.as_str().map(
                |text| json!({ "Fn::Sub": [self.expressed_sub(text), self.expressed(variables, depth)] }),
            ),
            (Intrinsic::FindInMap, _, Some([map, ..])) => {
                let content = map.as_str().and_then(|name| self.mapping_expression(name));
                content.map(|content| {
                    json!({ "Fn::FindInMap": [self.expressed(argument, depth), content] })
                })
            }
            _ => None,
        };
        known.unwrap_or_else(
            || json!({ call.function.long_name(): self.expressed(argument, depth) }),
        )
    }

    /// Returns the text of a `Sub` with the values of the parameters that it names.
    fn expressed_sub(&self, text: &str) -> Json {
        let names = text
            .split("${")
            .skip(1)
            .filter_map(|rest| rest.split_once('}'));
        let values = names.filter_map(|(name, _)| self.parameter_expression(name.trim()));
        std::iter::once(Json::from(text)).chain(values).collect()
    }

    /// Returns the value of a parameter; `None` for any other name.
    fn parameter_expression(&self, name: &str) -> Option<Json> {
        let parameter = self.template.at_path(&["Parameters", name])?;
        self.note_hidden(is_hidden(parameter));
        self.named(format!("Parameters.{name}"), || {
            match self.parameter(name, parameter) {
                super::Resolved::Unknown(unknown) => unknown.expression.to_string(),
                value => serde_json::to_string(&value).unwrap_or_default(),
            }
        })
    }

    /// Returns the value of a condition, or its definition if the value is unknown; `None` if there is no such
    /// condition.
    fn condition_expression(&self, name: &str, depth: usize) -> Option<Json> {
        let condition = self.template.at_path(&["Conditions", name])?;
        Some(match self.named_condition(name, condition.span, depth) {
            Truth::True => Json::Bool(true),
            Truth::False => Json::Bool(false),
            Truth::Unknown(unknown) => {
                self.note_hidden(unknown.hidden);
                Json::from(named(&unknown.expression))
            }
        })
    }

    fn mapping_expression(&self, name: &str) -> Option<Json> {
        let content = self.template.at_path(&["Mappings", name])?;
        self.named(format!("Mappings.{name}"), || json(content).to_string())
    }

    fn note_hidden(&self, hidden: bool) {
        self.expresses_hidden
            .set(self.expresses_hidden.get() || hidden);
    }

    /// Returns the expression of a name, which is computed once.
    fn named(&self, key: String, expression: impl FnOnce() -> String) -> Option<Json> {
        if let Some(known) = self.expressions.borrow().get(&key) {
            return Some(known.clone());
        }
        let expression = Json::from(named(&expression()));
        self.expressions
            .borrow_mut()
            .insert(key, expression.clone());
        Some(expression)
    }
}

fn named(expression: &str) -> String {
    match expression.len() {
        0..=LONGEST_NAMED => expression.to_owned(),
        _ => format!("sha256:{}", sha256_hex(expression.as_bytes())),
    }
}

/// Returns the text, or its digest if it is long.
pub(super) fn shorten(text: String) -> String {
    if text.len() <= LONGEST {
        return text;
    }
    format!("sha256:{}", sha256_hex(text.as_bytes()))
}

/// Returns a node as a JSON value with sorted keys.
pub(crate) fn json(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => Json::from(*value),
        Value::Float(value) => Json::from(*value),
        Value::String(text) => Json::from(text.as_str()),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(map) => object(map, json),
        Value::Call(call) => {
            let mut entry = serde_json::Map::new();
            entry.insert(call.function.long_name().to_owned(), json(&call.argument));
            Json::Object(entry)
        }
    }
}

fn object(map: &Map, json: impl Fn(&Node) -> Json) -> Json {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    let entries = entries
        .into_iter()
        .map(|(key, node)| (key.to_owned(), json(node)));
    Json::Object(entries.collect())
}
