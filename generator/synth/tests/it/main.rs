//! Tests of project files: errors and rendered templates.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "test names state the behaviour"
)]

mod access;
mod alarms;
mod backends;
mod bad_input;
mod digest;
mod function_code;
mod generate;
mod invocation;
mod invoke;
mod limits;
mod models;
mod order;
mod origin;
mod page;
mod raw_sections;
mod render;
mod requirement;
mod robust;
mod values;
mod verify;
mod wiring;

use stackgen_cfn::{Node, Sources};
use stackgen_synth::{Artifacts, Dialect, LocatedError, ProjectFile, RenderOptions};

/// Returns the errors of a file as `line:column message`, each with its label, hint and row.
fn errors(text: &str) -> String {
    let mut sources = Sources::new();
    let loaded = ProjectFile::load(sources.add("stackgen.yaml", text));
    let errors = match loaded {
        Ok(stack) => {
            let environments: Vec<String> = stack
                .environments()
                .iter()
                .map(|name| (*name).to_owned())
                .collect();
            environments
                .iter()
                .filter_map(|name| stack.render(&options(name, &Artifacts::new())).err())
                .flatten()
                .collect()
        }
        Err(errors) => errors,
    };
    errors.iter().map(format_error).collect()
}

fn format_error(error: &LocatedError) -> String {
    let mut text = format!("{}:{} {error}\n", error.span.line, error.span.column);
    if let Some((span, label)) = &error.related {
        text.push_str(&format!("    {}:{} {label}\n", span.line, span.column));
    }
    if let Some(hint) = &error.hint {
        text.push_str(&format!("    help: {hint}\n"));
    }
    if let Some(row) = error.row {
        text.push_str(&format!("    row {row}\n"));
    }
    text
}

fn options<'a>(environment: &'a str, artifacts: &'a Artifacts) -> RenderOptions<'a> {
    RenderOptions {
        environment,
        dialect: Dialect::CloudFormation,
        project_path: ".",
        artifacts,
    }
}

/// Loads a file without errors.
fn load(text: &str) -> ProjectFile {
    let mut sources = Sources::new();
    ProjectFile::load(sources.add("stackgen.yaml", text))
        .unwrap_or_else(|errors| panic!("{errors:#?}\n{text}"))
}

/// Renders the template of one environment.
fn render(text: &str, environment: &str) -> Node {
    load(text)
        .render(&options(environment, &Artifacts::new()))
        .unwrap()
        .template
}

/// Project files of the starters.
const STARTERS: [(&str, &str); 3] = [
    (
        "live-session",
        include_str!("../../../../templates/live-session/stackgen.yaml"),
    ),
    (
        "chat",
        include_str!("../../../../templates/chat/stackgen.yaml"),
    ),
    (
        "echo",
        include_str!("../../../../templates/echo/stackgen.yaml"),
    ),
];

/// Returns a resource of a template.
fn resource<'a>(template: &'a Node, id: &str) -> &'a Node {
    template
        .at_path(&["Resources", id])
        .unwrap_or_else(|| panic!("no resource {id}"))
}

/// Returns the resources of a type with their logical IDs.
fn resources_of_type<'a>(template: &'a Node, kind: &str) -> Vec<(&'a str, &'a Node)> {
    let resources = template.get("Resources").and_then(Node::as_map).unwrap();
    resources
        .iter()
        .filter(|(_, node)| node.get("Type").and_then(Node::as_str) == Some(kind))
        .collect()
}
