//! `stackgen deploy --redeploy-stage`, `stackgen deployments` and `stackgen status` against the local gateway, whose
//! functions are real processes.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use stackgen_gateway::gateway::{Gateway, GatewayOptions};
use stackgen_gateway::stack::{ApplyMode, StackCode, StackTemplate};
use tokio::runtime::Runtime;

use crate::common::{Run, Sandbox, root};

/// Function that accepts every connection, unless a file named `broken` is beside it.
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

/// A project with its own gateway.
pub(crate) struct Project {
    pub(crate) sandbox: Sandbox,
    pub(crate) gateway: Gateway,
    pub(crate) runtime: Runtime,
    environment: &'static str,
    /// IDs that were seen.
    ids: RefCell<BTreeSet<String>>,
}

impl Project {
    pub(crate) fn started(environment: &'static str, spec: &str) -> Project {
        Project::started_with(environment, spec, GatewayOptions::default())
    }

    pub(crate) fn started_with(
        environment: &'static str,
        spec: &str,
        options: GatewayOptions,
    ) -> Project {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let gateway = runtime.block_on(Gateway::start(options)).unwrap();
        let project = Project {
            sandbox: Sandbox::with(spec),
            gateway,
            runtime,
            environment,
            ids: RefCell::default(),
        };
        project.sandbox.write("function", FUNCTION);
        let program = project.sandbox.path().join("function");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        project
    }

    /// Applies the project's template.
    pub(crate) fn apply(&self, apply: ApplyMode) {
        self.apply_edited(apply, |template| template);
    }

    /// Applies the project's template after an edit.
    pub(crate) fn apply_edited(&self, apply: ApplyMode, edit: impl Fn(String) -> String) {
        let run = self.sandbox.run(&format!(
            "synth --env {} --stdout --format cfn-yaml --unbuilt",
            self.environment
        ));
        assert_eq!(run.code, Some(0), "{run}");
        let program = StackCode::Program(self.sandbox.path().join("function"));
        let code = ["HelloFunction"].map(|id| (id.to_owned(), program.clone()));
        let template = StackTemplate {
            stack: "told".to_owned(),
            file: "template.yaml".to_owned(),
            text: edit(run.stdout),
            code: code.into(),
            apply,
            ..StackTemplate::default()
        };
        let applied = self.runtime.block_on(self.gateway.apply(template));
        applied.unwrap_or_else(|problems| panic!("{problems:?}"));
        let mut state = serde_json::to_value(self.runtime.block_on(self.gateway.state())).unwrap();
        state["pid"] = json!(std::process::id());
        state["key"] = json!(self.gateway.key());
        self.sandbox
            .write(".stackgen/gateway.json", state.to_string());
    }

    pub(crate) fn run(&self, line: &str) -> Run {
        self.sandbox.run(line)
    }

    pub(crate) fn end(self) {
        self.runtime.block_on(self.gateway.shutdown());
    }
}

/// Returns a project with one function, and with the routes of `more`.
pub(crate) fn spec(broken: &str, more: &str) -> String {
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

impl Project {
    /// Output with IDs, digests, ages and numbers of attempts replaced, so that it is the same in every run.
    pub(crate) fn masked_output(&self, run: &Run) -> String {
        self.learn();
        let mut seen: Vec<String> = Vec::new();
        let mut masked = |word: &str| {
            let index = seen.iter().position(|one| one == word).unwrap_or_else(|| {
                seen.push(word.to_owned());
                seen.len() - 1
            });
            format!("<{index}>")
        };
        let ids = self.ids.borrow();
        let mut out = String::new();
        let text = run.to_string();
        for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
            let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            let is_digest = out.ends_with("sha256:");
            match is_digest || ids.contains(bare) {
                true => out.push_str(&(masked(bare) + &word[bare.len()..])),
                false => out.push_str(word),
            }
        }
        out.lines().map(timeless).collect::<Vec<_>>().join("\n")
    }

    /// Remembers all current IDs.
    fn learn(&self) {
        let apis = &self.gateway.account().apis;
        let mut ids = self.ids.borrow_mut();
        for api in apis.list_apis() {
            ids.insert(api.api_id.to_string());
            let deployments = apis.list_deployments(&api.api_id).unwrap();
            ids.extend(deployments.iter().map(|one| one.deployment_id.to_string()));
            let integrations = apis.list_integrations(&api.api_id).unwrap();
            ids.extend(
                integrations
                    .iter()
                    .map(|one| one.integration_id.to_string()),
            );
        }
    }
}

