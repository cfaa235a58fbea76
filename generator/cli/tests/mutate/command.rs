//! The commands that an input goes through.

use std::fmt::{self, Write};
use std::fs;

use fastrand::Rng;
use stackgen_cfn::{Map, Node, emit, map};

use crate::common::{Sandbox, root};
use crate::donors;
use crate::input::Input;
use crate::origins::Kind;
use crate::run::{Run, run};

/// The value of parameters that have no default.
const ROLE: &str = "arn:aws:iam::123456789012:role/given";

/// The commands of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject {
    /// `synth`, `lint`, `diff` and `graph`.
    Readers,
    /// `dev`, until it serves or fails.
    Dev,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Subject::Readers => "synth, lint, diff, graph",
            Subject::Dev => "dev",
        })
    }
}

/// A command with its arguments.
#[derive(Clone, Debug)]
pub(crate) struct Invocation(pub(crate) Vec<String>);

impl Invocation {
    fn of(line: &str) -> Self {
        Invocation(line.split_whitespace().map(str::to_owned).collect())
    }

    pub(crate) fn command(&self) -> &str {
        &self.0[0]
    }

    /// The exit codes that it may end with, as the reference of the command line has them.
    pub(crate) fn exit_codes(&self, was_ready: bool) -> &'static [i32] {
        match self.command() {
            // Only a gateway that served ends well.
            "dev" if was_ready => &[0],
            "dev" => &[1, 2, 3],
            "diff" | "graph" => &[0, 2],
            _ => &[0, 2, 3],
        }
    }
}

impl fmt::Display for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl Subject {
    /// Runs the commands on an input.
    pub(crate) fn run(self, input: &Input) -> Vec<(Invocation, Run)> {
        let sandbox = Sandbox::new();
        fs::create_dir(sandbox.path().join("tmp")).unwrap();
        let is_json = input.bytes.starts_with(b"{");
        let file = if is_json { "input.json" } else { "input.yaml" };
        sandbox.write(&format!("work/{file}"), &input.bytes);
        let mut random = input.choices();
        let lines = match self {
            Subject::Readers => readers(input, file, &sandbox, &mut random).to_vec(),
            Subject::Dev => vec![dev(input, file)],
        };
        let invocations = lines.iter().map(|line| Invocation::of(line));
        invocations
            .map(|invocation| {
                let run = run(&sandbox, &invocation.0);
                (invocation, run)
            })
            .collect()
    }
}

fn dev(input: &Input, file: &str) -> String {
    let source = match input.origin.kind {
        Kind::Spec => format!("--file {file}"),
        Kind::Template => file.to_owned() + &parameters(&input.bytes),
    };
    format!("dev {source} --port 0 --no-watch --no-build --json")
}

/// Returns arguments that set the parameters without a default, because no stack starts without them. Most fixtures have one,
/// the ARN of a role.
fn parameters(template: &[u8]) -> String {
    let template = std::str::from_utf8(template).ok().and_then(donors::read);
    let parameters = template
        .as_ref()
        .and_then(|it| it.get("Parameters")?.as_map());
    let mut arguments = String::new();
    for (name, parameter) in parameters.into_iter().flat_map(Map::iter) {
        let is_name = name.chars().all(|c| c.is_ascii_alphanumeric());
        if is_name && !name.is_empty() && parameter.get("Default").is_none() {
            write!(arguments, " --parameter {name}={ROLE}").unwrap();
        }
    }
    arguments
}

fn readers(input: &Input, file: &str, sandbox: &Sandbox, random: &mut Rng) -> [String; 4] {
    let format = ["cfn-yaml", "cfn-json", "sam"][random.usize(..3)];
    let graph = ["mermaid", "dot", "svg", "mermaid --json"][random.usize(..4)];
    let output = ["human", "json", "sarif", "junit", "github"][random.usize(..5)];
    let lint = match random.u8(..4) {
        0 => "lint --min-severity note --fix --diff".to_owned(),
        1 => "lint --previous before.yaml".to_owned(),
        _ => format!("lint --min-severity note --output-format {output}"),
    };
    let json = ["", " --json"][random.usize(..2)];
    match input.origin.kind {
        Kind::Template => {
            sandbox.write("work/before.yaml", &input.origin.text);
            let spec = spec_with_sections(&input.bytes);
            let spec = spec.map(|spec| sandbox.write("work/spec.yaml", spec));
            let spec = spec.map_or(file, |()| "spec.yaml");
            [
                format!("synth --file {spec} --unbuilt --out out --format {format}"),
                format!("{lint} {file}"),
                format!("diff before.yaml {file}{json}"),
                format!("graph {file} --format {graph}"),
            ]
        }
        Kind::Spec => {
            let before = fs::read(root().join("out/dev/template.yaml")).unwrap();
            sandbox.write("work/before.yaml", before);
            [
                format!("synth --file {file} --unbuilt --out out --format {format}"),
                format!("{lint} ."),
                format!("diff before.yaml --file {file} --unbuilt{json}"),
                format!("graph --file {file} --unbuilt --format {graph}"),
            ]
        }
    }
}

/// A stackgen.yaml with the sections of a template, if it can be parsed: others do not get far in `synth`.
fn spec_with_sections(template: &[u8]) -> Option<String> {
    let template = donors::read(std::str::from_utf8(template).ok()?)?;
    let mut spec = Map::new();
    spec.insert("name", Node::from("mutated"));
    spec.insert("environments", map([("dev", map::<&str>([]))]));
    for section in [
        "Parameters",
        "Conditions",
        "Mappings",
        "Resources",
        "Outputs",
    ] {
        if let Some(node) = template.get(section) {
            spec.insert(section.to_lowercase(), node.clone());
        }
    }
    Some(emit::yaml(&Node::from(spec)))
}
