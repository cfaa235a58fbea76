//! `stackgen deploy --redeploy-stage`, `stackgen deployments` and `stackgen status` against the local gateway, whose
//! functions are real processes.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use stackgen_gateway::gateway::{Gateway, Options};
use stackgen_gateway::stack::{Apply, StackCode, Template};
use tokio::runtime::Runtime;

use crate::common::{Run, Sandbox, root};

/// Connects everybody, unless a file called `broken` lies beside it.
const FUNCTION: &str = r#"#!/usr/bin/env python3
import json, os, urllib.request

api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as request:
        id = request.headers["Lambda-Runtime-Aws-Request-Id"]
        request.read()
    if os.path.exists(os.environ["BROKEN"]):
        path, result = "/error", {"errorMessage": "broken", "errorType": "Exception"}
    else:
        path, result = "/response", {"statusCode": 200}
    urllib.request.urlopen(api + id + path, json.dumps(result).encode())
"#;

/// A project that runs in a gateway of its own.
struct Project {
    sandbox: Sandbox,
    gateway: Gateway,
    runtime: Runtime,
    environment: &'static str,
}

impl Project {
    fn started(environment: &'static str, spec: &str) -> Project {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let gateway = runtime
            .block_on(Gateway::start(Options::default()))
            .unwrap();
        let project = Project {
            sandbox: Sandbox::with(spec),
            gateway,
            runtime,
            environment,
        };
        project.sandbox.write("function", FUNCTION);
        let program = project.sandbox.path().join("function");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        project
    }

    /// Applies what the stackgen.yaml renders.
    fn apply(&self, apply: Apply) {
        let run = self.sandbox.run(&format!(
            "synth --env {} --stdout --format cfn-yaml --unbuilt",
            self.environment
        ));
        assert_eq!(run.code, Some(0), "{run}");
        let program = StackCode::Program(self.sandbox.path().join("function"));
        let code = ["HelloFunction"].map(|id| (id.to_owned(), program.clone()));
        let template = Template {
            stack: "told".to_owned(),
            file: "template.yaml".to_owned(),
            text: run.stdout,
            code: code.into(),
            apply,
            ..Template::default()
        };
        let applied = self.runtime.block_on(self.gateway.apply(template));
        applied.unwrap_or_else(|problems| panic!("{problems:?}"));
        let mut state = serde_json::to_value(self.runtime.block_on(self.gateway.state())).unwrap();
        state["pid"] = json!(std::process::id());
        state["key"] = json!(self.gateway.key());
        self.sandbox
            .write(".stackgen/gateway.json", state.to_string());
    }

    fn run(&self, line: &str) -> Run {
        self.sandbox.run(line)
    }

    fn end(self) {
        self.runtime.block_on(self.gateway.shutdown());
    }
}

/// One function, and `more` routes.
fn spec(broken: &str, more: &str) -> String {
    format!(
        "name: told
functions:
  hello: {{ binary: hello, environment: {{ BROKEN: {broken} }} }}
websocket:
  name: told-api
  stage: {{ name: prod }}
  routes:
    $connect: {{ function: hello }}
    $default: {{ function: hello, twoWay: true }}
    {more}
environments:
  dev: {{}}
  prod: {{}}
"
    )
}

