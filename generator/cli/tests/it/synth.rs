//! `stackgen synth`

use std::process::Stdio;

use insta::assert_snapshot;

use crate::common::Sandbox;

#[test]
fn every_environment_is_written_and_notices_go_to_stderr() {
    let sandbox = Sandbox::starter("live-session");
    assert_snapshot!(sandbox.run("synth --unbuilt"), @"
    exit 0
    --- stdout
    wrote     out/dev/template.yaml            107 resources
    wrote     out/prod/template.yaml           91 resources
    wrote     out/prod-hardened/template.yaml  93 resources
    --- stderr
    note: dev, prod, prod-hardened: logs need API Gateway's CloudWatch role, which is set once per account and region
    help: run the command in the template's outputs, or write `apiGatewayCloudWatchRole: true` to create the role for the whole account and region
    note: prod, prod-hardened: no function is built: changes to code will not publish new versions
    help: before you deploy, run `stackgen build`, then run `stackgen synth` again
    note: prod-hardened: `session-audio-handler`, `session-connection-handler`, `session-disconnect-handler`, `session-http-handler` and `session-reconciler` call the management API from a VPC: an endpoint of execute-api with private DNS in this VPC would make all calls fail with 403 (row K8)
    help: give the subnets a route to the internet, such as a NAT gateway, and turn private DNS of such an endpoint off
    look up a row: stackgen explain K8
    ");
    let files = [
        "out/dev/template.yaml",
        "out/prod-hardened/template.yaml",
        "out/prod/template.yaml",
        "stackgen.yaml",
    ];
    assert_eq!(sandbox.files(), files);
}

#[test]
fn a_second_run_changes_nothing() {
    let sandbox = Sandbox::starter("echo");
    sandbox.run("synth");
    let path = sandbox.path().join("out/dev/template.yaml");
    let written = || path.metadata().unwrap().modified().unwrap();
    let before = written();
    assert_snapshot!(sandbox.run("synth"), @"
    exit 0
    --- stdout
    unchanged out/dev/template.yaml  10 resources
    ");
    assert_eq!(written(), before);
}

#[test]
fn formats_and_environments_are_chosen() {
    let sandbox = Sandbox::starter("live-session");
    let run = sandbox.run("synth -q --env prod --format sam --format cfn-json --out rendered");
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (Some(0), "", "")
    );
    let files = [
        "rendered/prod/sam.yaml",
        "rendered/prod/template.json",
        "stackgen.yaml",
    ];
    assert_eq!(sandbox.files(), files);
}

#[test]
fn json_lists_files_and_notices() {
    assert_snapshot!(Sandbox::starter("echo").run("synth --json"), @r#"
    exit 0
    --- stdout
    {
      "files": [
        {
          "path": "out/dev/template.yaml",
          "stack": "echo",
          "environment": "dev",
          "format": "cfn-yaml",
          "resources": 10,
          "status": "wrote"
        }
      ],
      "notices": [],
      "undeclared": [],
      "findings": []
    }
    "#);
}

#[test]
fn stdout_prints_the_template_of_the_current_folder() {
    let sandbox = Sandbox::starter("echo");
    let printed = sandbox.run("synth --stdout");
    assert_eq!(printed.code, Some(0));
    assert_eq!(sandbox.files(), ["stackgen.yaml"]);
    sandbox.run("synth --out .");
    let written = sandbox.read("dev/template.yaml");
    let code = "target/lambda/echo/bootstrap.zip";
    assert_eq!(
        printed.stdout,
        written.replace(&format!("'../{code}'"), code)
    );
}

#[test]
fn stdout_takes_one_template_only() {
    assert_snapshot!(Sandbox::starter("live-session").run("synth --stdout"), @"
    exit 2
    --- stderr
    error: `--stdout` prints a single template, but 3 are selected
    help: select one with `--env`: dev, prod, prod-hardened
    ");
    assert_snapshot!(Sandbox::starter("echo").run("synth --stdout --format sam --format cfn-yaml"), @"
    exit 2
    --- stderr
    error: `--stdout` prints a single template, but 2 are selected
    help: select one with `--format`
    ");
}

#[test]
fn check_finds_nothing_when_out_is_fresh() {
    let sandbox = Sandbox::starter("echo");
    sandbox.run("synth");
    assert_snapshot!(sandbox.run("synth --check"), @"
    exit 0
    --- stdout
    unchanged out/dev/template.yaml  10 resources
    ");
}

#[test]
fn check_shows_what_is_stale_and_writes_nothing() {
    let sandbox = Sandbox::starter("echo");
    sandbox.run("synth");
    let old = sandbox.read("out/dev/template.yaml");
    let spec = sandbox.read("stackgen.yaml");
    sandbox.write(
        "stackgen.yaml",
        spec.replace("binary: echo", "binary: echo\n    memory: 512"),
    );
    assert_snapshot!(sandbox.run("synth --check"), @"
    exit 3
    --- stdout
    --- out/dev/template.yaml
    +++ out/dev/template.yaml
    @@ -46,7 +46,7 @@
           Handler: bootstrap
           Architectures:
             - arm64
    -      MemorySize: 128
    +      MemorySize: 512
           Timeout: 3
           Role: !GetAtt EchoRole.Arn
           Environment:
    stale     out/dev/template.yaml  10 resources
    --- stderr
    1 of 1 file is stale; update it with `stackgen synth`
    ");
    assert_eq!(sandbox.read("out/dev/template.yaml"), old);
}

#[test]
fn check_shows_what_is_missing() {
    let sandbox = Sandbox::starter("echo");
    let run = sandbox.run("synth --check");
    assert_eq!(run.code, Some(3));
    assert!(
        run.stdout
            .starts_with("--- /dev/null\n+++ out/dev/template.yaml\n"),
        "{run}"
    );
    assert_eq!(sandbox.files(), ["stackgen.yaml"]);
    assert_eq!(
        sandbox.run("synth --check --json").json()["files"][0]["status"],
        "missing"
    );
}

#[test]
fn an_output_folder_that_cannot_be_written_is_an_error() {
    let sandbox = Sandbox::starter("echo");
    sandbox.write("out", "a file");
    assert_snapshot!(sandbox.run("synth"), @"
    exit 2
    --- stderr
    error: cannot write out/dev/template.yaml: out is a file, not a folder
    help: move it away, or name another folder with `--out`
    ");
    assert_snapshot!(sandbox.run("synth --out /proc/stackgen"), @"
    exit 2
    --- stderr
    error: cannot write /proc/stackgen/dev/template.yaml: no such file or directory
    help: check that you may write to the folder, or name another with `--out`
    ");
    assert_eq!(sandbox.files(), ["out", "stackgen.yaml"]);
}

#[test]
fn if_one_file_cannot_be_written_none_is() {
    let sandbox = Sandbox::starter("live-session");
    sandbox.write("out/prod", "a file");
    assert_snapshot!(sandbox.run("synth"), @"
    exit 2
    --- stderr
    error: cannot write out/prod/template.yaml: out/prod is a file, not a folder
    help: move it away, or name another folder with `--out`
    ");
    assert_eq!(sandbox.files(), ["out/prod", "stackgen.yaml"]);
    // The folder that was created for the other file is removed.
    assert!(!sandbox.path().join("out/dev").exists());
}

#[test]
fn files_are_written_although_stdout_is_closed() {
    let sandbox = Sandbox::starter("live-session");
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("stackgen"))
        .arg("synth")
        .current_dir(sandbox.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(sandbox.files().len(), 4);
}

#[test]
fn built_code_names_versions_unless_it_is_ignored() {
    let sandbox = Sandbox::starter("live-session");
    let render = |flags: &str| {
        sandbox
            .run(&format!("synth -q --env prod --stdout {flags}"))
            .stdout
    };
    let unbuilt = render("");
    let code = "target/lambda/session-authorizer/bootstrap.zip";
    sandbox.write(code, "built code");
    let built = render("");
    assert_ne!(built, unbuilt);
    assert_eq!(render("--unbuilt"), unbuilt);
    sandbox.write(code, "other code");
    assert_ne!(render(""), built);
}

#[test]
fn paths_to_code_depend_on_the_output_folder() {
    let sandbox = Sandbox::new();
    let starter = Sandbox::starter("echo");
    sandbox.write("stacks/echo/stackgen.yaml", starter.read("stackgen.yaml"));
    sandbox.run("synth --file stacks/echo/stackgen.yaml --out out");
    let template = sandbox.read("out/dev/template.yaml");
    assert!(
        template.contains("../../stacks/echo/target/lambda/echo/bootstrap.zip"),
        "{template}"
    );
}

/// Creates a rendered echo stack that then removes an environment.
fn without_qa() -> Sandbox {
    let sandbox = Sandbox::starter("echo");
    let spec = sandbox.read("stackgen.yaml");
    sandbox.write("stackgen.yaml", format!("{spec}  qa: {{}}\n"));
    sandbox.run("synth --format cfn-yaml --format sam");
    sandbox.write("stackgen.yaml", spec);
    sandbox
}

#[test]
fn folders_of_undeclared_environments_are_named_and_kept() {
    let sandbox = without_qa();
    let files = sandbox.files();
    assert_snapshot!(sandbox.run("synth"), @"
    exit 0
    --- stdout
    unchanged out/dev/template.yaml  10 resources
    --- stderr
    note: out/qa holds a template of an environment that is not declared
    help: delete it if no stack is deployed from there
    ");
    assert_snapshot!(sandbox.run("synth --check"), @"
    exit 3
    --- stdout
    unchanged out/dev/template.yaml  10 resources
    stale     out/qa  not declared
    --- stderr
    note: out/qa holds a template of an environment that is not declared
    help: delete it if no stack is deployed from there
    ");
    assert_snapshot!(sandbox.run("synth --check --quiet"), @"
    exit 3
    --- stdout
    stale     out/qa  not declared
    ");
    let json = sandbox.run("synth --check --json");
    assert_eq!(json.code, Some(3));
    assert_eq!(json.json()["undeclared"], serde_json::json!(["out/qa"]));
    assert_eq!(sandbox.run("synth --check --env dev").code, Some(0));
    assert_eq!(sandbox.files(), files);
}

#[test]
fn other_folders_are_ignored() {
    let sandbox = without_qa();
    let other = sandbox.read("out/qa/template.yaml");
    sandbox.write("out/qa/sam.yaml", "Resources: {}");
    sandbox.write(
        "out/qa/template.yaml",
        other.replace("Stack: echo", "Stack: choir"),
    );
    sandbox.write("out/notes/template.yaml", "not: [a template");
    sandbox.write("out/README.md", "mine");
    let run = sandbox.run("synth --check");
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run}");
}

#[test]
fn quiet_prints_nothing_on_stderr() {
    let sandbox = Sandbox::starter("live-session");
    for line in ["synth --quiet", "synth --quiet --stdout --env prod"] {
        assert_eq!(sandbox.run(line).stderr, "", "{line}");
    }
    assert_eq!(without_qa().run("synth --quiet").to_string(), "exit 0");
}

/// Resources that are written as CloudFormation.
const DEAD_ROUTE: &str = "
resources:
  Dead:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref WebSocketApi
      RouteKey: dead
      AuthorizationType: NONE
";

#[test]
fn a_template_with_errors_is_not_written() {
    let sandbox = Sandbox::starter("echo");
    let spec = sandbox.read("stackgen.yaml") + DEAD_ROUTE;
    sandbox.write("stackgen.yaml", spec);
    assert_snapshot!(sandbox.run("synth --unbuilt"), @"
    exit 3
    --- stderr
    error[SG207]: route `dead` has no `Target`: its messages reach no integration
       --> out/dev/template.yaml:117:3
        |
    117 |   Dead:
        |   ^^^^
        |
        = note: rule route-without-target; row F2 of the API Gateway reference
        = help: set `Target: !Sub integrations/${…}` with the integration's logical ID

    nothing is written: the templates have errors; explain them with `stackgen explain`
    look up a rule: stackgen explain SG207
    ");
    assert_eq!(sandbox.files(), ["stackgen.yaml"]);
    let quiet = sandbox.run("synth --quiet");
    assert!(quiet.stderr.starts_with("error[SG207]"), "{quiet}");
    for line in ["synth --check", "synth --stdout"] {
        let run = sandbox.run(line);
        assert_eq!((run.code, run.stdout.as_str()), (Some(3), ""), "{line}");
    }
    let run = sandbox.run("synth --json");
    assert_eq!(run.code, Some(3), "{run}");
    let json = run.json();
    assert_eq!(json["files"][0]["status"], "refused");
    assert_eq!(json["findings"][0]["rule"], "SG207");
    assert_eq!(json["findings"][0]["file"], "out/dev/template.yaml");
}

#[test]
fn a_template_with_suppressed_errors_is_written() {
    const MEANT: &str = "
    Metadata:
      Stackgen:
        Ignore:
          - { Rule: SG207, Reason: The route is of another tool }
";
    let sandbox = Sandbox::starter("echo");
    let spec = sandbox.read("stackgen.yaml") + DEAD_ROUTE.trim_end() + MEANT;
    sandbox.write("stackgen.yaml", spec);
    let run = sandbox.run("synth --quiet");
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run}");
    assert_eq!(sandbox.files(), ["out/dev/template.yaml", "stackgen.yaml"]);
}

/// Two stacks, each with a project file in a folder of its own.
fn two_stacks() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("orders/stackgen.yaml", MINIMAL);
    sandbox.write(
        "chat/stackgen.yaml",
        MINIMAL.replace("name: orders", "name: chat"),
    );
    sandbox
}

const MINIMAL: &str = "\
name: orders
functions:
  handler: { binary: handler, manageConnections: [POST] }
websocket:
  name: api
  stage: { accessLogs: { retentionInDays: 30 } }
  routes: { $default: handler }
environments:
  dev: { release: live }
  prod: { release: live }
";

#[test]
fn several_project_files_are_rendered_together() {
    let sandbox = two_stacks();
    let run = sandbox.run("synth --quiet --file orders/stackgen.yaml chat/stackgen.yaml --env dev");
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let files = [
        "chat/out/dev/template.yaml",
        "chat/stackgen.yaml",
        "orders/out/dev/template.yaml",
        "orders/stackgen.yaml",
    ];
    assert_eq!(sandbox.files(), files);
}

#[test]
fn no_stack_is_written_if_one_has_an_error() {
    let sandbox = two_stacks();
    sandbox.write("chat/stackgen.yaml", "name: chat\nfunction: {}\n");
    let run = sandbox.run("synth --file orders/stackgen.yaml --file chat/stackgen.yaml");
    assert_eq!(run.code, Some(2));
    assert_eq!(
        sandbox.files(),
        ["chat/stackgen.yaml", "orders/stackgen.yaml"]
    );
}

#[test]
fn several_stacks_get_folders_of_their_own_in_out() {
    let sandbox = two_stacks();
    let args =
        "synth --quiet --out rendered --env prod --file orders/stackgen.yaml chat/stackgen.yaml";
    assert_eq!(sandbox.run(args).code, Some(0));
    let files = [
        "chat/stackgen.yaml",
        "orders/stackgen.yaml",
        "rendered/chat/prod/template.yaml",
        "rendered/orders/prod/template.yaml",
    ];
    assert_eq!(sandbox.files(), files);
}

#[test]
fn notices_of_several_stacks_name_the_stack() {
    let run = two_stacks().run("synth --file orders/stackgen.yaml chat/stackgen.yaml");
    assert_snapshot!(run, @"
    exit 0
    --- stdout
    wrote     orders/out/dev/template.yaml   10 resources
    wrote     orders/out/prod/template.yaml  10 resources
    wrote     chat/out/dev/template.yaml     10 resources
    wrote     chat/out/prod/template.yaml    10 resources
    --- stderr
    note: orders (dev, prod): logs need API Gateway's CloudWatch role, which is set once per account and region
    help: run the command in the template's outputs, or write `apiGatewayCloudWatchRole: true` to create the role for the whole account and region
    note: chat (dev, prod): logs need API Gateway's CloudWatch role, which is set once per account and region
    help: run the command in the template's outputs, or write `apiGatewayCloudWatchRole: true` to create the role for the whole account and region
    ");
}

#[test]
fn stacks_of_one_folder_need_folders_of_their_own() {
    let sandbox = two_stacks();
    sandbox.write("orders/other.yaml", MINIMAL.replace("orders", "other"));
    assert_snapshot!(sandbox.run("synth --file orders/stackgen.yaml orders/other.yaml"), @"
    exit 2
    --- stderr
    error: orders/stackgen.yaml and orders/other.yaml would be rendered into the same folder, orders/out
    help: name a folder with `--out`: each stack gets a folder of its own in it
    ");
    assert_snapshot!(sandbox.run("synth --file orders/stackgen.yaml orders/stackgen.yaml"), @"
    exit 2
    --- stderr
    error: orders/stackgen.yaml and orders/stackgen.yaml would be rendered into the same folder, orders/out
    help: name the file once
    ");
    let twice = sandbox.run("synth --file orders/stackgen.yaml ./orders/other.yaml");
    assert_eq!(twice.code, Some(2), "{twice}");
    sandbox.write("orders/other.yaml", MINIMAL);
    assert_snapshot!(sandbox.run("synth --out out --file orders/stackgen.yaml orders/other.yaml"), @"
    exit 2
    --- stderr
    error: orders/stackgen.yaml and orders/other.yaml would be rendered into the same folder, out/orders
    help: give the stacks different names
    ");
}

#[test]
fn an_environment_has_to_belong_to_one_of_the_stacks() {
    let sandbox = two_stacks();
    sandbox.write(
        "chat/stackgen.yaml",
        MINIMAL
            .replace("name: orders", "name: chat")
            .replace("prod:", "qa:"),
    );
    let both = "--file orders/stackgen.yaml chat/stackgen.yaml";
    assert_eq!(
        sandbox.run(&format!("synth --quiet --env qa {both}")).code,
        Some(0)
    );
    assert_eq!(
        sandbox.files(),
        [
            "chat/out/qa/template.yaml",
            "chat/stackgen.yaml",
            "orders/stackgen.yaml"
        ]
    );
    assert_snapshot!(sandbox.run(&format!("synth --env staging {both}")), @r#"
    exit 2
    --- stderr
    error: orders has no environment "staging"
    help: it has: dev, prod
    "#);
    assert_snapshot!(sandbox.run(&format!("synth --stdout --env dev --env qa {both}")), @"
    exit 2
    --- stderr
    error: `--stdout` prints a single template, but 3 are selected
    help: name a single project file with `--file`
    ");
}
