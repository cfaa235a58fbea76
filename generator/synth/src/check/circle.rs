//! What waits for itself: CloudFormation makes a resource after all that it refers to.

use std::collections::{BTreeMap, BTreeSet};

use stackgen_cfn::{Intrinsic, Node, Span, Value};

use crate::LocatedError;
use crate::outline::Outline;
use crate::references::{depends_on, substituted};
use crate::spans::DocumentSpans;

/// How many names of a circle are told.
const NAMES: usize = 12;

/// Checks that neither resources nor conditions refer to themselves, by whatever way round.
pub(super) fn check(document: &Node, outline: &Outline, errors: &mut Vec<LocatedError>) {
    resources(document, outline, errors);
    conditions(document, errors);
}

fn resources(document: &Node, outline: &Outline, errors: &mut Vec<LocatedError>) {
    let ids: Vec<&str> = outline.resources.keys().map(String::as_str).collect();
    let mut graph = Graph::new(ids);
    for (index, (node, _)) in outline.resources.values().enumerate() {
        each_reference(node, &mut |id, span| graph.add(index, id, span));
        for id in depends_on(node) {
            graph.add(index, id.as_str().unwrap_or_default(), id.span);
        }
    }
    let place = |from: usize, edge: Edge| {
        // What was typed on its way has no place any more: it is looked for in the entry it came from.
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
    // What `functionDefaults` says closes a circle with every function, and is told once.
    let mut told = BTreeSet::new();
    for circle in graph.circles(place) {
        let span = circle
            .span
            .unwrap_or_else(|| DocumentSpans(document).key(&["name"]));
        if !told.insert(span) {
            continue;
        }
        let message = match circle.names.as_slice() {
            [one] => format!("`{one}` refers to itself"),
            _ => format!("circular dependency between resources: {}", circle.path),
        };
        let hint = match circle
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

fn conditions(document: &Node, errors: &mut Vec<LocatedError>) {
    let Some(conditions) = document.get("conditions").and_then(Node::as_map) else {
        return;
    };
    let mut graph = Graph::new(conditions.keys().collect());
    for (index, (_, node)) in conditions.iter().enumerate() {
        each_condition(node, &mut |name, span| graph.add(index, name, span));
    }
    for circle in graph.circles(|_, _| None) {
        let message = match circle.names.as_slice() {
            [one] => format!("`{one}` refers to itself"),
            _ => format!("circular dependency between conditions: {}", circle.path),
        };
        let span = circle.span.unwrap_or(document.span);
        errors.push(LocatedError::new(span, message).hint(
            "remove one of the references; in the end, conditions compare \
                parameters",
        ));
    }
}

/// Calls `visit` with every name that `Ref`, `GetAtt` and `Sub` name, and its place.
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
                    for name in substituted(argument) {
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

/// One thing's reference to another, and its place if it stands in the file.
#[derive(Clone, Copy)]
struct Edge {
    to: usize,
    span: Span,
}

struct Graph<'a> {
    ids: Vec<&'a str>,
    index: BTreeMap<&'a str, usize>,
    edges: Vec<Vec<Edge>>,
}

/// Things that wait for each other.
struct Circle {
    /// Where one of the references stands.
    span: Option<Span>,
    /// Their names, or as many as are told.
    names: Vec<String>,
    /// Their names with arrows, the first one again at the end.
    path: String,
}

impl<'a> Graph<'a> {
    fn new(ids: Vec<&'a str>) -> Self {
        let index = ids.iter().enumerate().map(|(n, id)| (*id, n)).collect();
        let edges = vec![Vec::new(); ids.len()];
        Graph { ids, index, edges }
    }

    /// Adds a reference, if it is to something of this graph.
    fn add(&mut self, from: usize, to: &str, span: Span) {
        if let Some(&to) = self.index.get(to) {
            self.edges[from].push(Edge { to, span });
        }
    }

    /// Every reference of the file that closes a circle, once. `place` looks for the place of one that has lost it.
    fn circles(&self, place: impl Fn(usize, Edge) -> Option<Span>) -> Vec<Circle> {
        const UNSEEN: usize = usize::MAX;
        const DONE: usize = usize::MAX - 1;
        let mut found = Vec::new();
        // The position of each on the path, while it is there.
        let mut position = vec![UNSEEN; self.ids.len()];
        for root in 0..self.ids.len() {
            if position[root] != UNSEEN {
                continue;
            }
            position[root] = 0;
            // What is on the path, with how many of its references were followed.
            let mut path = vec![(root, 0)];
            // Positions whose reference to the next was told.
            let mut told: Vec<usize> = Vec::new();
            while let Some(&mut (at, ref mut followed)) = path.last_mut() {
                let Some(edge) = self.edges[at].get(*followed).copied() else {
                    position[at] = DONE;
                    path.pop();
                    told.pop_if(|step| *step + 1 >= path.len());
                    continue;
                };
                *followed += 1;
                match position[edge.to] {
                    UNSEEN => {
                        position[edge.to] = path.len();
                        path.push((edge.to, 0));
                    }
                    DONE => {}
                    // A circle with a reference that was told is no news.
                    start if told.last().is_some_and(|&step| step >= start) => {}
                    start => {
                        let (step, span) = self.place(&path[start..], &place);
                        if start + step + 1 < path.len() {
                            told.push(start + step);
                        }
                        found.push(self.circle(&path[start..], step, span));
                    }
                }
            }
        }
        found
    }

    /// The last reference of a circle that stands in the file: which, and where.
    fn place(
        &self,
        path: &[(usize, usize)],
        place: &impl Fn(usize, Edge) -> Option<Span>,
    ) -> (usize, Option<Span>) {
        let steps = path.iter().enumerate().rev();
        let mut steps = steps.filter_map(|(step, &(from, followed))| {
            let edge = self.edges[from][followed - 1];
            let span = match edge.span.file {
                Some(_) => Some(edge.span),
                None => place(from, edge),
            };
            Some((step, Some(span?)))
        });
        steps.next().unwrap_or((0, None))
    }

    /// A circle in words, beginning with whose reference is told.
    fn circle(&self, path: &[(usize, usize)], step: usize, span: Option<Span>) -> Circle {
        let turned = path[step..].iter().chain(&path[..step]).take(NAMES);
        let names: Vec<String> = turned.map(|&(at, _)| self.ids[at].to_owned()).collect();
        let mut words: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        if path.len() > NAMES {
            words.push("…".to_owned());
        }
        words.extend(words.first().cloned());
        Circle {
            span,
            path: words.join(" → "),
            names,
        }
    }
}
