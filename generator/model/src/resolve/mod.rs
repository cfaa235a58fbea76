//! Working intrinsic functions out, as far as a template and its inputs allow.
//!
//! Resolution is total: whatever stands in a document comes to a [`Resolved`] value, and what cannot be known is an
//! [`Unknown`] with a reason, never a guess. Conditions and parameters are worked out once, nesting and growth are
//! bounded.

mod condition;
mod express;
mod functions;
mod inputs;
mod names;
mod text;
mod unknown;
mod value;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;
use stackgen_cfn::{Map, Node, Span, Value};

pub use condition::Truth;
pub(crate) use express::json;
pub use inputs::Inputs;
pub use text::{Piece, Pseudo, Reference, Text};
pub use unknown::{Branches, Unknown, UnknownReason};
pub use value::{Resolved, Setting};

use crate::Problem;

/// How deeply values may nest; CloudFormation itself stops far earlier.
const MAX_DEPTH: usize = 128;

/// How much text one template may be resolved to, in bytes. A template is at most 1 MB, but `Sub` in `Sub` doubles, and
/// a value of a parameter or a mapping may be named very often.
const MAX_TEXT: usize = 16 << 20;

/// Works out the values of one template.
pub struct Resolver<'a> {
    template: &'a Node,
    inputs: &'a Inputs,
    /// Names besides logical ids that stand for a resource: SAM's `Function.Version`.
    aliases: HashMap<String, String>,
    conditions: RefCell<condition::Conditions>,
    parameters: RefCell<HashMap<String, Resolved>>,
    /// What names of parameters and mappings stand for in expressions.
    expressions: RefCell<HashMap<String, serde_json::Value>>,
    problems: RefCell<Vec<Problem>>,
    reported: RefCell<HashSet<String>>,
    budget: Cell<usize>,
    /// True when what is being expressed names a `NoEcho` parameter.
    expresses_hidden: Cell<bool>,
}

impl<'a> Resolver<'a> {
    /// A resolver for the template whose root this is.
    pub fn new(template: &'a Node, inputs: &'a Inputs) -> Self {
        Resolver {
            template,
            inputs,
            aliases: HashMap::new(),
            conditions: RefCell::default(),
            parameters: RefCell::default(),
            expressions: RefCell::default(),
            problems: RefCell::default(),
            reported: RefCell::default(),
            budget: Cell::new(MAX_TEXT),
            expresses_hidden: Cell::new(false),
        }
    }

    pub(crate) fn with_aliases(mut self, aliases: HashMap<String, String>) -> Self {
        self.aliases = aliases;
        self
    }

    /// The value of a node; `None` for `AWS::NoValue`, which removes the property.
    pub fn resolve(&self, node: &Node) -> Option<Resolved> {
        self.at_depth(node, 0)
    }

    /// What was found wrong so far, each thing once.
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }

    fn at_depth(&self, node: &Node, depth: usize) -> Option<Resolved> {
        if depth > MAX_DEPTH {
            // Not expressed: the expression of something this deep would be as deep.
            return Some(Resolved::Unknown(Unknown::new(
                UnknownReason::TooLarge,
                node.span,
                "",
            )));
        }
        Some(match &node.value {
            Value::Null => Resolved::Null,
            Value::Bool(value) => Resolved::Bool(*value),
            Value::Int(value) => Resolved::Int(*value),
            Value::Float(value) => Resolved::Float(*value),
            Value::String(text) => self.finish(Text::literal(text.as_str()), node),
            Value::List(items) => Resolved::List(self.all(items, depth + 1)),
            Value::Map(map) => self.map(map, node, depth + 1),
            Value::Call(call) => return self.call(call, node, depth + 1),
        })
    }

    fn all(&self, items: &[Node], depth: usize) -> Vec<Resolved> {
        items
            .iter()
            .filter_map(|item| self.at_depth(item, depth))
            .collect()
    }

    fn map(&self, map: &Map, node: &Node, depth: usize) -> Resolved {
        if let Some(key) = map.keys().find(|key| key.starts_with("Fn::")) {
            let reason = if key.starts_with("Fn::ForEach") {
                UnknownReason::ForEach
            } else if key == "Fn::Transform" {
                UnknownReason::Macro
            } else {
                UnknownReason::NoSuchFunction(key.to_owned())
            };
            return Resolved::Unknown(self.unknown(reason, node, depth));
        }
        let entries = map
            .iter()
            .filter_map(|(key, node)| Some((key.to_owned(), self.at_depth(node, depth)?)));
        Resolved::Map(entries.collect::<IndexMap<_, _>>())
    }

    /// A finished text: dynamic references taken out, a lone unknown made one, growth paid for.
    fn finish(&self, text: Text, node: &Node) -> Resolved {
        if !self.pays(text.weight()) {
            return self.too_large(node);
        }
        let text = text.with_dynamic_references(node.span);
        match text.pieces() {
            [Piece::Unknown(unknown)] => Resolved::Unknown(unknown.clone().hide(text.is_hidden())),
            _ => Resolved::Text(text),
        }
    }

    /// Pays for what was made. Where that cannot be paid, nothing can be after it: what is too large is made once.
    fn pays(&self, weight: usize) -> bool {
        let left = self.budget.get().checked_sub(weight);
        self.budget.set(left.unwrap_or(0));
        left.is_some()
    }

    /// A value that stands elsewhere in the template and is repeated here.
    fn repeated(&self, value: Resolved, node: &Node) -> Resolved {
        match self.pays(value.weight()) {
            true => value,
            false => self.too_large(node),
        }
    }

    fn too_large(&self, node: &Node) -> Resolved {
        self.budget.set(0);
        Resolved::Unknown(Unknown::new(UnknownReason::TooLarge, node.span, ""))
    }

    fn unknown(&self, reason: UnknownReason, node: &Node, depth: usize) -> Unknown {
        // Expressing may evaluate a condition, which expresses others in turn.
        let outer = self.expresses_hidden.replace(false);
        let expression = self.express(node, depth);
        let hidden = self.expresses_hidden.replace(outer);
        Unknown::new(reason, node.span, expression).hide(hidden)
    }

    /// Reports a problem once, however often it is met.
    fn report(&self, key: String, problem: impl FnOnce() -> Problem) {
        if self.reported.borrow_mut().insert(key) {
            self.problems.borrow_mut().push(problem());
        }
    }

    fn report_cycle(&self, name: &str, span: Span) {
        self.report(format!("cycle {name}"), || {
            Problem::new(format!("condition {name} depends on itself"), span)
        });
    }

    fn report_no_condition(&self, name: &str, span: Span) {
        self.report(format!("condition {name}"), || {
            Problem::new(format!("there is no condition {name}"), span)
                .with_hint("define it under Conditions, or correct the name")
        });
    }
}
