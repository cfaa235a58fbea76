//! `docs/reference/stackgen-yaml.md`: the keys of a stackgen.yaml, from its schema, with examples from a file that uses most of
//! them.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Map, Value};
use stackgen_cfn::{Node, Source, Sources};

/// File with most keys, which the tests of `stackgen-synth` render.
const EXAMPLES: &str = "generator/synth/tests/it/everything.yaml";

/// Prefix of definitions that repeat the file for environments. They have no section of their own.
const ENVIRONMENT: &str = "Environment";

/// The heading of a definition, and its longest example.
#[derive(Default)]
struct KeySection {
    example: String,
    /// Keys of the example's mapping, to compare examples.
    keys: usize,
}

/// Definitions in the order in which a reader meets them, with what the page shows of them.
struct KeySections<'a> {
    definitions: &'a Map<String, Value>,
    order: Vec<String>,
    found: BTreeMap<String, KeySection>,
    source: Source,
}

/// Returns the page.
pub(super) fn page() -> String {
    let schema = stackgen_synth::schema();
    let schema = &schema;
    let text = std::fs::read_to_string(super::root().join(EXAMPLES)).unwrap();
    let mut sources = Sources::new();
    let source = sources.add("everything.yaml", text).clone();
    let example = stackgen_cfn::parse::parse(&source).unwrap();
    let mut sections = KeySections {
        definitions: schema["$defs"].as_object().unwrap(),
        order: Vec::new(),
        found: BTreeMap::new(),
        source,
    };
    sections.visit(schema, Some(&example));
    let mut page = String::from(
        "# Keys of stackgen.yaml\n\n\
         Generated from the [JSON Schema](stackgen.schema.json) by `make docs`; do not edit. [stackgen.yaml by \
         example](../guide/stackgen-yaml.md) explains the keys in the order in which you need them.\n\n\
         A key in **bold** must be present. Every value that is an *expression* can be an intrinsic function of CloudFormation, \
         such as `!Ref JwtIssuer`. The examples are parts of one file, which a test renders.\n\n",
    );
    page += "## The file\n\n";
    page += &table(schema, sections.definitions);
    page += "\nAn entry of `environments` can have all of these keys but `name`, `requires` and `environments`.\n";
    for name in &sections.order {
        let definition = &sections.definitions[name];
        let _ = write!(page, "\n## {name}\n\n{}\n", description(definition));
        if definition["properties"].is_object() {
            let _ = write!(page, "\n{}", table(definition, sections.definitions));
        } else if let Some(values) = definition["oneOf"].as_array() {
            page += "\n| value | meaning |\n|---|---|\n";
            for value in values {
                let name = value["const"].as_str().unwrap_or_default();
                let _ = writeln!(page, "| `{name}` | {} |", cell(&description(value)));
            }
        }
        let example = &sections.found[name].example;
        if !example.is_empty() {
            let _ = write!(page, "\n```yaml\n{example}```\n");
        }
    }
    page
}

impl KeySections<'_> {
    /// Visits the keys of a schema, and of an example of it.
    fn visit(&mut self, schema: &Value, example: Option<&Node>) {
        let properties = schema["properties"].as_object().into_iter().flatten();
        for (key, property) in properties {
            let entry = example.and_then(|example| example.as_map()?.entry(key));
            let at = entry.map(|entry| (entry.key_span.line, &entry.node));
            self.visit_value(property, at);
        }
    }

    /// Visits a value: the definitions that its schema names. `at` is an example with the line of its key.
    fn visit_value(&mut self, schema: &Value, at: Option<(u32, &Node)>) {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.trim_start_matches("#/$defs/");
            self.visit_definition(name, at);
        }
        for choice in schema["anyOf"].as_array().into_iter().flatten() {
            let fits = at.filter(|(_, node)| fits(choice, self.definitions, node));
            self.visit_value(choice, fits);
        }
        if let Some(items) = schema.get("items") {
            let nodes = at.and_then(|(_, node)| node.as_list()).unwrap_or_default();
            self.visit_value(items, None);
            for node in nodes {
                self.visit_value(items, Some((node.span.line, node)));
            }
        }
        if let Some(values) = schema
            .get("additionalProperties")
            .filter(|it| it.is_object())
        {
            self.visit_value(values, None);
            let map = at.and_then(|(_, node)| node.as_map());
            for (_, entry) in map.into_iter().flat_map(|map| map.entries()) {
                self.visit_value(values, Some((entry.key_span.line, &entry.node)));
            }
        }
    }

    fn visit_definition(&mut self, name: &str, at: Option<(u32, &Node)>) {
        if name.starts_with(ENVIRONMENT) {
            return;
        }
        let definition = &self.definitions[name];
        if !has_section(definition) {
            return self.visit_value(definition, at);
        }
        if !self.found.contains_key(name) {
            self.order.push(name.to_owned());
            self.found.insert(name.to_owned(), KeySection::default());
            self.visit(definition, None);
        }
        if let Some((line, node)) = at {
            self.keep_longest(name, line, node);
            self.visit(definition, Some(node));
        }
    }

    fn keep_longest(&mut self, name: &str, line: u32, node: &Node) {
        let keys = node.as_map().map_or(1, stackgen_cfn::Map::len);
        let Some(section) = self.found.get_mut(name).filter(|it| keys > it.keys) else {
            return;
        };
        let last = last_line(node).max(line);
        section.keys = keys;
        section.example = lines(self.source.text(), line, last);
    }
}

