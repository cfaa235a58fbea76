//! Block YAML, in the style of CloudFormation templates.

use super::scalar::{self, ScalarContext};
use crate::{IntrinsicCall, Node, Value};

/// Maximum width of a line with a list in brackets.
const MAX_WIDTH: usize = 100;

/// Maximum nesting of brackets in one line: `!Join ['', [a, b]]`.
const MAX_BRACKETS: usize = 2;

/// Maximum length of a key that is written without `?`. YAML's limit is 1024 characters.
const MAX_KEY: usize = 1000;

pub(super) fn write(node: &Node) -> String {
    let mut writer = Writer { out: String::new() };
    writer.node(node, 0, Lead::Root);
    writer.out
}

pub(super) fn after(node: &Node, column: usize, lead: Lead) -> String {
    let mut writer = Writer { out: String::new() };
    writer.node(node, column, lead);
    let end = writer.out.trim_end_matches('\n').len();
    writer.out.truncate(end);
    writer.out
}

pub(super) fn line(node: &Node) -> String {
    match &node.value {
        Value::List(items) => format!("[{}]", lines(items.iter().map(line))),
        Value::Map(map) => {
            let entry = |(key, node)| {
                format!(
                    "{}: {}",
                    scalar::string(key, ScalarContext::Flow),
                    line(node)
                )
            };
            format!("{{{}}}", lines(map.iter().map(entry)))
        }
        Value::Call(call) => short(call, ScalarContext::Flow).unwrap_or_else(|| {
            let argument = line(&call.argument);
            match call.argument.value {
                Value::List(_) | Value::Map(_) => format!("{} {argument}", call.function),
                // A tag turns a scalar into a string, and a node cannot have two tags.
                _ => format!("{{'{}': {argument}}}", call.function.long_name()),
            }
        }),
        // The arms above handle everything that is not a leaf.
        value => leaf(value, ScalarContext::Flow).unwrap_or_default(),
    }
}

fn lines(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// Text before a node on its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lead {
    /// Nothing.
    Root,
    /// `key:`
    Key,
    /// `-`
    Dash,
    /// `!Tag`
    Tag,
}

struct Writer {
    out: String,
}

impl Writer {
    /// Writes a node and the end of its line. The lines of a collection begin at `column`.
    fn node(&mut self, node: &Node, column: usize, lead: Lead) {
        match &node.value {
            Value::Map(map) if !map.is_empty() => self.map(map.iter(), column, lead),
            Value::List(items) if !items.is_empty() => self.list(items, column, lead),
            Value::Call(call) => self.call(call, column, lead),
            Value::String(text) if column > 0 && scalar::is_literal(text) => {
                self.literal(text, column)
            }
            value => {
                // The arms above handle everything that is not a leaf.
                let text = leaf(value, ScalarContext::Block).unwrap_or_default();
                self.word(&text, lead);
                self.out.push('\n');
            }
        }
    }

