//! A file to one checked specification an environment.

use std::collections::{BTreeSet, HashMap};

use stackgen_cfn::parse::ParseErrorKind;
use stackgen_cfn::{Entry, Map, Node, ParseError, Source, Span, Value, json, parse};

use crate::spec::Spec;
use crate::{Problem, check, schema};

/// One environment of a stack: the file with the environment's part merged in.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) name: String,
    /// The merged document, each node with its place in the file.
    pub(crate) document: Node,
    pub(crate) spec: Spec,
}

/// The environment of a file that declares none.
const DEFAULT_ENVIRONMENT: &str = "dev";

/// Reads a file into its environments.
pub(crate) fn load(source: &Source) -> Result<Vec<Environment>, Vec<Problem>> {
    let document =
        parse(source).map_err(|errors| errors.into_iter().map(unreadable).collect::<Vec<_>>())?;
    let schema = schema::file_schema();
    let merged = merge_environments(&document);
    let mut problems = Problems::new(&document, merged.len());
    problems.extend(None, fixed_keys(&document));
    let mut environments = Vec::new();
    for (name, merged) in merged {
        let mut found = Vec::new();
        let read = environment(&schema, name.clone(), merged, source.text(), &mut found);
        problems.extend(Some(&name), found);
        environments.extend(read);
    }
    match problems.sorted() {
        problems if problems.is_empty() => Ok(environments),
        problems => Err(problems),
    }
}

/// A problem of the parser; an empty file has an advice of its own here.
fn unreadable(error: ParseError) -> Problem {
    match error.kind {
        ParseErrorKind::Empty => Problem::new(error.span, "the file is empty")
            .hint("`stackgen init echo` writes an example"),
        _ => Problem::from(error),
    }
}

/// Checks one environment: its structure, and the meaning of all that can be read of it.
fn environment(
    schema: &serde_json::Value,
    name: String,
    document: Node,
    text: &str,
    problems: &mut Vec<Problem>,
) -> Option<Environment> {
    let damaged = check::check_structure(schema, &document, text, problems);
    let mut incomplete = BTreeSet::new();
    let readable = match problems.is_empty() {
        true => json::to_json(&document),
        false => json::to_json(&check::readable(&document, &damaged, &mut incomplete)),
    };
    match serde_json::from_value::<Spec>(readable) {
        Ok(spec) => {
            let mut found = Vec::new();
            check::check_meaning(&spec, &name, &document, damaged.is_empty(), &mut found);
            problems.extend(
                found
                    .into_iter()
                    .filter(|problem| !incomplete.contains(&problem.span)),
            );
            Some(Environment {
                name,
                document,
                spec,
            })
        }
        Err(error) if problems.is_empty() => {
            problems.push(Problem::new(document.span, error.to_string()));
            None
        }
        Err(_) => None,
    }
}

/// Every environment's document, in the order of the file.
fn merge_environments(document: &Node) -> Vec<(String, Node)> {
    let declared: Vec<(String, Node)> = match document.get("environments").and_then(Node::as_map) {
        Some(map) if !map.is_empty() => map
            .iter()
            .map(|(name, node)| (name.to_owned(), node.clone()))
            .collect(),
        _ => vec![(DEFAULT_ENVIRONMENT.to_owned(), Node::default())],
    };
    declared
        .into_iter()
        .map(|(name, overlay)| {
            let mut merged = document.clone();
            merge(&mut merged, &overlay);
            apply_defaults(&mut merged);
            (name, merged)
        })
        .collect()
}

/// What an environment cannot change.
fn fixed_keys(document: &Node) -> Vec<Problem> {
    let environments = document
        .get("environments")
        .and_then(Node::as_map)
        .into_iter()
        .flat_map(Map::iter);
    let entries = environments
        .filter_map(|(_, overlay)| overlay.as_map())
        .flat_map(Map::entries);
    entries
        .filter(|(key, _)| matches!(*key, "name" | "environments"))
        .map(|(key, entry)| {
            Problem::new(entry.key_span, format!("an environment cannot change `{key}`"))
                .hint("every name ends in the environment's already, so that copies of a stack do not meet")
        })
        .collect()
}

