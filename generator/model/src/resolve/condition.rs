//! Evaluation of conditions.

use std::collections::HashMap;

use stackgen_cfn::{Intrinsic, IntrinsicCall, Node};

use super::{Resolved, Resolver, Text, Truth, Unknown, UnknownReason, express};

/// State of the evaluation of a named condition.
#[derive(Clone, Debug)]
pub(super) enum ConditionState {
    Running,
    Done(Truth),
}

pub(super) type Conditions = HashMap<String, ConditionState>;

impl Resolver<'_> {
    /// Evaluates a condition by its name. Each condition is evaluated once.
    pub fn condition(&self, name: &str) -> Truth {
        self.condition_at(name, Default::default())
    }

    /// Evaluates a condition that is named at a location.
    pub(crate) fn condition_at(&self, name: &str, span: stackgen_cfn::Span) -> Truth {
        self.named_condition(name, span, 0)
    }

    pub(super) fn named_condition(
        &self,
        name: &str,
        span: stackgen_cfn::Span,
        depth: usize,
    ) -> Truth {
        let not_known = |reason| Truth::Unknown(Unknown::new(reason, span, name));
        match self.conditions.borrow().get(name) {
            Some(ConditionState::Done(truth)) => return truth.clone(),
            Some(ConditionState::Running) => {
                self.report_cycle(name, span);
                return not_known(UnknownReason::ConditionCycle(name.to_owned()));
            }
            None => {}
        }
        let Some(node) = self.template.at_path(&["Conditions", name]) else {
            self.report_no_condition(name, span);
            return not_known(UnknownReason::NoSuchCondition(name.to_owned()));
        };
        self.conditions
            .borrow_mut()
            .insert(name.to_owned(), ConditionState::Running);
        let truth = self.truth(node, depth + 1);
        self.conditions
            .borrow_mut()
            .insert(name.to_owned(), ConditionState::Done(truth.clone()));
        truth
    }

    /// Evaluates the expression of a condition.
    pub(super) fn truth(&self, node: &Node, depth: usize) -> Truth {
        if depth > super::MAX_DEPTH {
            return Truth::Unknown(self.unknown(UnknownReason::TooLarge, node, depth));
        }
        let Some(call) = node.as_call() else {
            return match node.as_bool() {
                Some(value) => value.into(),
                None => Truth::Unknown(self.unknown(
                    UnknownReason::WrongKind("a condition"),
                    node,
                    depth,
                )),
            };
        };
        let malformed =
            || Truth::Unknown(self.unknown(UnknownReason::Malformed(call.function), node, depth));
        match call.function {
            Intrinsic::Condition => match call.argument.as_str() {
                Some(name) => self.named_condition(name, node.span, depth + 1),
                None => malformed(),
            },
            Intrinsic::Not => match call.argument.as_list() {
                Some([inner]) => match self.truth(inner, depth + 1) {
                    Truth::True => Truth::False,
                    Truth::False => Truth::True,
                    Truth::Unknown(inner) => self.combined(call, node, &[inner]),
                },
                _ => malformed(),
            },
            Intrinsic::And | Intrinsic::Or => match call.argument.as_list() {
                Some(items) => self.and_or(call, node, items, depth),
                None => malformed(),
            },
            Intrinsic::Equals => match call.argument.as_list() {
                Some([left, right]) => self.equals(call, node, [left, right], depth),
                _ => malformed(),
            },
            _ => malformed(),
        }
    }

    fn and_or(&self, call: &IntrinsicCall, node: &Node, items: &[Node], depth: usize) -> Truth {
        let decisive = Truth::from(call.function == Intrinsic::Or);
        let mut unknowns = Vec::new();
        for item in items {
            match self.truth(item, depth + 1) {
                Truth::Unknown(unknown) => unknowns.push(unknown),
                truth if truth == decisive => return decisive,
                _ => {}
            }
        }
        if unknowns.is_empty() {
            return Truth::from(call.function == Intrinsic::And);
        }
        self.combined(call, node, &unknowns)
    }

    fn equals(&self, call: &IntrinsicCall, node: &Node, sides: [&Node; 2], depth: usize) -> Truth {
        let [left, right] = sides.map(|side| self.at_depth(side, depth + 1).unwrap_or_default());
        let texts = (left.to_text(), right.to_text());
        if let (Some(left), Some(right)) = &texts {
            if let (Some(left), Some(right)) = (left.as_literal(), right.as_literal()) {
                return (left == right).into();
            }
            if left == right && left.unknown().is_none() {
                return Truth::True;
            }
        }
        let hidden = left.is_hidden() || right.is_hidden();
        let side = |text: Option<Text>, value: &Resolved| match text {
            Some(text) => text.to_string(),
            None => serde_json::to_string(value).unwrap_or_default(),
        };
        let (left, right) = (side(texts.0, &left), side(texts.1, &right));
        let expression = express::shorten(format!("{}({left},{right})", call.function));
        Truth::Unknown(
            Unknown::new(
                UnknownReason::NotComputed(call.function),
                node.span,
                expression,
            )
            .hide(hidden),
        )
    }

    /// Combines conditions. The result contains their expressions, because a name alone would hide a change.
    fn combined(&self, call: &IntrinsicCall, node: &Node, parts: &[Unknown]) -> Truth {
        let expressions: Vec<&str> = parts.iter().map(|part| &*part.expression).collect();
        let expression = express::shorten(format!("{}({})", call.function, expressions.join(",")));
        let reason = match parts {
            [only] => only.reason.clone(),
            _ => UnknownReason::NotComputed(call.function),
        };
        let hidden = parts.iter().any(|part| part.hidden);
        Truth::Unknown(Unknown::new(reason, node.span, expression).hide(hidden))
    }
}
