//! The document tree.

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use crate::{IntrinsicCall, Span};

/// A value and the place it came from. Equality looks at the value alone.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it stands; the default span for nodes that were built.
    pub span: Span,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// What a node holds. Scalars are read as YAML 1.1 readers read them, because CloudFormation is one.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing.
    #[default]
    Null,
    /// `true`, `false`; in YAML also `yes`, `no`, `on`, `off`.
    Bool(bool),
    /// A whole number that fits; a longer one stays a string.
    Int(i64),
    /// A number with a fraction or an exponent. Never NaN or infinite: those stay strings.
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

/// A mapping in its written order; keys are unique. Two maps are equal when they hold the same entries in any
/// order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map(IndexMap<String, Entry, RandomState>);

/// A mapping's value with the place of its key.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// Where the key stands.
    pub key_span: Span,
    /// What it maps to.
    pub node: Node,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
    }
}

impl Map {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value under a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.0.get(key).map(|entry| &entry.node)
    }

    /// The value under a key, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.0.get_mut(key).map(|entry| &mut entry.node)
    }

    /// The entry under a key: the value and the key's place.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.0.get(key)
    }

    /// Sets a key, at the end if it is new, and returns the value it replaced.
    pub fn insert(&mut self, key: impl Into<String>, node: impl Into<Node>) -> Option<Node> {
        let node = node.into();
        let entry = Entry {
            key_span: node.span,
            node,
        };
        self.insert_entry(key, entry).map(|old| old.node)
    }

    /// Sets a key with the place of the key itself.
    pub fn insert_entry(&mut self, key: impl Into<String>, entry: Entry) -> Option<Entry> {
        self.0.insert(key.into(), entry)
    }

    /// Takes a key out, leaving the others in order.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        self.0.shift_remove(key).map(|entry| entry.node)
    }

    /// Keys and values in written order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Node)> {
        self.0
            .iter()
            .map(|(key, entry)| (key.as_str(), &entry.node))
    }

    /// Keys and values in written order, values to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Node)> {
        self.0
            .iter_mut()
            .map(|(key, entry)| (key.as_str(), &mut entry.node))
    }

    /// Keys and entries in written order.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = (&str, &Entry)> {
        self.0.iter().map(|(key, entry)| (key.as_str(), entry))
    }

    /// Keys in written order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Puts the keys in byte order, where order means nothing.
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
    /// A value with no place in a file.
    pub fn new(value: Value) -> Self {
        Node {
            value,
            span: Span::default(),
        }
    }

    /// The same value, said to stand at `span`.
    #[must_use]
    pub fn at(self, span: Span) -> Self {
        Node { span, ..self }
    }

    /// The text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The number, if it is a whole one.
    pub fn as_int(&self) -> Option<i64> {
        match self.value {
            Value::Int(value) => Some(value),
            _ => None,
        }
    }

    /// The elements, if it is a list.
    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, if it is a map (an intrinsic function is not).
    pub fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The entries, to change them.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match &mut self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The intrinsic function, if it is one.
    pub fn as_call(&self) -> Option<&IntrinsicCall> {
        match &self.value {
            Value::Call(call) => Some(call),
            _ => None,
        }
    }

    /// The value under a key, if it is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key)
    }

    /// The value at the end of a path of keys.
    pub fn at_path(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// What it is, in a word for an error message.
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