/// Merges `over` into `base`: mappings deeply, anything else by replacing, `null` by taking away.
fn merge(base: &mut Node, over: &Node) {
    let Some(entries) = over.as_map() else {
        return;
    };
    let Some(map) = base.as_map_mut() else {
        return;
    };
    for (key, entry) in entries.entries() {
        match (map.get_mut(key), &entry.node.value) {
            (Some(_), Value::Null) => {
                map.remove(key);
            }
            (Some(old), Value::Map(_)) if old.as_map().is_some() => merge(old, &entry.node),
            (Some(old), _) => *old = entry.node.clone(),
            (None, Value::Null) => {}
            (None, _) => {
                map.insert_entry(key, entry.clone());
            }
        }
    }
}

/// Lays `functionDefaults` under every function.
fn apply_defaults(document: &mut Node) {
    let Some(defaults) = document
        .get("functionDefaults")
        .filter(|node| node.as_map().is_some())
        .cloned()
    else {
        return;
    };
    let Some(functions) = document
        .as_map_mut()
        .and_then(|map| map.get_mut("functions")?.as_map_mut())
    else {
        return;
    };
    for (_, function) in functions.iter_mut() {
        if function.as_map().is_some() {
            let mut merged = defaults.clone().at(function.span);
            merge(&mut merged, function);
            *function = merged;
        }
    }
}

/// The problems of all environments: one that several share is told once, in the order of the file.
struct Problems<'a> {
    /// The environments' own parts of the file.
    overlays: Vec<&'a Node>,
    environments: usize,
    all: Vec<(Problem, BTreeSet<String>)>,
    seen: HashMap<(Span, String), usize>,
}

impl<'a> Problems<'a> {
    fn new(document: &'a Node, environments: usize) -> Self {
        let overlays = document.get("environments").and_then(Node::as_map);
        Problems {
            overlays: overlays
                .into_iter()
                .flat_map(Map::iter)
                .map(|(_, node)| node)
                .collect(),
            environments,
            all: Vec::new(),
            seen: HashMap::new(),
        }
    }

    /// Adds what was found in an environment, or in the file as such.
    fn extend(&mut self, environment: Option<&str>, problems: Vec<Problem>) {
        for problem in problems {
            let key = (problem.span, problem.message.clone());
            let at = *self.seen.entry(key).or_insert(self.all.len());
            if at == self.all.len() {
                self.all.push((problem, BTreeSet::new()));
            }
            self.all[at].1.extend(environment.map(str::to_owned));
        }
    }

    fn sorted(mut self) -> Vec<Problem> {
        self.all.sort_by_key(|(problem, _)| problem.span);
        let all = std::mem::take(&mut self.all).into_iter();
        all.map(|(problem, environments)| self.placed(problem, &environments))
            .collect()
    }

    /// A problem that only some environments have says which, unless it stands in their own part of the file.
    fn placed(&self, problem: Problem, environments: &BTreeSet<String>) -> Problem {
        let span = problem.span;
        let own = |overlay: &&Node| (overlay.span.start..overlay.span.end).contains(&span.start);
        let everywhere = environments.is_empty() || environments.len() == self.environments;
        if everywhere || self.overlays.iter().any(own) {
            return problem;
        }
        let names: Vec<_> = environments.iter().map(String::as_str).collect();
        let message = format!("{} (in {})", problem.message, check::and(&names));
        Problem { message, ..problem }
    }
}

/// A node of the merged document by its path: for the places of problems.
pub(crate) struct Places<'a>(pub(crate) &'a Node);

impl Places<'_> {
    /// Where the value at a path stands, or the innermost that is there.
    pub(crate) fn value(&self, path: &[&str]) -> Span {
        self.entry(path)
            .map_or(self.0.span, |entry| entry.node.span)
    }

    /// Where the key at a path stands, or the innermost that is there.
    pub(crate) fn key(&self, path: &[&str]) -> Span {
        self.entry(path).map_or(self.0.span, |entry| entry.key_span)
    }

    /// Where an element of the list at a path stands.
    pub(crate) fn item(&self, path: &[&str], index: usize) -> Span {
        let item = self
            .entry(path)
            .and_then(|entry| entry.node.as_list()?.get(index));
        item.map_or_else(|| self.value(path), |item| item.span)
    }

    fn entry(&self, path: &[&str]) -> Option<&Entry> {
        let mut map: Option<&Map> = self.0.as_map();
        let mut found = None;
        for key in path {
            let Some(entry) = map.and_then(|map| map.entry(key)) else {
                break;
            };
            found = Some(entry);
            map = entry.node.as_map();
        }
        found
    }
}