/// Returns true if a value can be of this choice: the key of a route is the name of a function, or a mapping.
fn fits(choice: &Value, definitions: &Map<String, Value>, node: &Node) -> bool {
    let definition = match choice["$ref"].as_str() {
        Some(reference) => &definitions[reference.trim_start_matches("#/$defs/")],
        None => choice,
    };
    match node.as_map() {
        Some(_) => definition["type"] == "object" || definition["anyOf"].is_array(),
        None => definition["type"] != "object",
    }
}

/// Returns the last line of a value.
fn last_line(node: &Node) -> u32 {
    let children: Vec<&Node> = match (node.as_list(), node.as_map()) {
        (Some(list), _) => list.iter().collect(),
        (_, Some(map)) => map.entries().map(|(_, entry)| &entry.node).collect(),
        _ => Vec::new(),
    };
    children
        .into_iter()
        .map(last_line)
        .fold(node.span.line, u32::max)
}

/// Returns lines of a text without their common indentation.
fn lines(text: &str, first: u32, last: u32) -> String {
    let number = |line: u32| usize::try_from(line).unwrap();
    let lines: Vec<_> = text
        .lines()
        .skip(number(first) - 1)
        .take(number(last - first) + 1)
        .collect();
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let common = lines.iter().map(indent).min().unwrap_or_default();
    lines
        .iter()
        .fold(String::new(), |text, line| text + &line[common..] + "\n")
}

/// Returns the table of a mapping's keys.
fn table(schema: &Value, definitions: &Map<String, Value>) -> String {
    let required = schema["required"].as_array();
    let is_required = |key: &str| required.is_some_and(|keys| keys.iter().any(|it| it == key));
    let mut table = String::from("| key | value | |\n|---|---|---|\n");
    for (key, property) in schema["properties"].as_object().unwrap() {
        let key = match is_required(key) {
            true => format!("**`{key}`**"),
            false => format!("`{key}`"),
        };
        let text = cell(&description(property));
        let kind = kind(property, definitions);
        let _ = writeln!(table, "| {key} | {kind} | {text} |");
    }
    table
}

/// Returns true if a definition has a section of its own. Others are texts with a syntax, or choices between two forms.
fn has_section(definition: &Value) -> bool {
    definition["properties"].is_object() || definition["oneOf"].is_array()
}

/// Returns the kind of a value in words, with links to definitions.
fn kind(schema: &Value, definitions: &Map<String, Value>) -> String {
    let kind = |schema: &Value| kind(schema, definitions);
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.trim_start_matches("#/$defs/");
        return match name {
            "Expression" => "expression".to_owned(),
            "Raw" => "CloudFormation".to_owned(),
            "Duration" => "duration".to_owned(),
            "Retention" => "number".to_owned(),
            _ if name.starts_with(ENVIRONMENT) => "differences".to_owned(),
            _ if has_section(&definitions[name]) => format!("[{name}](#{})", name.to_lowercase()),
            _ => kind(&definitions[name]),
        };
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let choices = choices.iter().filter(|choice| choice["type"] != "null");
        let mut kinds: Vec<_> = choices.map(kind).collect();
        kinds.dedup();
        return kinds.join(" or ");
    }
    if let Some(items) = schema.get("items") {
        return format!("list of {}", plural(&kind(items)));
    }
    let values = schema.get("additionalProperties");
    if let Some(values) = values.filter(|it| it.is_object()) {
        return format!("{} by name", plural(&kind(values)));
    }
    simple_kind(schema)
}

/// Returns the plural of a kind. Names of definitions stay.
fn plural(kind: &str) -> String {
    match kind {
        "expression" | "text" | "number" | "duration" => format!("{kind}s"),
        other => other.to_owned(),
    }
}

/// Returns the kind of a text, a number or a truth value.
fn simple_kind(schema: &Value) -> String {
    let types = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        types => types
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect(),
    };
    let types = types.into_iter().filter(|it| *it != "null");
    let in_words = |name| match name {
        "string" => "text",
        "integer" | "number" => "number",
        "boolean" => "`true` or `false`",
        other => other,
    };
    let words: Vec<_> = types.map(in_words).collect();
    let limits = match (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
        (Some(least), Some(most)) => format!(", {least} to {most}"),
        (Some(least), None) if least > 0 => format!(", at least {least}"),
        (None, Some(most)) => format!(", at most {most}"),
        _ => String::new(),
    };
    words.join(" or ") + &limits
}

fn description(schema: &Value) -> String {
    schema["description"]
        .as_str()
        .unwrap_or_default()
        .replace('\n', " ")
}

/// Returns text for a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
