//! Circular dependencies. CloudFormation creates a resource after everything that the resource refers to.

use std::collections::{BTreeMap, BTreeSet};

use stackgen_cfn::{Intrinsic, Node, Span, Value};

use crate::LocatedError;
use crate::outline::TemplateOutline;
use crate::references::{depends_on, sub_names};
use crate::spans::DocumentSpans;

/// Maximum number of names of a cycle in a message.
const MAX_NAMES: usize = 12;

/// Checks that neither resources nor conditions refer to themselves, directly or through others.
pub(super) fn check(document: &Node, outline: &TemplateOutline, errors: &mut Vec<LocatedError>) {
    check_resources(document, outline, errors);
    check_conditions(document, errors);
}

fn check_resources(document: &Node, outline: &TemplateOutline, errors: &mut Vec<LocatedError>) {
    let ids: Vec<&str> = outline.resources.keys().map(String::as_str).collect();
    let mut graph = ReferenceGraph::new(ids);
    for (index, (node, _)) in outline.resources.values().enumerate() {
        each_reference(node, &mut |id, span| graph.add(index, id, span));
        for id in depends_on(node) {
            graph.add(index, id.as_str().unwrap_or_default(), id.span);
        }
    }
    let locate = |from: usize, edge: Edge| {
        // A value that was converted through types has lost its span. Look for the reference in the entry that the
        // resource was made for.
        let (_, (_, origin)) = outline.resources.get_index(from)?;
        let entry = origin
            .iter()
            .try_fold(document, |node, key| node.get(key))?;
        let mut found = None;
        each_reference(entry, &mut |id, span| {
            if id == graph.ids[edge.to] {
                found = found.or(Some(span));
            }
        });
        found
    };
    // A reference in `functionDefaults` closes a cycle with every function. Report it once.
    let mut reported = BTreeSet::new();
    for cycle in graph.cycles(locate) {
        let span = cycle
            .span
            .unwrap_or_else(|| DocumentSpans(document).key(&["name"]));
        if !reported.insert(span) {
            continue;
        }
        let message = match cycle.names.as_slice() {
            [one] => format!("`{one}` refers to itself"),
            _ => format!("circular dependency between resources: {}", cycle.path),
        };
        let hint = match cycle
            .names
            .iter()
            .any(|name| outline.deployments.contains(name))
        {
            true => {
                "remove the reference, or write the stage's name instead: a stage depends on its deployment, which \
                 depends on every part of the API and on its functions"
            }
            false => {
                "remove one of the references: CloudFormation creates a resource after everything that it refers to"
            }
        };
        errors.push(LocatedError::new(span, message).hint(hint));
    }
}

fn check_conditions(document: &Node, errors: &mut Vec<LocatedError>) {
    let Some(conditions) = document.get("conditions").and_then(Node::as_map) else {
        return;
    };
    let mut graph = ReferenceGraph::new(conditions.keys().collect());
    for (index, (_, node)) in conditions.iter().enumerate() {
        each_condition(node, &mut |name, span| graph.add(index, name, span));
    }
    for cycle in graph.cycles(|_, _| None) {
        let message = match cycle.names.as_slice() {
            [one] => format!("`{one}` refers to itself"),
            _ => format!("circular dependency between conditions: {}", cycle.path),
        };
        let span = cycle.span.unwrap_or(document.span);
        errors.push(LocatedError::new(span, message).hint(
            "remove one of the references; in the end, conditions compare \
                parameters",
        ));
    }
}

/// Calls `visit` with every name in `Ref`, `GetAtt` and `Sub`, and its span.
fn each_reference<'a>(node: &'a Node, visit: &mut dyn FnMut(&'a str, Span)) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| each_reference(item, visit)),
        Value::Map(map) => map.iter().for_each(|(_, node)| each_reference(node, visit)),
        Value::Call(call) => {
            let argument = &call.argument;
            match call.function {
                Intrinsic::Ref => visit(call.as_ref_name().unwrap_or_default(), argument.span),
                Intrinsic::GetAtt => {
                    if let Some((id, _)) = call.as_get_att() {
                        visit(id, argument.span);
                    }
                }
                Intrinsic::Sub => {
                    for name in sub_names(argument) {
                        let id = name.split_once('.').map_or(name, |(id, _)| id);
                        visit(id, argument.span);
                    }
                    each_reference(argument, visit);
                }
                _ => each_reference(argument, visit),
            }
        }
        _ => {}
    }
}