/// What a person sees, with ids, digests and ages that are the same in every run.
fn told(run: &Run) -> String {
    let text = run.to_string();
    let mut seen: Vec<String> = Vec::new();
    let mut out = String::new();
    let mut word = String::new();
    let mut flush = |word: &mut String, out: &mut String| {
        let is_id = |length| {
            word.as_str() != "sha256"
                && word.len() == length
                && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
                && word.bytes().any(|byte| byte.is_ascii_digit())
        };
        if is_id(6) || is_id(10) || (is_id(12) && word.bytes().all(|byte| byte.is_ascii_hexdigit()))
        {
            let index = seen.iter().position(|one| one == word).unwrap_or_else(|| {
                seen.push(word.clone());
                seen.len() - 1
            });
            out.push_str(&format!("<{index}>"));
        } else {
            out.push_str(word);
        }
        word.clear();
    };
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            word.push(c);
        } else {
            flush(&mut word, &mut out);
            out.push(c);
        }
    }
    flush(&mut word, &mut out);
    let numbers = ["second ago", "seconds ago", "minute ago", "minutes ago"];
    let mut lines: Vec<String> = out.lines().map(str::to_owned).collect();
    for line in &mut lines {
        for unit in numbers {
            while let Some(at) = line.find(&format!(" {unit}")) {
                let start = line[..at]
                    .rfind(|c: char| !c.is_ascii_digit())
                    .map_or(0, |at| at + 1);
                let end = at + 1 + unit.len();
                let rest = line[end..].trim_start().to_owned();
                let space = if rest.len() == line[end..].len() {
                    ""
                } else {
                    "  "
                };
                *line = format!("{}moments past{space}{rest}", &line[..start]);
            }
        }
    }
    let tries = |line: &String| match (line.rfind(" ("), line.rfind(" handshakes)")) {
        (Some(open), Some(close)) if open < close => line.replace(&line[open..close], " (many"),
        _ => line.clone(),
    };
    lines.iter().map(tries).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_story_of_a_stale_stage() {
    let project = Project::started("dev", "");
    let broken = project.sandbox.path().join("broken");
    let with = |more: &str| {
        project
            .sandbox
            .write("stackgen.yaml", spec(&broken.display().to_string(), more))
    };
    with("");
    project.apply(Apply::Everything);
    project.run("synth --env dev --unbuilt --quiet");

    let fresh = project.run("status --local");
    insta::assert_snapshot!("fresh", told(&fresh));
    let nothing = project.run("deploy --redeploy-stage --local");
    insta::assert_snapshot!("nothing_to_do", told(&nothing));

    with("added: { function: hello }");
    project.apply(Apply::WithoutDeployments);
    let stale = project.run("status --local");
    insta::assert_snapshot!("stale", told(&stale));
    let planned = project.run("deploy --redeploy-stage --local --dry-run");
    insta::assert_snapshot!("planned", told(&planned));
    let deployed = project.run("deploy --redeploy-stage --local");
    insta::assert_snapshot!("deployed", told(&deployed));
    let current = project.run("status --local");
    insta::assert_snapshot!("current", told(&current));

    let listed = project.run("deployments list --local");
    insta::assert_snapshot!("listed", told(&listed));
    let back = project.run("deployments rollback --local");
    insta::assert_snapshot!("rolled_back", told(&back));
    assert_eq!(project.run("status --local").code, Some(3));
    let again = project.run("deploy --redeploy-stage --local --quiet");
    insta::assert_snapshot!("quiet", told(&again));

    fs::write(&broken, "").unwrap();
    let failed = project.run("deploy --redeploy-stage --local --force");
    insta::assert_snapshot!("failed", told(&failed));
    fs::remove_file(&broken).unwrap();
    let pruned = project.run("deployments prune --local --keep 0");
    insta::assert_snapshot!("pruned", told(&pruned));
    project.end();
}

#[test]
fn a_pinned_stack_is_current_after_cloudformation_and_redeployed_once() {
    let project = Project::started("prod", "");
    let broken = project.sandbox.path().join("broken");
    project
        .sandbox
        .write("stackgen.yaml", spec(&broken.display().to_string(), ""));
    project.apply(Apply::Everything);
    let fresh = project.run("status --local --json").json();
    let verdict = &fresh["stages"][0]["verdict"];
    assert_eq!(
        (&verdict["state"], &verdict["sureness"]),
        (&json!("current"), &json!("likely")),
        "{fresh:#}"
    );
    let outcome = |run: Run| {
        assert_eq!(run.code, Some(0), "{run}");
        run.json()["apis"][0]["outcome"].clone()
    };
    assert_eq!(
        outcome(project.run("deploy --redeploy-stage --local --json")),
        "deployed"
    );
    assert_eq!(
        outcome(project.run("deploy --redeploy-stage --local --json")),
        "current"
    );
    project.end();
}

