//! References of the template's own words: `!Ref`, `!GetAtt` and `!Sub` in a stackgen.yaml must name something.

use std::collections::BTreeSet;

use stackgen_cfn::{Call, Function, Map, Node, Span, Value};

use super::nearest;
use crate::Problem;
use crate::load::Places;
use crate::render::{Collision, logical_ids};
use crate::spec::Spec;

/// Checks every reference of the document, that conditions and mappings that are named are there, and that no two
/// things come to one logical id.
pub(super) fn check(
    document: &Node,
    spec: &Spec,
    environment: &str,
    whole: bool,
    problems: &mut Vec<Problem>,
) {
    let keys = |section: &str| -> BTreeSet<String> {
        let map = document.get(section).and_then(Node::as_map);
        map.into_iter()
            .flat_map(|map| map.keys().map(str::to_owned))
            .collect()
    };
    let (mut resources, collisions) = logical_ids(spec, environment, document);
    let places = Places(document);
    let collided = collisions
        .iter()
        .map(|collision| collided(&places, collision));
    // Two keys of one route were told already.
    let untold: Vec<_> = collided
        .filter(|one| problems.iter().all(|told| told.span != one.span))
        .collect();
    problems.extend(untold);
    for section in ["parameters", "resources"] {
        let taken = keys(section)
            .into_iter()
            .filter(|id| resources.contains(id) || !fits(id));
        problems.extend(taken.map(|id| refused(&places, section, &id)));
    }
    for id in keys("parameters").intersection(&keys("resources")) {
        let problem = Problem::new(
            places.key(&["resources", id]),
            format!("`{id}` is a parameter's name already"),
        );
        problems.push(problem.related(places.key(&["parameters", id]), "the parameter"));
    }
    resources.extend(keys("resources"));
    let mut walker = Walker {
        parameters: keys("parameters"),
        conditions: keys("conditions"),
        mappings: keys("mappings"),
        resources,
        whole,
        problems,
    };
    let sections = document.as_map().into_iter().flat_map(Map::iter);
    // The environments' parts were merged into the rest.
    sections
        .filter(|(key, _)| *key != "environments")
        .for_each(|(_, node)| walker.node(node));
}

/// Two parts of the file whose names come to one logical id.
fn collided(places: &Places<'_>, collision: &Collision) -> Problem {
    let key = |path: &[String]| places.key(&path.iter().map(String::as_str).collect::<Vec<_>>());
    let name = collision.second.last().map_or("", String::as_str);
    let message = format!(
        "`{name}` comes to the logical id `{}`, which is taken",
        collision.id
    );
    let problem = Problem::new(key(&collision.second), message);
    problem
        .related(key(&collision.first), "by this one")
        .hint("logical ids have letters and digits only, so names that differ in signs alone meet: rename one of them")
}

fn fits(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric())
}

/// A logical id of the file's own that stackgen makes itself, or that CloudFormation does not take.
fn refused(places: &Places<'_>, section: &str, id: &str) -> Problem {
    let span = places.key(&[section, id]);
    if fits(id) {
        Problem::new(span, format!("stackgen makes a resource `{id}` itself"))
            .hint("give this one another logical id")
    } else {
        Problem::new(span, format!("`{id}` cannot be a logical id")).hint("letters and digits only")
    }
}

struct Walker<'a> {
    parameters: BTreeSet<String>,
    conditions: BTreeSet<String>,
    mappings: BTreeSet<String>,
    resources: BTreeSet<String>,
    /// False where resources may be missing because parts of the file could not be read.
    whole: bool,
    problems: &'a mut Vec<Problem>,
}

impl Walker<'_> {
    fn node(&mut self, node: &Node) {
        match &node.value {
            Value::List(items) => items.iter().for_each(|item| self.node(item)),
            Value::Map(map) => map.iter().for_each(|(_, node)| self.node(node)),
            Value::Call(call) => self.call(call),
            _ => {}
        }
    }

    fn call(&mut self, call: &Call) {
        let argument = &call.argument;
        match call.function {
            Function::Ref => {
                if let Some(name) = argument.as_str() {
                    self.reference(name, argument.span);
                }
            }
            Function::GetAtt => {
                if let Some((id, _)) = call.as_get_att() {
                    self.resource(id, argument.span);
                }
            }
            Function::Sub => self.sub(argument),
            Function::Condition => self.condition(argument),
            Function::If => {
                if let Some([name, ..]) = argument.as_list() {
                    self.condition(name);
                }
                self.node(argument);
            }
            Function::FindInMap => {
                if let Some(name) = argument.as_list().and_then(|items| items.first()?.as_str()) {
                    self.known(name, argument.span, "mapping", &self.mappings.clone());
                }
                self.node(argument);
            }
            _ => self.node(argument),
        }
    }

    fn sub(&mut self, argument: &Node) {
        let (text, variables) = match &argument.value {
            Value::String(text) => (text.as_str(), None),
            Value::List(items) => match items.as_slice() {
                [text, variables] => (text.as_str().unwrap_or_default(), Some(variables)),
                _ => return,
            },
            _ => return,
        };
        for name in placeholders(text) {
            if variables.is_some_and(|variables| variables.get(name).is_some()) {
                continue;
            }
            match name.split_once('.') {
                Some((id, _)) => self.resource(id, argument.span),
                None => self.reference(name, argument.span),
            }
        }
        if let Some(variables) = variables {
            self.node(variables);
        }
    }

    fn reference(&mut self, name: &str, span: Span) {
        if name.starts_with("AWS::") {
            self.pseudo(name, span);
        } else if !self.parameters.contains(name) {
            self.resource(name, span);
        }
    }

    fn pseudo(&mut self, name: &str, span: Span) {
        const PSEUDO: [&str; 8] = [
            "AWS::AccountId",
            "AWS::NoValue",
            "AWS::NotificationARNs",
            "AWS::Partition",
            "AWS::Region",
            "AWS::StackId",
            "AWS::StackName",
            "AWS::URLSuffix",
        ];
        if !PSEUDO.contains(&name) {
            self.unknown(name, span, "pseudo parameter", nearest(name, PSEUDO));
        }
    }

    fn resource(&mut self, id: &str, span: Span) {
        if self.resources.contains(id) || !self.whole {
            return;
        }
        let near = nearest(
            id,
            self.parameters
                .iter()
                .chain(&self.resources)
                .map(String::as_str),
        )
        .map(str::to_owned);
        self.unknown(id, span, "parameter or resource", near.as_deref());
    }

    fn condition(&mut self, node: &Node) {
        if let Some(name) = node.as_str() {
            self.known(name, node.span, "condition", &self.conditions.clone());
        }
    }

    fn known(&mut self, name: &str, span: Span, kind: &str, names: &BTreeSet<String>) {
        if !names.contains(name) {
            self.unknown(
                name,
                span,
                kind,
                nearest(name, names.iter().map(String::as_str)),
            );
        }
    }

    fn unknown(&mut self, name: &str, span: Span, kind: &str, near: Option<&str>) {
        let problem = Problem::new(span, format!("there is no {kind} `{name}`"));
        self.problems.push(match near {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None if matches!(kind, "condition" | "mapping") => problem.hint(format!("declare it under `{kind}s`")),
            None => problem.hint("`stackgen synth` shows the logical ids of what it makes; parameters stand under `parameters`"),
        });
    }
}

/// The names between `${` and `}`; `${!Name}` is text.
pub(crate) fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).filter_map(|rest| {
        let name = rest.split_once('}')?.0.trim();
        (!name.starts_with('!') && !name.is_empty()).then_some(name)
    })
}
