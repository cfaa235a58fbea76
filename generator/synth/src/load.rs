//! Loads a project file: parses it, merges its environments and checks each of them.

use std::collections::{BTreeSet, HashMap};

use stackgen_cfn::parse::ParseErrorKind;
use stackgen_cfn::{Map, Node, ParseError, Source, Span, Value, json, parse};

use crate::environment::MergedEnvironment;
use crate::spans::DocumentSpans;
use crate::spec::Spec;
use crate::wording::{comma_separated, join_and};
use crate::{LocatedError, check, render, requirement, schema};

/// Maximum number of values in all environments of a file together. Each environment counts with the values that it
/// shares with the others. A file of 1 MiB can have so many values and environments that the checks would take forever.
const MAX_VALUES: usize = 30_000_000;

/// Project file without errors, as one shared document and one overlay per environment. An environment is merged only
/// on demand: together, the merged environments may be as large as the file times their number.
#[derive(Debug)]
pub(crate) struct LayeredDocument {
    /// The file without its environments.
    shared: Node,
    /// Differences of each environment, in the order of the file.
    overlays: Vec<(String, Node)>,
    by_name: HashMap<String, usize>,
}

/// Environment of a file that declares none.
const DEFAULT_ENVIRONMENT: &str = "dev";

/// Parses a file and checks all of its environments.
pub(crate) fn load(source: &Source) -> Result<LayeredDocument, Vec<LocatedError>> {
    let document =
        parse(source).map_err(|errors| errors.into_iter().map(parse_error).collect::<Vec<_>>())?;
    if let Some(error) = requirement::unmet(&document) {
        return Err(vec![error]);
    }
    let file = LayeredDocument::new(&document);
    file.check_size(&document)?;
    let schema = schema::file_schema();
    let mut errors = ErrorCollector::new(&document, file.overlays.len());
    errors.extend(None, fixed_key_errors(&document));
    let mut found = Vec::new();
    let damaged = check_environment_names(schema, &document, source.text(), &mut found);
    errors.extend(None, found);
    for (index, (name, overlay)) in file.overlays.iter().enumerate() {
        let mut found = Vec::new();
        let merged = file.merged(overlay);
        check_environment(schema, name, merged, source.text(), damaged, &mut found);
        errors.extend(Some(index), found);
    }
    match errors.sorted() {
        errors if errors.is_empty() => Ok(file),
        errors => Err(errors),
    }
}

impl LayeredDocument {
    fn new(document: &Node) -> Self {
        let overlays: Vec<(String, Node)> =
            match document.get("environments").and_then(Node::as_map) {
                Some(map) if !map.is_empty() => map
                    .iter()
                    .map(|(name, node)| (name.to_owned(), node.clone()))
                    .collect(),
                _ => vec![(DEFAULT_ENVIRONMENT.to_owned(), Node::default())],
            };
        let mut shared = document.clone();
        if let Some(map) = shared.as_map_mut() {
            map.remove("environments");
        }
        let names = overlays.iter().enumerate();
        LayeredDocument {
            by_name: names
                .map(|(index, (name, _))| (name.clone(), index))
                .collect(),
            shared,
            overlays,
        }
    }

    /// Returns an error for a file with more than [`MAX_VALUES`].
    fn check_size(&self, document: &Node) -> Result<(), Vec<LocatedError>> {
        let (count, each) = (self.overlays.len(), count_values(&self.shared));
        if count.saturating_mul(each) <= MAX_VALUES {
            return Ok(());
        }
        let span = DocumentSpans(document).key(&["environments"]);
        let message = format!(
            "{count} environments with {each} values each exceed the limit of {MAX_VALUES} values per file"
        );
        let hint = "move some environments to a stackgen.yaml of their own";
        Err(vec![LocatedError::new(span, message).hint(hint)])
    }

    /// Returns the names of the environments, in the order of the file.
    pub(crate) fn environments(&self) -> impl Iterator<Item = &str> {
        self.overlays.iter().map(|(name, _)| name.as_str())
    }

    /// Returns the stack's name.
    pub(crate) fn name(&self) -> &str {
        let name = self.shared.get("name").and_then(Node::as_str);
        name.unwrap_or_default()
    }

    /// Returns a merged environment, or `None` if the file does not declare it.
    pub(crate) fn environment(&self, name: &str) -> Option<MergedEnvironment> {
        let (name, overlay) = self.overlays.get(*self.by_name.get(name)?)?;
        let document = self.merged(overlay);
        // This succeeds, because the file was checked.
        let spec = serde_json::from_value(json::to_json(&document)).ok()?;
        Some(MergedEnvironment {
            name: name.clone(),
            document,
            spec,
        })
    }

    fn merged(&self, overlay: &Node) -> Node {
        let mut merged = self.shared.clone();
        merge(&mut merged, overlay);
        // `fixed_key_errors` reports nested environments.
        if let Some(map) = merged.as_map_mut() {
            map.remove("environments");
        }
        apply_defaults(&mut merged);
        merged
    }
}

fn count_values(node: &Node) -> usize {
    1 + match &node.value {
        Value::List(items) => items.iter().map(count_values).sum(),
        Value::Map(map) => map.iter().map(|(_, node)| count_values(node)).sum(),
        Value::Call(call) => count_values(&call.argument),
        _ => 0,
    }
}

/// Checks the names and types of `environments`, which merged environments do not contain. Returns true if there are
/// errors.
fn check_environment_names(
    schema: &serde_json::Value,
    document: &Node,
    text: &str,
    errors: &mut Vec<LocatedError>,
) -> bool {
    let Some(entry) = document.as_map().and_then(|map| map.entry("environments")) else {
        return false;
    };
    let mut only = Map::new();
    only.insert_entry("environments", entry.clone());
    let only = Node::from(only).at(document.span);
    let schema = serde_json::json!({
        "type": "object",
        "properties": { "environments": schema["properties"]["environments"] },
        "$defs": schema["$defs"],
    });
    !check::check_structure(&schema, &only, text, errors).is_empty()
}

