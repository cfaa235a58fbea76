//! Evaluation of intrinsic functions.

use std::collections::HashMap;
use std::sync::Arc;

use stackgen_cfn::{Intrinsic, IntrinsicCall, Map, Node};

use super::{Branches, Piece, Resolved, Resolver, Text, Truth, Unknown, UnknownReason, express};

impl Resolver<'_> {
    pub(super) fn call(&self, call: &IntrinsicCall, node: &Node, depth: usize) -> Option<Resolved> {
        if self.budget.get() == 0 {
            return Some(self.too_large(node));
        }
        let argument = &*call.argument;
        let result = match call.function {
            Intrinsic::Ref => match argument.as_str() {
                Some(name) => return self.name(name, node, depth),
                None => None,
            },
            Intrinsic::If => match argument.as_list() {
                Some([name, yes, no]) => match name.as_str() {
                    Some(name) => return self.choose(name, [yes, no], node, depth),
                    None => None,
                },
                _ => None,
            },
            Intrinsic::GetAtt => self.get_att(argument, node, depth),
            Intrinsic::Sub => self.sub(argument, node, depth),
            Intrinsic::Join => self.join(argument, node, depth),
            Intrinsic::Select => self.select(argument, node, depth),
            Intrinsic::Split => self.split(argument, node, depth),
            Intrinsic::FindInMap => self.find_in_map(argument, node, depth),
            Intrinsic::Length => self.length(argument, node, depth),
            Intrinsic::And
            | Intrinsic::Or
            | Intrinsic::Not
            | Intrinsic::Equals
            | Intrinsic::Condition => Some(match self.truth(node, depth) {
                Truth::True => Resolved::Bool(true),
                Truth::False => Resolved::Bool(false),
                Truth::Unknown(unknown) => Resolved::Unknown(unknown),
            }),
            Intrinsic::ImportValue => Some(self.give_up(UnknownReason::Import, node, depth)),
            Intrinsic::Transform => Some(self.give_up(UnknownReason::Macro, node, depth)),
            Intrinsic::Base64 | Intrinsic::Cidr | Intrinsic::GetAZs | Intrinsic::ToJsonString => {
                Some(self.give_up(UnknownReason::NotComputed(call.function), node, depth))
            }
        };
        Some(
            result.unwrap_or_else(|| {
                self.give_up(UnknownReason::Malformed(call.function), node, depth)
            }),
        )
    }

    fn give_up(&self, reason: UnknownReason, node: &Node, depth: usize) -> Resolved {
        Resolved::Unknown(self.unknown(reason, node, depth))
    }

    fn choose(
        &self,
        name: &str,
        branches: [&Node; 2],
        node: &Node,
        depth: usize,
    ) -> Option<Resolved> {
        let [yes, no] = branches;
        let unknown = match self.named_condition(name, node.span, depth) {
            Truth::True => return self.at_depth(yes, depth),
            Truth::False => return self.at_depth(no, depth),
            Truth::Unknown(unknown) => unknown,
        };
        let (yes, no) = (self.at_depth(yes, depth), self.at_depth(no, depth));
        let branch = |value: &Option<Resolved>| serde_json::to_string(value).unwrap_or_default();
        let expression = format!("[{}]?{}:{}", unknown.expression, branch(&yes), branch(&no));
        let condition = name.to_owned();
        let hides = |branch: &Option<Resolved>| branch.as_ref().is_some_and(Resolved::is_hidden);
        let hidden = unknown.hidden || hides(&yes) || hides(&no);
        Some(Resolved::Unknown(Unknown {
            reason: UnknownReason::Condition(name.to_owned()),
            span: node.span,
            expression: express::shorten(expression).into(),
            branches: Some(Arc::new(Branches {
                condition,
                when: unknown.expression,
                yes,
                no,
            })),
            hidden,
        }))
    }

    fn get_att(&self, argument: &Node, node: &Node, depth: usize) -> Option<Resolved> {
        let [id, attribute] = argument.as_list()? else {
            return None;
        };
        let attribute = self.at_depth(attribute, depth)?;
        match attribute.as_literal() {
            Some(attribute) => Some(self.resource(id.as_str()?, Some(attribute), node, depth)),
            None => Some(self.give_up(UnknownReason::NotComputed(Intrinsic::GetAtt), node, depth)),
        }
    }

    fn sub(&self, argument: &Node, node: &Node, depth: usize) -> Option<Resolved> {
        let none = Map::new();
        let (template, variables) = match argument.as_list() {
            Some([template, variables]) => (template.as_str()?, variables.as_map()?),
            Some(_) => return None,
            None => (argument.as_str()?, &none),
        };
        let mut resolved = HashMap::new();
        for (name, variable) in variables.iter() {
            resolved.insert(name, self.at_depth(variable, depth)?.to_text()?);
        }
        let mut text = Text::new();
        let mut weight = template.len();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, tail)) = after.split_once('}') else {
                break;
            };
            text.push(Piece::Literal(before.to_owned()));
            match name.strip_prefix('!') {
                Some(literal) => text.push(Piece::Literal(format!("${{{literal}}}"))),
                None => {
                    let value = self.variable(name.trim(), &resolved, node, depth)?;
                    weight += value.weight();
                    if weight > self.budget.get() {
                        return Some(self.too_large(node));
                    }
                    text.append(value);
                }
            }
            rest = tail;
        }
        text.push(Piece::Literal(rest.to_owned()));
        Some(self.finish(text, node))
    }

    /// Returns the value of `${name}` in a `Sub`.
    fn variable(
        &self,
        name: &str,
        variables: &HashMap<&str, Text>,
        node: &Node,
        depth: usize,
    ) -> Option<Text> {
        if let Some(text) = variables.get(name) {
            return Some(text.clone());
        }
        match name.split_once('.') {
            Some((id, attribute)) => self.resource(id, Some(attribute), node, depth).to_text(),
            None => self.name(name, node, depth)?.to_text(),
        }
    }

    fn join(&self, argument: &Node, node: &Node, depth: usize) -> Option<Resolved> {
        let [delimiter, items] = argument.as_list()? else {
            return None;
        };
        let delimiter = delimiter.as_str()?;
        let items = match self.at_depth(items, depth)? {
            Resolved::List(items) => items,
            Resolved::Unknown(_) => {
                return Some(self.give_up(
                    UnknownReason::NotComputed(Intrinsic::Join),
                    node,
                    depth,
                ));
            }
            _ => return None,
        };
        let mut text = Text::new();
        let mut weight = 0;
        for (index, item) in items.iter().enumerate() {
            let item = item.to_text()?;
            weight += delimiter.len() + item.weight();
            if weight > self.budget.get() {
                return Some(self.too_large(node));
            }
            if index > 0 {
                text.push(Piece::Literal(delimiter.to_owned()));
            }
            text.append(item);
        }
        Some(self.finish(text, node))
    }

    fn select(&self, argument: &Node, node: &Node, depth: usize) -> Option<Resolved> {
        let [index, items] = argument.as_list()? else {
            return None;
        };
        let index = self.at_depth(index, depth)?;
        let items = self.at_depth(items, depth)?;
        match (index.as_int(), items) {
            (Some(index), Resolved::List(mut items)) => {
                let index = usize::try_from(index)
                    .ok()
                    .filter(|index| *index < items.len())?;
                Some(items.swap_remove(index))
            }
            (_, Resolved::List(_) | Resolved::Unknown(_)) => {
                Some(self.give_up(UnknownReason::NotComputed(Intrinsic::Select), node, depth))
            }
            _ => None,
        }
    }

    /// Evaluates `Split`. A text with a reference is not split, because the value of the reference may contain the
    /// delimiter.
    fn split(&self, argument: &Node, node: &Node, depth: usize) -> Option<Resolved> {
        let [delimiter, source] = argument.as_list()? else {
            return None;
        };
        let delimiter = delimiter
            .as_str()
            .filter(|delimiter| !delimiter.is_empty())?;
        let text = self.at_depth(source, depth)?.to_text()?;
        let Some(source) = text.as_literal() else {
            return Some(self.give_up(UnknownReason::NotComputed(Intrinsic::Split), node, depth));
        };
        let item = |item| Resolved::Text(Text::literal(item).hide(text.is_hidden()));
        Some(Resolved::List(source.split(delimiter).map(item).collect()))
    }

    fn find_in_map(&self, argument: &Node, node: &Node, depth: usize) -> Option<Resolved> {
        let [map, first, second, rest @ ..] = argument.as_list()? else {
            return None;
        };
        let mut keys = Vec::with_capacity(3);
        for key in [map, first, second] {
            keys.push(self.at_depth(key, depth)?.to_text()?);
        }
        let literals: Option<Vec<&str>> = keys.iter().map(Text::as_literal).collect();
        let default = rest.first().and_then(|options| options.get("DefaultValue"));
        let Some(literals) = literals else {
            let reason = UnknownReason::NotComputed(Intrinsic::FindInMap);
            return Some(self.give_up(reason, node, depth));
        };
        let path: Vec<&str> = std::iter::once("Mappings")
            .chain(literals.iter().copied())
            .collect();
        match (self.template.at_path(&path), default) {
            (Some(found), _) | (None, Some(found)) => {
                Some(self.repeated(self.at_depth(found, depth)?, node))
            }
            (None, None) => Some(self.give_up(
                UnknownReason::NotInMapping(literals[0].to_owned()),
                node,
                depth,
            )),
        }
    }

    fn length(&self, argument: &Node, node: &Node, depth: usize) -> Option<Resolved> {
        match self.at_depth(argument, depth)? {
            Resolved::List(items) => Some(Resolved::Int(i64::try_from(items.len()).ok()?)),
            Resolved::Unknown(_) => {
                Some(self.give_up(UnknownReason::NotComputed(Intrinsic::Length), node, depth))
            }
            _ => None,
        }
    }
}
