//! Properties of a resource in the template.

use stackgen_cfn::{Entry, Map, Node, Span, Value};

use crate::evaluate::{Evaluator, ResourceInstance};
use crate::functions::from_json;
use crate::token::TokenTable;
use crate::value::HclValue;

/// Properties that are being set.
pub(super) struct ResourceProperties<'e, 'f> {
    evaluator: &'e Evaluator<'f>,
    instance: &'e ResourceInstance,
    map: Map,
}

impl<'e, 'f> ResourceProperties<'e, 'f> {
    pub(super) fn new(evaluator: &'e Evaluator<'f>, instance: &'e ResourceInstance) -> Self {
        ResourceProperties {
            evaluator,
            instance,
            map: Map::new(),
        }
    }

    pub(super) fn finish(self) -> Map {
        self.map
    }

    /// Returns the value of an attribute of the configuration, by a path such as `environment.0.variables`; `None` for null.
    pub(super) fn value(&self, path: &str) -> Option<&'e HclValue> {
        let mut steps = path.split('.');
        let mut value = self.instance.attributes.get(steps.next()?)?;
        for step in steps {
            value = match value {
                // In the JSON syntax, a nested block of which there is one can be an object.
                HclValue::Map(map) => match (map.entries.get(step), step) {
                    (Some(entry), _) => entry,
                    (None, "0") => value,
                    (None, _) => return None,
                },
                HclValue::List(items) | HclValue::Set(items) => {
                    items.get(step.parse::<usize>().ok()?)?
                }
                _ => return None,
            };
        }
        (*value != HclValue::Null).then_some(value)
    }

    /// Returns the text of an attribute, with tokens.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        self.value(path)?.to_text().ok()
    }

    /// Returns the maps of nested blocks, or of an attribute with a list of maps.
    pub(super) fn blocks(&self, name: &str) -> usize {
        match self.value(name) {
            Some(HclValue::List(items) | HclValue::Set(items)) => items.len(),
            Some(HclValue::Map(_)) => 1,
            _ => 0,
        }
    }

    /// Returns the span of an attribute, or of the block around it.
    pub(super) fn span(&self, path: &str) -> Span {
        let mut path = path;
        loop {
            if let Some(span) = self.instance.spans.get(path) {
                return *span;
            }
            match path.rsplit_once('.') {
                Some((outer, _)) => path = outer,
                None => return self.instance.span,
            }
        }
    }

    /// Returns an attribute as a node.
    pub(super) fn node(&self, path: &str) -> Option<Node> {
        node(&self.evaluator.tokens, self.value(path)?, self.span(path))
    }

    /// Returns an attribute with JSON as a node: its content, or the text if it is no JSON.
    pub(super) fn json(&self, path: &str) -> Option<Node> {
        let text = self.text(path)?;
        Some(json_node(&self.evaluator.tokens, &text, self.span(path)))
    }

    /// Sets a property with the span of an attribute.
    pub(super) fn set(&mut self, property: &str, path: &str, node: impl Into<Node>) {
        let span = self.span(path);
        let entry = Entry {
            key_span: span,
            node: node.into().at(span),
        };
        self.map.insert_entry(property, entry);
    }

    /// Copies an attribute.
    pub(super) fn copy(&mut self, path: &str, property: &str) {
        if let Some(node) = self.node(path) {
            self.set(property, path, node);
        }
    }

    /// Copies an attribute with JSON.
    pub(super) fn copy_json(&mut self, path: &str, property: &str) {
        if let Some(node) = self.json(path) {
            self.set(property, path, node);
        }
    }

    /// Returns a map of attributes of a nested block: pairs of attribute and property.
    pub(super) fn nested(&self, block: &str, names: &[(&str, &str)]) -> Option<Node> {
        self.value(block)?;
        let mut map = Map::new();
        for (name, property) in names {
            let path = format!("{block}.{name}");
            if let Some(node) = self.node(&path) {
                let entry = Entry {
                    key_span: self.span(&path),
                    node,
                };
                map.insert_entry(*property, entry);
            }
        }
        Some(Node::from(map).at(self.span(block)))
    }

    /// Copies attributes of the first nested block of a type into a property.
    pub(super) fn copy_block(&mut self, block: &str, property: &str, names: &[(&str, &str)]) {
        let path = match self.value(block) {
            Some(HclValue::Map(_)) => block.to_owned(),
            _ => format!("{block}.0"),
        };
        if let Some(node) = self.nested(&path, names) {
            self.set(property, &path, node);
        }
    }

    /// Copies attributes of all nested blocks of a type into a list.
    pub(super) fn copy_blocks(&mut self, block: &str, property: &str, names: &[(&str, &str)]) {
        let items = (0..self.blocks(block))
            .filter_map(|index| self.nested(&format!("{block}.{index}"), names));
        let items: Vec<Node> = items.collect();
        if !items.is_empty() {
            self.set(property, &format!("{block}.0"), items);
        }
    }
}

/// Returns a value as a node; `None` for null. Entries of maps and lists that are null are left out.
pub(super) fn node(tokens: &TokenTable, value: &HclValue, span: Span) -> Option<Node> {
    let node = match value {
        HclValue::Null => return None,
        HclValue::Bool(value) => Node::from(*value),
        HclValue::Number(number) => Node::from(*number),
        HclValue::Text(text) => tokens.node(text),
        HclValue::Unknown(token) => tokens.node(token.encode_utf8(&mut [0; 4])),
        HclValue::List(items) | HclValue::Set(items) => {
            let items = items.iter().filter_map(|item| node(tokens, item, span));
            Node::new(Value::List(items.collect()))
        }
        HclValue::Map(map) => {
            let mut entries = Map::new();
            for (key, value) in &map.entries {
                if let Some(node) = node(tokens, value, span) {
                    let entry = Entry {
                        key_span: span,
                        node,
                    };
                    entries.insert_entry(tokens.describe(key), entry);
                }
            }
            Node::from(entries)
        }
    };
    Some(node.at(span))
}

/// Returns the content of JSON as a node; the text itself if it is no JSON.
pub(super) fn json_node(tokens: &TokenTable, text: &str, span: Span) -> Node {
    let content = serde_json::from_str(text).ok().map(|json| from_json(&json));
    let content = content.and_then(|value| node(tokens, &value, span));
    content.unwrap_or_else(|| tokens.node(text).at(span))
}