/// Converts an error of the parser. An empty file has its own hint.
fn parse_error(error: ParseError) -> LocatedError {
    match error.kind {
        ParseErrorKind::Empty => LocatedError::new(error.span, "the file is empty")
            .hint("run `stackgen init echo` for an example"),
        _ => LocatedError::from(error),
    }
}

/// Checks one environment: its structure, then the values of its readable parts.
fn check_environment(
    schema: &serde_json::Value,
    name: &str,
    document: Node,
    text: &str,
    damaged_environments: bool,
    errors: &mut Vec<LocatedError>,
) {
    let damaged = check::check_structure(schema, &document, text, errors);
    let mut incomplete = BTreeSet::new();
    let readable = match errors.is_empty() {
        true => json::to_json(&document),
        false => json::to_json(&check::readable(&document, &damaged, &mut incomplete)),
    };
    match serde_json::from_value::<Spec>(readable) {
        Ok(spec) => {
            let mut found = Vec::new();
            let whole = damaged.is_empty() && !damaged_environments;
            // A cycle of versions would be reported again as a cycle of resources, which the file does not name.
            if !check::check_spec(&spec, name, &document, &mut found) {
                let outline = render::outline(&spec, name, &document);
                check::check_outline(&document, &outline, whole, &mut found);
            }
            errors.extend(
                found
                    .into_iter()
                    .filter(|error| !incomplete.contains(&error.span)),
            );
        }
        Err(error) if errors.is_empty() => {
            errors.push(LocatedError::new(document.span, error.to_string()));
        }
        Err(_) => {}
    }
}

/// Returns errors for keys that an environment cannot change.
fn fixed_key_errors(document: &Node) -> Vec<LocatedError> {
    let environments = document
        .get("environments")
        .and_then(Node::as_map)
        .into_iter()
        .flat_map(Map::iter);
    let entries = environments
        .filter_map(|(_, overlay)| overlay.as_map())
        .flat_map(Map::entries);
    entries
        .filter(|(key, _)| matches!(*key, "name" | "environments" | "requires"))
        .map(|(key, entry)| {
            let hint = match key {
                "requires" => "move the key to the top of the file: it is about the whole file",
                _ => {
                    "remove the key: names already end in the environment's name, so copies of a stack do not collide"
                }
            };
            let message = format!("an environment cannot change `{key}`");
            LocatedError::new(entry.key_span, message).hint(hint)
        })
        .collect()
}

/// Merges `over` into `base`: mappings are merged deeply, `null` removes, and any other value replaces.
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

/// Merges every function over `functionDefaults`.
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

/// Maximum number of environments in a message.
const MAX_NAMED: usize = 20;

/// Errors of all environments, in the order of the file. An error that several environments share is reported once.
struct ErrorCollector<'a> {
    /// Names of the declared environments, in the order of the file.
    names: Vec<&'a str>,
    /// Spans of the environments' overlays, sorted.
    overlays: Vec<Span>,
    environments: usize,
    /// Errors, each with the indexes of its environments in ascending order.
    all: Vec<(LocatedError, Vec<usize>)>,
    seen: HashMap<(Span, String), usize>,
}

impl<'a> ErrorCollector<'a> {
    fn new(document: &'a Node, environments: usize) -> Self {
        let declared = document.get("environments").and_then(Node::as_map);
        let declared = declared.into_iter().flat_map(Map::iter);
        let (names, mut overlays): (_, Vec<_>) =
            declared.map(|(name, node)| (name, node.span)).unzip();
        overlays.sort_unstable();
        ErrorCollector {
            names,
            overlays,
            environments,
            all: Vec::new(),
            seen: HashMap::new(),
        }
    }

    /// Adds errors of an environment, or of the file as a whole.
    fn extend(&mut self, environment: Option<usize>, errors: Vec<LocatedError>) {
        for error in errors {
            let key = (error.span, error.message.clone());
            let at = *self.seen.entry(key).or_insert(self.all.len());
            if at == self.all.len() {
                self.all.push((error, Vec::new()));
            }
            let environments = &mut self.all[at].1;
            if environments.last().copied() != environment {
                environments.extend(environment);
            }
        }
    }

    fn sorted(mut self) -> Vec<LocatedError> {
        self.all.sort_by_key(|(error, _)| error.span);
        let all = std::mem::take(&mut self.all).into_iter();
        all.map(|(error, environments)| self.with_environment_names(error, &environments))
            .collect()
    }

    /// Adds the names of the environments to an error that only some of them have, unless the error is in an overlay.
    fn with_environment_names(&self, error: LocatedError, environments: &[usize]) -> LocatedError {
        let start = error.span.start;
        let after = self.overlays.partition_point(|own| own.start <= start);
        let before = after.checked_sub(1).map(|index| self.overlays[index]);
        let is_in_overlay = before.is_some_and(|own| start < own.end);
        let everywhere = environments.is_empty() || environments.len() == self.environments;
        if everywhere || is_in_overlay {
            return error;
        }
        let named = environments.iter().take(MAX_NAMED);
        let mut names: Vec<_> = named
            .filter_map(|index| self.names.get(*index).copied())
            .collect();
        names.sort_unstable();
        let names = match environments.len().saturating_sub(MAX_NAMED) {
            0 => join_and(&names),
            more => format!("{} and {more} more", comma_separated(&names)),
        };
        let message = format!("{} (in {names})", error.message);
        LocatedError { message, ..error }
    }
}
