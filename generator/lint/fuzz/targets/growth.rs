//! Checks that the cost of linting grows no faster than a template, whatever rules find in it. Counts allocations
//! instead of time, so that the result is the same on every machine and under any load.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use allocation_counter::measure;
use stackgen_cfn::{Entry, Intrinsic, IntrinsicCall, Map, Node, Sources, Value, emit, parse};
use stackgen_lint::output::{LintedFile, LintResults, Summary, github, human, json, junit};
use stackgen_lint::{LintInput, lint};

/// Approximate numbers of resources in the short and the long template: enough to reach the limits that AWS's quotas
/// set.
const RESOURCES: [usize; 2] = [1_200, 4_800];

/// Maximum cost of the longer template, in percent of a proportional one. Lists and tables grow by doubling.
const MOST: u64 = 140;

/// References between copies of resources.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Copies {
    /// References point to the first copy, so that all copies share one API, one function and one role.
    OfParts,
    /// References point to resources of the same copy, so that there are many APIs.
    OfAll,
}

/// Returns the bad side of every rule's main fixture.
fn fixtures() -> Vec<(String, Node)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let mut fixtures = Vec::new();
    for rule in stackgen_lint::registry::all() {
        let text = rule.example.lines().filter(|line| !line.starts_with('+'));
        let text: Vec<_> = text.map(|line| line.get(1..).unwrap_or("")).collect();
        let node =
            parse(Sources::new().add(rule.name, text.join("\n"))).expect("fixtures are templates");
        fixtures.push((rule.name.to_owned(), node));
    }
    let whole = folder.join("../../../out/prod/template.yaml");
    let node = parse(Sources::new().add(
        "flagship",
        fs::read_to_string(whole).expect("fixtures are templates"),
    ))
    .expect("fixtures are templates");
    fixtures.push(("the flagship".to_owned(), node));
    fixtures
}

/// Repeats the resources of a template up to a number.
fn repeated(template: &Node, count: usize, copies: Copies) -> String {
    let resources = template
        .get("Resources")
        .and_then(Node::as_map)
        .expect("fixtures are templates");
    let times = count / resources.len();
    let mut more = resources.clone();
    for number in 1..times {
        for (id, entry) in resources.entries() {
            let node = match copies {
                Copies::OfParts => entry.node.clone(),
                Copies::OfAll => renamed(&entry.node, resources, number),
            };
            let entry = Entry {
                node,
                ..entry.clone()
            };
            more.insert_entry(format!("{id}{number:04}"), entry);
        }
    }
    let mut template = template.clone();
    template
        .as_map_mut()
        .expect("fixtures are templates")
        .insert("Resources", more);
    emit::yaml(&template)
}

/// Returns a value that refers to the copies with a number.
fn renamed(node: &Node, ids: &Map, number: usize) -> Node {
    let name = |text: &str| match ids.get(text) {
        Some(_) => format!("{text}{number:04}"),
        None => text.to_owned(),
    };
    let inside = |node: &Node| renamed(node, ids, number);
    let value = match &node.value {
        Value::String(text) => Value::String(name(text)),
        Value::List(items) => Value::List(items.iter().map(inside).collect()),
        Value::Map(map) => Value::Map(map.iter().map(|(key, node)| (key, inside(node))).collect()),
        Value::Call(call) if call.function == Intrinsic::Sub => {
            let mut text = emit::json_line(&call.argument);
            for id in ids.keys() {
                for end in ["}", "."] {
                    text = text.replace(&format!("${{{id}{end}"), &format!("${{{}{end}", name(id)));
                }
            }
            let argument = parse(Sources::new().add("sub", format!("- {text}")))
                .expect("fixtures are templates");
            Value::Call(IntrinsicCall::new(
                Intrinsic::Sub,
                argument.as_list().expect("fixtures are templates")[0].clone(),
            ))
        }
        Value::Call(call) => Value::Call(IntrinsicCall::new(call.function, inside(&call.argument))),
        other => other.clone(),
    };
    Node::new(value)
}

/// Counts the allocations and bytes of reading, linting and reporting.
fn cost(text: &str) -> [u64; 2] {
    let mut sources = Sources::new();
    let source = sources.add("template.yaml", text).clone();
    let info = measure(|| {
        let template = parse(&source).expect("fixtures are templates");
        let subject = LintInput {
            template: &template,
            source: Some(&source),
            previous: Some(&template),
        };
        let linted = [LintedFile {
            file: "template.yaml".to_owned(),
            report: lint(&subject),
            sources: sources.clone(),
        }];
        let results = LintResults {
            linted: &linted,
            unread: &[],
            summary: &Summary::of(&linted),
            has_baseline: false,
            with_suppressed: true,
        };
        human::render(&linted[0]);
        for format in [json::render, junit::render, github::render] {
            format(&results);
        }
    });
    [info.count_total, info.bytes_total]
}

fn main() -> ExitCode {
    let mut worst = 0;
    for (name, template) in fixtures() {
        for copies in [Copies::OfParts, Copies::OfAll] {
            let texts = RESOURCES.map(|count| repeated(&template, count, copies));
            let [short, long] = texts.each_ref().map(|text| cost(text));
            let lengths = texts.each_ref().map(|text| text.len() as u64);
            for (what, (short, long)) in ["allocations", "bytes"]
                .iter()
                .zip(short.into_iter().zip(long))
            {
                let share = 100 * long * lengths[0] / (short * lengths[1]);
                worst = worst.max(share);
                if share > MOST {
                    println!(
                        "{name}, {copies:?}: {share}% of the {what} that would be proportional"
                    );
                }
            }
        }
    }
    println!("at most {worst}% of what would be proportional");
    match worst > MOST {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}