/// Replaces ages and numbers of attempts.
fn timeless(line: &str) -> String {
    let mut line = line.to_owned();
    for unit in ["second ago", "seconds ago", "minute ago", "minutes ago"] {
        while let Some(at) = line.find(&format!(" {unit}")) {
            let start = line[..at]
                .rfind(|c: char| !c.is_ascii_digit())
                .map_or(0, |at| at + 1);
            let after = &line[at + 1 + unit.len()..];
            let rest = after.trim_start();
            let space = if rest.len() == after.len() { "" } else { "  " };
            line = format!("{}moments past{space}{rest}", &line[..start]);
        }
    }
    for word in line.clone().split_whitespace() {
        if word.starts_with("20") && word.ends_with('Z') && word.contains('T') {
            line = line.replace(word, "<time>");
        }
    }
    match (line.rfind(" ("), line.rfind(" attempts)")) {
        (Some(open), Some(close)) if open < close => line.replace(&line[open..close], " (many"),
        _ => line,
    }
}

#[test]
fn a_stale_stage_is_found_redeployed_and_rolled_back() {
    let project = Project::started("dev", "");
    let broken = project.sandbox.path().join("broken");
    let with = |more: &str| {
        project
            .sandbox
            .write("stackgen.yaml", spec(&broken.display().to_string(), more))
    };
    with("");
    project.apply(ApplyMode::Everything);
    project.run("synth --env dev --unbuilt --quiet");

    let fresh = project.run("status --local");
    insta::assert_snapshot!("fresh", project.masked_output(&fresh));
    let nothing = project.run("deploy --redeploy-stage --local");
    insta::assert_snapshot!("nothing_to_do", project.masked_output(&nothing));

    with("added: { function: hello }");
    project.apply(ApplyMode::WithoutDeployments);
    let stale = project.run("status --local");
    insta::assert_snapshot!("stale", project.masked_output(&stale));
    let planned = project.run("deploy --redeploy-stage --local --dry-run");
    insta::assert_snapshot!("planned", project.masked_output(&planned));
    let deployed = project.run("deploy --redeploy-stage --local");
    insta::assert_snapshot!("deployed", project.masked_output(&deployed));
    let current = project.run("status --local");
    insta::assert_snapshot!("current", project.masked_output(&current));

    let listed = project.run("deployments list --local");
    insta::assert_snapshot!("listed", project.masked_output(&listed));
    let back = project.run("deployments rollback --local");
    insta::assert_snapshot!("rolled_back", project.masked_output(&back));
    assert_eq!(project.run("status --local").code, Some(3));
    let again = project.run("deploy --redeploy-stage --local --quiet");
    insta::assert_snapshot!("quiet", project.masked_output(&again));

    fs::write(&broken, "").unwrap();
    let failed = project.run("deploy --redeploy-stage --local --force");
    insta::assert_snapshot!("failed", project.masked_output(&failed));
    fs::remove_file(&broken).unwrap();
    let pruned = project.run("deployments prune --local --keep 0");
    insta::assert_snapshot!("pruned", project.masked_output(&pruned));
    project.end();
}

