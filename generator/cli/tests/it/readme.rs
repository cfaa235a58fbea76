//! Samples in the README.

use std::fs;

use crate::common::{Run, Sandbox, root};

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

/// Checks that the README has these lines of a run's output.
fn assert_shown<'a>(run: &Run, lines: impl Iterator<Item = &'a str>) {
    let readme = readme();
    let mut lines = lines
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .peekable();
    assert!(lines.peek().is_some(), "{run}");
    for line in lines {
        assert!(readme.contains(line), "the README lacks {line:?} of {run}");
    }
}

#[test]
fn the_readme_shows_the_project_file_of_the_starter_echo() {
    let spec = fs::read_to_string(root().join("templates/echo/stackgen.yaml")).unwrap();
    let (_, spec) = spec.split_once("name: echo\n").unwrap();
    assert!(readme().contains(spec), "the README lacks {spec}");
}

#[test]
fn the_readme_shows_the_diff_of_a_new_route() {
    let sandbox = Sandbox::starter("echo");
    let synth = sandbox.run("synth");
    assert_shown(&synth, synth.stdout.lines());
    let spec = sandbox.read("stackgen.yaml");
    let route = "    $default: { function: echo, twoWay: true }\n";
    assert!(spec.contains(route));
    sandbox.write(
        "stackgen.yaml",
        spec.replace(route, &format!("{route}    ping: echo\n")),
    );
    let diff = sandbox.run("diff");
    assert_shown(&diff, diff.stdout.lines());
}

#[test]
fn the_readme_shows_an_error_of_a_project_file() {
    let spec = fs::read_to_string(root().join("templates/live-session/stackgen.yaml")).unwrap();
    let source = "callers: mixed\n    identitySource: [route.request.querystring.token]";
    let sandbox = Sandbox::with(&spec.replacen("callers: mixed", source, 1));
    let run = sandbox.run("synth");
    assert_eq!(run.code, Some(2), "{run}");
    // Line numbers differ.
    let is_text = |line: &&str| {
        ["error", "=", "look", "1 "]
            .iter()
            .any(|start| line.trim().starts_with(start))
    };
    assert_shown(&run, run.stderr.lines().filter(is_text));
}

#[test]
fn the_readme_shows_the_finding_of_the_page_of_its_rule() {
    let page = root().join("docs/rules/SG102-connect-open-beside-authorizer.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, finding) = page.split_once("error[SG102]").unwrap();
    let (finding, _) = finding.split_once("```").unwrap();
    let finding = finding.replace("connect_open_beside_authorizer.yaml", "template.yaml");
    assert!(readme().contains(&finding), "the README lacks {finding}");
}

/// Renders the starter live-session. Returns the template of an environment.
fn live_session(environment: &str) -> String {
    let sandbox = Sandbox::starter("live-session");
    let synth = sandbox.run("synth");
    assert_eq!(synth.code, Some(0), "{synth}");
    sandbox.read(&format!("out/{environment}/template.yaml"))
}

#[test]
fn the_readme_counts_the_tables_and_functions_of_the_starter_live_session() {
    let template = live_session("prod");
    let count = |kind: &str| template.matches(&format!("Type: {kind}\n")).count();
    let words = [
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight",
    ];
    let tables = words[count("AWS::DynamoDB::Table")];
    let functions = words[count("AWS::Lambda::Function")];
    let readme = readme();
    let row = readme
        .lines()
        .find(|line| line.contains("init live-session` | "));
    let row = row.unwrap();
    assert!(row.contains(&format!(" {tables} tables;")), "{row}");
    assert!(row.ends_with(&format!("| {functions} |")), "{row}");
}

#[test]
fn the_starter_live_session_says_how_much_of_the_quota_it_reserves() {
    let template = live_session("prod-hardened");
    let lines = template.lines().map(str::trim);
    let reserved = lines.filter_map(|line| line.strip_prefix("ReservedConcurrentExecutions: "));
    let sum: usize = reserved.map(|text| text.parse::<usize>().unwrap()).sum();
    let spec = root().join("templates/live-session/stackgen.yaml");
    let spec = fs::read_to_string(spec).unwrap();
    assert!(spec.contains(&format!("reserve {sum} together")), "{sum}");
    let quota = sum + 100;
    assert!(spec.contains(&format!("quota below {quota}")), "{quota}");
}