fn each_condition<'a>(node: &'a Node, visit: &mut dyn FnMut(&'a str, Span)) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| each_condition(item, visit)),
        Value::Map(map) => map.iter().for_each(|(_, node)| each_condition(node, visit)),
        Value::Call(call) => {
            if call.function == Intrinsic::Condition {
                visit(
                    call.argument.as_str().unwrap_or_default(),
                    call.argument.span,
                );
            }
            each_condition(&call.argument, visit);
        }
        _ => {}
    }
}

/// Reference to another node of the graph, with its span if it is in the file.
#[derive(Clone, Copy)]
struct Edge {
    to: usize,
    span: Span,
}

struct ReferenceGraph<'a> {
    ids: Vec<&'a str>,
    index: BTreeMap<&'a str, usize>,
    edges: Vec<Vec<Edge>>,
}

/// Nodes that depend on each other.
struct Cycle {
    /// Span of one of the references.
    span: Option<Span>,
    /// Names of the nodes, at most [`MAX_NAMES`].
    names: Vec<String>,
    /// The names with arrows between them; the first name is repeated at the end.
    path: String,
}

impl<'a> ReferenceGraph<'a> {
    fn new(ids: Vec<&'a str>) -> Self {
        let index = ids.iter().enumerate().map(|(n, id)| (*id, n)).collect();
        let edges = vec![Vec::new(); ids.len()];
        ReferenceGraph { ids, index, edges }
    }

    /// Adds a reference, if its target is in this graph.
    fn add(&mut self, from: usize, to: &str, span: Span) {
        if let Some(&to) = self.index.get(to) {
            self.edges[from].push(Edge { to, span });
        }
    }

    /// Returns every cycle, once per reference of the file that closes it. `locate` finds the span of a reference that
    /// has lost it.
    fn cycles(&self, locate: impl Fn(usize, Edge) -> Option<Span>) -> Vec<Cycle> {
        const UNSEEN: usize = usize::MAX;
        const DONE: usize = usize::MAX - 1;
        let mut found = Vec::new();
        // Position of each node on the path.
        let mut position = vec![UNSEEN; self.ids.len()];
        for root in 0..self.ids.len() {
            if position[root] != UNSEEN {
                continue;
            }
            position[root] = 0;
            // Nodes on the path, with the number of their references that were followed.
            let mut path = vec![(root, 0)];
            // Positions whose reference to the next node was reported.
            let mut reported: Vec<usize> = Vec::new();
            while let Some(&mut (at, ref mut followed)) = path.last_mut() {
                let Some(edge) = self.edges[at].get(*followed).copied() else {
                    position[at] = DONE;
                    path.pop();
                    reported.pop_if(|step| *step + 1 >= path.len());
                    continue;
                };
                *followed += 1;
                match position[edge.to] {
                    UNSEEN => {
                        position[edge.to] = path.len();
                        path.push((edge.to, 0));
                    }
                    DONE => {}
                    // A cycle that contains a reported reference is not new.
                    start if reported.last().is_some_and(|&step| step >= start) => {}
                    start => {
                        let (step, span) = self.last_located(&path[start..], &locate);
                        if start + step + 1 < path.len() {
                            reported.push(start + step);
                        }
                        found.push(self.describe(&path[start..], step, span));
                    }
                }
            }
        }
        found
    }

    /// Returns the position and the span of the last reference of a cycle that is in the file.
    fn last_located(
        &self,
        path: &[(usize, usize)],
        locate: &impl Fn(usize, Edge) -> Option<Span>,
    ) -> (usize, Option<Span>) {
        let steps = path.iter().enumerate().rev();
        let mut steps = steps.filter_map(|(step, &(from, followed))| {
            let edge = self.edges[from][followed - 1];
            let span = match edge.span.file {
                Some(_) => Some(edge.span),
                None => locate(from, edge),
            };
            Some((step, Some(span?)))
        });
        steps.next().unwrap_or((0, None))
    }

    /// Describes a cycle. It begins with the node of the reported reference.
    fn describe(&self, path: &[(usize, usize)], step: usize, span: Option<Span>) -> Cycle {
        let rotated = path[step..].iter().chain(&path[..step]).take(MAX_NAMES);
        let names: Vec<String> = rotated.map(|&(at, _)| self.ids[at].to_owned()).collect();
        let mut quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        if path.len() > MAX_NAMES {
            quoted.push("…".to_owned());
        }
        quoted.extend(quoted.first().cloned());
        Cycle {
            span,
            path: quoted.join(" → "),
            names,
        }
    }
}