    fn map<'n>(
        &mut self,
        entries: impl Iterator<Item = (&'n str, &'n Node)>,
        column: usize,
        lead: Lead,
    ) {
        self.begin(lead);
        for (index, (key, node)) in entries.enumerate() {
            self.indent(index, column, lead);
            let key = scalar::string(key, ScalarContext::Block);
            if key.len() > MAX_KEY {
                self.out.push_str("? ");
                self.out.push_str(&key);
                self.out.push('\n');
                self.indent(1, column, lead);
            } else {
                self.out.push_str(&key);
            }
            self.out.push(':');
            self.node(node, column + 2, Lead::Key);
        }
    }

    fn list(&mut self, items: &[Node], column: usize, lead: Lead) {
        self.begin(lead);
        for (index, node) in items.iter().enumerate() {
            self.indent(index, column, lead);
            self.out.push('-');
            self.node(node, column + 2, Lead::Dash);
        }
    }

    fn call(&mut self, call: &IntrinsicCall, column: usize, lead: Lead) {
        let tag = call.function.to_string();
        match &call.argument.value {
            Value::String(text) if column > 0 && scalar::is_literal(text) => {
                self.word(&tag, lead);
                return self.literal(text, column);
            }
            _ => {}
        }
        let room = MAX_WIDTH.saturating_sub(self.line_width() + 1);
        if let Some(text) =
            short(call, ScalarContext::Block).or_else(|| flow_call(call, room, MAX_BRACKETS))
        {
            self.word(&text, lead);
            self.out.push('\n');
            return;
        }
        match &call.argument.value {
            Value::List(items) => {
                self.word(&tag, lead);
                self.list(items, column, Lead::Tag);
            }
            Value::Map(map) => {
                self.word(&tag, lead);
                self.map(map.iter(), column, Lead::Tag);
            }
            // A node cannot have two tags.
            _ => {
                let entry = (call.function.long_name(), &*call.argument);
                self.map(std::iter::once(entry), column, lead);
            }
        }
    }

    /// Writes ` |` and the lines of a text.
    fn literal(&mut self, text: &str, column: usize) {
        let chomp = if text.ends_with('\n') { " |" } else { " |-" };
        self.out.push_str(chomp);
        self.out.push('\n');
        for line in text.lines() {
            if !line.is_empty() {
                self.spaces(column);
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
    }

    fn word(&mut self, text: &str, lead: Lead) {
        if lead != Lead::Root {
            self.out.push(' ');
        }
        self.out.push_str(text);
    }

    /// Moves to the start of a collection: the next line, or after the dash.
    fn begin(&mut self, lead: Lead) {
        match lead {
            Lead::Root => {}
            Lead::Dash => self.out.push(' '),
            Lead::Key | Lead::Tag => self.out.push('\n'),
        }
    }

    /// Indents an item, unless it is the first one and continues the same line.
    fn indent(&mut self, index: usize, column: usize, lead: Lead) {
        if index > 0 || matches!(lead, Lead::Key | Lead::Tag) {
            self.spaces(column);
        }
    }

    fn spaces(&mut self, count: usize) {
        self.out.extend(std::iter::repeat_n(' ', count));
    }

    fn line_width(&self) -> usize {
        let line = self.out.rfind('\n').map_or(0, |at| at + 1);
        self.out[line..].chars().count()
    }
}

/// Returns a value without children on one line.
fn leaf(value: &Value, context: ScalarContext) -> Option<String> {
    match value {
        Value::Null => Some("null".to_owned()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Int(value) => Some(value.to_string()),
        Value::Float(value) => Some(scalar::float(*value)),
        Value::String(text) => Some(scalar::string(text, context)),
        Value::List(items) if items.is_empty() => Some("[]".to_owned()),
        Value::Map(map) if map.is_empty() => Some("{}".to_owned()),
        Value::List(_) | Value::Map(_) | Value::Call(_) => None,
    }
}

/// Returns a call with a scalar argument on one line: `!Ref X`, `!GetAtt A.B`. Returns `None` if the argument needs its
/// own lines, or if the call needs its long form, because a tag turns every scalar into a string.
fn short(call: &IntrinsicCall, context: ScalarContext) -> Option<String> {
    let argument = match (&call.argument.value, call.as_get_att()) {
        // A parser splits it at the first dot.
        (_, Some((id, attribute))) if !id.contains('.') => {
            scalar::string(&format!("{id}.{attribute}"), context)
        }
        (Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_), _) => return None,
        (value, _) => leaf(value, context)?,
    };
    Some(format!("{} {argument}", call.function))
}

/// Returns a node within brackets, unless it contains a mapping or a text of several lines, needs more than `room`
/// characters, or nests brackets more than `brackets` levels deep.
fn flow(node: &Node, room: usize, brackets: usize) -> Option<String> {
    let text = match &node.value {
        Value::String(text) if text.len() > 4 * MAX_WIDTH || text.contains('\n') => return None,
        Value::List(items) if !items.is_empty() => flow_list(items, room, brackets)?,
        Value::Call(call) => flow_call(call, room, brackets)?,
        value => leaf(value, ScalarContext::Flow)?,
    };
    (text.chars().count() <= room).then_some(text)
}

fn flow_call(call: &IntrinsicCall, room: usize, brackets: usize) -> Option<String> {
    match (&call.argument.value, short(call, ScalarContext::Flow)) {
        (Value::String(text), _) if text.len() > 4 * MAX_WIDTH || text.contains('\n') => None,
        (_, Some(text)) => Some(text),
        (Value::List(items), None) => {
            let tag = call.function.to_string();
            let list = flow_list(items, room.checked_sub(tag.len() + 1)?, brackets)?;
            Some(format!("{tag} {list}"))
        }
        _ => None,
    }
}

fn flow_list(items: &[Node], room: usize, brackets: usize) -> Option<String> {
    let inner = brackets.checked_sub(1)?;
    let mut out = String::from("[");
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        let left = room.checked_sub(out.chars().count() + 1)?;
        out.push_str(&flow(item, left, inner)?);
    }
    out.push(']');
    Some(out)
}