#[test]
fn any_api_is_redeployed_by_its_id() {
    let project = Project::started("dev", "");
    let broken = project.sandbox.path().join("broken");
    project
        .sandbox
        .write("stackgen.yaml", spec(&broken.display().to_string(), ""));
    project.apply(Apply::Everything);
    let state = project.runtime.block_on(project.gateway.state());
    let id = &state.apis[0].api_id;
    let elsewhere = Sandbox::new();
    let line = format!(
        "--endpoint-url {} --region us-east-1 --api-id {id}",
        state.endpoint
    );
    let aws = |line: String| {
        let mut command = elsewhere.command();
        command
            .env("AWS_ACCESS_KEY_ID", "any")
            .env("AWS_SECRET_ACCESS_KEY", "any");
        command.env("HOME", elsewhere.path());
        Run::of(command.args(line.split_whitespace()).output().unwrap())
    };
    let run = aws(format!("deploy --redeploy-stage {line} --force --json"));
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(run.json()["apis"][0]["outcome"], "deployed");
    assert_eq!(aws(format!("status {line}")).code, Some(0));
    let other = aws(format!("status {line} --stage-name other"));
    insta::assert_snapshot!(told(&other), @"
    exit 2
    --- stderr
    error: API <0> has no stage other; it has prod
    help: `--stage-name` names one
    ");
    project.end();
}

/// What CloudFormation makes of a template has the digest of the template, whatever API Gateway fills in.
#[test]
fn an_account_has_the_digest_of_the_template_that_it_was_made_from() {
    for starter in ["live-session", "chat", "echo"] {
        let file = root().join("templates").join(starter).join("stackgen.yaml");
        let project = Project::started("dev", &fs::read_to_string(file).unwrap());
        project.apply(Apply::Everything);
        let run = project.run("status --local --env dev --json");
        for stage in run.json()["stages"].as_array().unwrap() {
            assert_eq!(
                stage["accountDigest"], stage["templateDigest"],
                "{starter}: {stage:#}"
            );
        }
        assert_eq!(run.code, Some(0), "{run}");
        project.end();
    }
}

#[test]
fn what_is_missing_is_said() {
    let sandbox = Sandbox::with(&spec("x", ""));
    let quiet = |line: &str| {
        let mut command = sandbox.command();
        command
            .env("HOME", sandbox.path())
            .env("AWS_EC2_METADATA_DISABLED", "true");
        Run::of(command.args(line.split_whitespace()).output().unwrap())
    };
    insta::assert_snapshot!(quiet("status --env dev"), @"
    exit 1
    --- stderr
    note: not built, so their code is left as it is: hello-dev
    help: `cargo lambda build --release --output-format zip --arm64` builds them
    error: no region is set
    help: set AWS_REGION, or give `--region`
    ");
    insta::assert_snapshot!(quiet("status --env dev --region us-east-1"), @"
    exit 1
    --- stderr
    note: not built, so their code is left as it is: hello-dev
    help: `cargo lambda build --release --output-format zip --arm64` builds them
    error: no credentials were found
    help: set AWS_PROFILE or `--profile`, or sign in; `--local` needs none
    ");
    insta::assert_snapshot!(quiet("status"), @"
    exit 2
    --- stderr
    error: which environment?
    help: name one with `--env`: dev, prod
    ");
    insta::assert_snapshot!(quiet("status --local"), @"
    exit 1
    --- stderr
    error: no local gateway runs for stackgen.yaml
    help: `stackgen dev` starts one; `--file` names another project
    ");
    insta::assert_snapshot!(quiet("deploy"), @"
    exit 2
    --- stderr
    error: what is to be deployed?
    help: `--redeploy-stage` deploys the API as the account holds it; `--code-only` sends code
    ");
}
