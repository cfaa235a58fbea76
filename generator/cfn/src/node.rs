//! The document tree.

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use crate::{IntrinsicCall, Span};

/// Value with its span. Equality ignores the span.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Span in the source, or the default span for a node that does not come from a file.
    pub span: Span,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// Value of a node. Scalars have their YAML 1.1 types, because CloudFormation reads YAML 1.1.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing.
    #[default]
    Null,
    /// `true`, `false`; in YAML also `yes`, `no`, `on`, `off`.
    Bool(bool),
    /// A whole number that fits into 64 bits. A longer one is a string.
    Int(i64),
    /// A number with a fraction or an exponent. Never NaN or infinite: those are strings.
    Float(f64),
    /// Text.
    String(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping that is not an intrinsic function.
    Map(Map),
    /// An intrinsic function and its argument.
    Call(IntrinsicCall),
}

/// Mapping with unique keys in the order of the source. Two maps are equal if they have equal entries in any order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map(IndexMap<String, Entry, RandomState>);

/// Value of a mapping, with the span of its key.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// Span of the key.
    pub key_span: Span,
    /// The value.
    pub node: Node,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
    }
}

impl Map {
    /// Creates an empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns true if there are no entries.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.0.get(key).map(|entry| &entry.node)
    }

    /// Returns the value of a key, mutably.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.0.get_mut(key).map(|entry| &mut entry.node)
    }

    /// Returns the entry of a key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.0.get(key)
    }

    /// Sets a key, at the end if it is new, and returns the old value.
    pub fn insert(&mut self, key: impl Into<String>, node: impl Into<Node>) -> Option<Node> {
        let node = node.into();
        let entry = Entry {
            key_span: node.span,
            node,
        };
        self.insert_entry(key, entry).map(|old| old.node)
    }

    /// Sets a key with its span, and returns the old entry.
    pub fn insert_entry(&mut self, key: impl Into<String>, entry: Entry) -> Option<Entry> {
        self.0.insert(key.into(), entry)
    }

    /// Removes a key and keeps the order of the others.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        self.0.shift_remove(key).map(|entry| entry.node)
    }

    /// Iterates over keys and values in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Node)> {
        self.0
            .iter()
            .map(|(key, entry)| (key.as_str(), &entry.node))
    }

    /// Iterates over keys and mutable values in order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Node)> {
        self.0
            .iter_mut()
            .map(|(key, entry)| (key.as_str(), &mut entry.node))
    }

    /// Iterates over keys and entries in order.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = (&str, &Entry)> {
        self.0.iter().map(|(key, entry)| (key.as_str(), entry))
    }

    /// Iterates over keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Sorts the keys by bytes.
    pub fn sort_keys(&mut self) {
        self.0.sort_unstable_keys();
    }
}

impl<K: Into<String>, V: Into<Node>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(iter: I) -> Self {
        let mut map = Map::new();
        for (key, node) in iter {
            map.insert(key, node);
        }
        map
    }
}

impl IntoIterator for Map {
    type Item = (String, Node);
    type IntoIter =
        std::iter::Map<indexmap::map::IntoIter<String, Entry>, fn((String, Entry)) -> Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().map(|(key, entry)| (key, entry.node))
    }
}

impl Node {
    /// Creates a node without a span.
    pub fn new(value: Value) -> Self {
        Node {
            value,
            span: Span::default(),
        }
    }

    /// Returns the node with another span.
    #[must_use]
    pub fn at(self, span: Span) -> Self {
        Node { span, ..self }
    }

    /// Returns the text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the value of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the value of a whole number.
    pub fn as_int(&self) -> Option<i64> {
        match self.value {
            Value::Int(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the elements of a list.
    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the entries of a map. A call has none.
    pub fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Returns the entries of a map, mutably.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match &mut self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Returns the call of an intrinsic function.
    pub fn as_call(&self) -> Option<&IntrinsicCall> {
        match &self.value {
            Value::Call(call) => Some(call),
            _ => None,
        }
    }

    /// Returns the value of a key, if the node is a map with that key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key)
    }

    /// Returns the value at the end of a path of keys.
    pub fn at_path(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Returns the type for error messages, such as `a list`.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::Float(_) => "a number",
            Value::String(_) => "a string",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
            Value::Call(_) => "an intrinsic function",
        }
    }
}
