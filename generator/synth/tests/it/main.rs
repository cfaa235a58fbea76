//! stackgen.yaml in, problems or a template out.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "tests say what they hold by their names"
)]

mod bad_input;
mod digest;
mod generate;
mod invoke;
mod limits;
mod order;
mod raw_sections;
mod render;
mod robust;
mod values;
mod verify;
mod wiring;

use stackgen_cfn::{Node, Sources};
use stackgen_synth::{Artifacts, Dialect, Problem, Request, Stack};

/// The problems of a file, as `line:column message`, each with what explains it.
fn problems(text: &str) -> String {
    let mut sources = Sources::new();
    let loaded = Stack::load(sources.add("stackgen.yaml", text));
    let problems = match loaded {
        Ok(stack) => {
            let environments: Vec<String> = stack
                .environments()
                .iter()
                .map(|name| (*name).to_owned())
                .collect();
            environments
                .iter()
                .filter_map(|name| stack.render(&request(name, &Artifacts::new())).err())
                .flatten()
                .collect()
        }
        Err(problems) => problems,
    };
    problems.iter().map(told).collect()
}

fn told(problem: &Problem) -> String {
    let mut text = format!("{}:{} {problem}\n", problem.span.line, problem.span.column);
    if let Some((span, label)) = &problem.related {
        text.push_str(&format!("    {}:{} {label}\n", span.line, span.column));
    }
    if let Some(hint) = &problem.hint {
        text.push_str(&format!("    help: {hint}\n"));
    }
    if let Some(row) = problem.row {
        text.push_str(&format!("    row {row}\n"));
    }
    text
}

fn request<'a>(environment: &'a str, artifacts: &'a Artifacts) -> Request<'a> {
    Request {
        environment,
        dialect: Dialect::CloudFormation,
        project_path: ".",
        artifacts,
    }
}

/// A file without problems.
fn load(text: &str) -> Stack {
    let mut sources = Sources::new();
    Stack::load(sources.add("stackgen.yaml", text))
        .unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"))
}

/// The template of one environment of a file.
fn render(text: &str, environment: &str) -> Node {
    load(text)
        .render(&request(environment, &Artifacts::new()))
        .unwrap()
        .template
}

/// The starters' files.
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

/// A resource of a template.
fn resource<'a>(template: &'a Node, id: &str) -> &'a Node {
    template
        .at_path(&["Resources", id])
        .unwrap_or_else(|| panic!("no resource {id}"))
}

/// The logical ids of a type.
fn of_type<'a>(template: &'a Node, kind: &str) -> Vec<(&'a str, &'a Node)> {
    let resources = template.get("Resources").and_then(Node::as_map).unwrap();
    resources
        .iter()
        .filter(|(_, node)| node.get("Type").and_then(Node::as_str) == Some(kind))
        .collect()
}
