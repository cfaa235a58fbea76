//! Resolution of intrinsic functions, as far as a template and its inputs allow.
//!
//! Resolution is total: every node resolves to a [`Resolved`] value, and an undetermined value is an [`Unknown`] with a
//! reason, never a guess. Conditions and parameters are evaluated once. Nesting and growth are bounded.

mod condition;
mod express;
mod functions;
mod inputs;
mod names;
mod text;
mod truth;
mod unknown;
mod value;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

use stackgen_cfn::{Map, Node, Span, Value};

pub(crate) use express::json;
pub use inputs::Inputs;
pub use text::{Piece, Pseudo, Reference, Text};
pub use truth::Truth;
pub use unknown::{Branches, Unknown, UnknownReason};
pub use value::{Resolved, Setting};

use crate::{OrderedMap, Problem};

/// Limit of nesting. CloudFormation's own limit is far lower.
const MAX_DEPTH: usize = 128;

/// Limit in bytes for all resolved text of a template. A template has at most 1 MB, but nested `Sub`s double, and many
/// expressions may name one value.
const MAX_TEXT: usize = 16 << 20;

/// Resolver of the values of a template.
pub struct Resolver<'a> {
    template: &'a Node,
    inputs: &'a Inputs,
    /// Further names of resources: SAM's `Function.Version`.
    aliases: HashMap<String, String>,
    conditions: RefCell<condition::Conditions>,
    parameters: RefCell<HashMap<String, Resolved>>,
    /// Expressions of parameters and mappings by name.
    expressions: RefCell<HashMap<String, serde_json::Value>>,
    problems: RefCell<Vec<Problem>>,
    reported: RefCell<HashSet<String>>,
    budget: Cell<usize>,
    /// True if the current expression names a `NoEcho` parameter.
    expresses_hidden: Cell<bool>,
}

impl<'a> Resolver<'a> {
    /// Creates a resolver for a template, given its root.
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

    /// Resolves a node. `None` is `AWS::NoValue`, which removes the property.
    pub fn resolve(&self, node: &Node) -> Option<Resolved> {
        self.at_depth(node, 0)
    }

    /// Returns the problems so far, each once.
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }

    fn at_depth(&self, node: &Node, depth: usize) -> Option<Resolved> {
        if depth > MAX_DEPTH {
            // Without its expression, which would be nested as deeply.
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
        Resolved::Map(entries.collect::<OrderedMap<_, _>>())
    }

    /// Completes a text: replaces dynamic references, unwraps a lone unknown, and deducts its size from the limit.
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

    /// Deducts a size from the limit. Once that fails, it fails for everything after it, so that only one value is too
    /// large.
    fn pays(&self, weight: usize) -> bool {
        let left = self.budget.get().checked_sub(weight);
        self.budget.set(left.unwrap_or(0));
        left.is_some()
    }

    /// Returns a value that is repeated here from elsewhere in the template.
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
        // Writing an expression may evaluate a condition, which writes others in turn.
        let outer = self.expresses_hidden.replace(false);
        let expression = self.express(node, depth);
        let hidden = self.expresses_hidden.replace(outer);
        Unknown::new(reason, node.span, expression).hide(hidden)
    }

    /// Reports a problem, however often it occurs, once.
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