#[test]
fn a_pinned_stack_is_redeployed_once_after_cloudformation() {
    let project = Project::started("prod", "");
    let broken = project.sandbox.path().join("broken");
    project
        .sandbox
        .write("stackgen.yaml", spec(&broken.display().to_string(), ""));
    project.apply(ApplyMode::Everything);
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
    project.apply(ApplyMode::Everything);
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
    let nobodys = aws(
        "status --api-id nobodys --region us-east-1 --endpoint-url ".to_owned() + &state.endpoint,
    );
    insta::assert_snapshot!(nobodys, @"
    exit 2
    --- stderr
    error: there is no API with the ID nobodys
    help: list the APIs with `aws apigatewayv2 get-apis`; `--region` and `--profile` select another region and account
    ");
    let other = aws(format!("status {line} --stage-name other"));
    insta::assert_snapshot!(project.masked_output(&other), @"
    exit 2
    --- stderr
    error: API <0> has no stage other; it has prod
    help: select one with `--stage-name`
    ");
    project.end();
}

/// The account has the digest of its template, whatever defaults API Gateway adds.
#[test]
fn an_account_has_the_digest_of_its_template() {
    for starter in ["live-session", "chat", "echo"] {
        let file = root().join("templates").join(starter).join("stackgen.yaml");
        let project = Project::started("dev", &fs::read_to_string(file).unwrap());
        project.apply(ApplyMode::Everything);
        let run = project.run("status --local --env dev --json --allow-unverified");
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
fn missing_input_is_reported() {
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
    note: skipped the code of functions that are not built: hello-dev
    help: build them with `stackgen build`
    error: no region is set
    help: set AWS_REGION or `--region`
    ");
    insta::assert_snapshot!(quiet("status --env dev --region us-east-1"), @"
    exit 1
    --- stderr
    note: skipped the code of functions that are not built: hello-dev
    help: build them with `stackgen build`
    error: no credentials were found
    help: set AWS_PROFILE or `--profile`, or sign in; `--local` needs no credentials
    ");
    insta::assert_snapshot!(quiet("status"), @"
    exit 2
    --- stderr
    error: the stack has several environments
    help: name one with `--env`: dev, prod
    ");
    insta::assert_snapshot!(quiet("status --local"), @"
    exit 1
    --- stderr
    error: no local gateway runs for stackgen.yaml
    help: start one with `stackgen dev`, or name another project with `--file`
    ");
    insta::assert_snapshot!(quiet("deploy"), @"
    exit 2
    --- stderr
    error: the stack has several environments
    help: name one with `--env`: dev, prod
    ");
}

#[test]
fn incompatible_flags_are_refused() {
    let sandbox = Sandbox::with(&spec("x", ""));
    insta::assert_snapshot!(sandbox.run("deploy --local --api-id a1b2"), @"
    exit 2
    --- stderr
    error: `--api-id` cannot be used with `--local` alone, which applies a whole template
    help: redeploy the API with `--redeploy-stage --local --api-id …`
    ");
    insta::assert_snapshot!(sandbox.run("deploy --local --dry-run"), @"
    exit 2
    --- stderr
    error: `--dry-run` needs `--redeploy-stage` or `--code-only`
    help: show the changes of a template with `stackgen diff`
    ");
    insta::assert_snapshot!(sandbox.run("deploy --local --keep 3"), @"
    exit 2
    --- stderr
    error: the following required arguments were not provided:
      --redeploy-stage

    Usage: stackgen deploy --redeploy-stage --local --keep <COUNT>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(sandbox.run("deploy --redeploy-stage --local --no-build"), @"
    exit 2
    --- stderr
    error: the argument '--redeploy-stage' cannot be used with '--no-build'

    Usage: stackgen deploy --redeploy-stage --local

    For more information, try '--help'.
    ");
}

/// Writes code that differs from the account's, where `stackgen build` would write it.
fn build_anew(project: &Project) {
    project
        .sandbox
        .write("built/bootstrap", format!("{FUNCTION}# built anew\n"));
    fs::create_dir_all(project.sandbox.path().join("target/lambda/hello")).unwrap();
    let zip = "import zipfile\n\
               info = zipfile.ZipInfo('bootstrap')\n\
               info.external_attr = 0o100755 << 16\n\
               with zipfile.ZipFile('target/lambda/hello/bootstrap.zip', 'w') as archive:\n    \
                   archive.writestr(info, open('built/bootstrap').read())\n";
    let mut python = std::process::Command::new("python3");
    let made = python
        .args(["-c", zip])
        .current_dir(project.sandbox.path())
        .status();
    assert!(made.unwrap().success());
}

/// Runs stackgen as for AWS, with the gateway's endpoint.
fn on_endpoint(project: &Project, endpoint: &str, line: &str) -> Run {
    let line = format!("{line} --env prod --region us-east-1");
    let mut command = project.sandbox.command();
    command
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env("HOME", project.sandbox.path())
        .env("AWS_ENDPOINT_URL", endpoint)
        .args(line.split_whitespace());
    Run::of(command.output().unwrap())
}

#[test]
fn built_code_is_sent_published_and_served() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let project = Project::started("prod", "");
    let broken = project.sandbox.path().join("broken");
    let spec = spec(&broken.display().to_string(), "");
    project.sandbox.write("stackgen.yaml", spec);
    project.apply(ApplyMode::Everything);
    build_anew(&project);
    let endpoint = project.runtime.block_on(project.gateway.state()).endpoint;
    let aws = |line: &str| on_endpoint(&project, &endpoint, line);
    insta::assert_snapshot!(project.masked_output(&aws("deploy --redeploy-stage --dry-run")), @"
    exit 0
    --- stdout
    would update the code of hello-prod
    would publish a version of hello-prod and call it
    would deploy the result and move stage prod to it (serves <0>)
    would verify the stage as its callers
    --- stderr
    told-api-prod (<1>), stage prod
    ");
    insta::assert_snapshot!(project.masked_output(&aws("deploy --redeploy-stage")), @"
    exit 0
    --- stdout
    stage prod of told-api-prod serves deployment <0> (was <1>), verified
    --- stderr
    told-api-prod (<2>), stage prod
      code      hello-prod runs the new code
      version   integration <3> calls version 2 once it is deployed
      wiring    2 routes, sha256:<4>; the stage serves sha256:<5>
      created   deployment <0>
      activated <0> (was <1>)
      verifying 101: a WebSocket was opened, as anonymous
    ");
    let again = aws("deploy --redeploy-stage --json");
    assert_eq!(again.json()["apis"][0]["outcome"], "current", "{again}");
    insta::assert_snapshot!(project.masked_output(&aws("deploy --code-only")), @"
    exit 0
    --- stdout
    0 of 1 functions updated
    ");
    assert_eq!(aws("probe --expect-status 101").code, Some(0));
    insta::assert_snapshot!(project.masked_output(&aws("status")), @"
    exit 0
    --- stdout
    told-api-prod (<0>), stage prod: current
      because   the digests are the same
      serves    deployment <1>, moments past, by `stackgen deploy --redeploy-stage`, git:none, sha256:<2>
      verified  <time> as anonymous
      account   sha256:<2>
      template  sha256:<3>
      code      hello-prod runs the built code
    ");
    project.end();
}
