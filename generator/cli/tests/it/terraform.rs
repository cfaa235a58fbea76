//! Terraform configurations in `stackgen lint`, `graph`, `diff` and `dev`.

use insta::assert_snapshot;
use serde_json::{Value, json};
use stackgen_test_tools::on_path;

use crate::common::Sandbox;
use crate::console::read;
use crate::lint::git;
use crate::running::Dev;

const API: &str = r#"
resource "aws_apigatewayv2_api" "chat" {
  name                       = "chat"
  protocol_type              = "WEBSOCKET"
  route_selection_expression = "$request.body.action"
}

resource "aws_apigatewayv2_deployment" "chat" {
  api_id     = aws_apigatewayv2_api.chat.id
  depends_on = [aws_apigatewayv2_route.all, aws_apigatewayv2_route_response.answers]
}

resource "aws_apigatewayv2_stage" "prod" {
  api_id        = aws_apigatewayv2_api.chat.id
  name          = "prod"
  deployment_id = aws_apigatewayv2_deployment.chat.id
}
"#;

const ROUTES: &str = r#"
variable "routes" {
  type    = set(string)
  default = ["$connect", "$default"]
}

resource "aws_lambda_function" "all" {
  for_each      = var.routes
  function_name = "chat-${trimprefix(each.key, "$")}"
  filename      = data.archive_file.code.output_path
  handler       = "app.handler"
  runtime       = "python3.12"
  role          = aws_iam_role.all.arn
  environment {
    variables = { ROUTE = each.key }
  }
}

data "archive_file" "code" {
  type        = "zip"
  source_dir  = "${path.module}/code"
  output_path = "${path.module}/code.zip"
}

resource "aws_apigatewayv2_integration" "all" {
  for_each         = var.routes
  api_id           = aws_apigatewayv2_api.chat.id
  integration_type = "AWS_PROXY"
  integration_uri  = aws_lambda_function.all[each.key].invoke_arn
}

resource "aws_apigatewayv2_route" "all" {
  for_each                            = var.routes
  api_id                              = aws_apigatewayv2_api.chat.id
  route_key                           = each.key
  authorization_type                  = "NONE"
  route_response_selection_expression = each.key == "$connect" ? null : "$default"
  target                              = "integrations/${aws_apigatewayv2_integration.all[each.key].id}"
}

resource "aws_apigatewayv2_route_response" "answers" {
  for_each           = setsubtract(var.routes, ["$connect"])
  api_id             = aws_apigatewayv2_api.chat.id
  route_id           = aws_apigatewayv2_route.all[each.key].id
  route_response_key = "$default"
}

resource "aws_lambda_permission" "all" {
  for_each      = var.routes
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.all[each.key].function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.chat.execution_arn}/*/*"
}

resource "aws_iam_role" "all" {
  name               = "chat"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}
"#;

/// Returns the routes with another one.
fn with_route(key: &str) -> String {
    ROUTES.replace(
        "\"$connect\", \"$default\"",
        &format!("\"$connect\", \"$default\", \"{key}\""),
    )
}

/// Writes a configuration into `infra`, with the code of its functions.
fn configuration() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("infra/api.tf", API);
    sandbox.write("infra/routes.tf", ROUTES);
    let code = "import os\ndef handler(event, context):\n    return {'statusCode': 200, 'body': os.environ['ROUTE'] + ' ' + event.get('body', '')}\n";
    sandbox.write("infra/code/app.py", code);
    sandbox
}

#[test]
fn findings_name_the_file_and_the_line_of_the_block() {
    let sandbox = configuration();
    assert_snapshot!(sandbox.run("lint infra"), @r#"
    exit 3
    --- stdout
    warning[SG404]: deployment aws_apigatewayv2_deployment.chat has no `triggers`, so changes of routes are not deployed
      --> infra/api.tf:8:1
       |
     8 | resource "aws_apigatewayv2_deployment" "chat" {
       | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ...
    16 |   deployment_id = aws_apigatewayv2_deployment.chat.id
       |   --------------------------------------------------- keeps serving its first snapshot
       |
       = note: rule constant-deployment-id; rows D7, D1 of the API Gateway reference
       = help: add `triggers = { redeployment = sha1(jsonencode([…])) }` with the routes, integrations and authorizers, or set `auto_deploy = true` on the stage and remove the deployment
    --- stderr
    1 template, 1 WebSocket API: 1 warning
    look up a rule: stackgen explain SG404
    "#);
    let by_file = sandbox.run("lint infra/routes.tf");
    assert_eq!(by_file.to_string(), sandbox.run("lint infra").to_string());
    let json = sandbox.run("lint --json").json();
    let finding = &json["findings"][0];
    assert_eq!(finding["rule"], "SG404");
    assert_eq!(finding["file"], "infra/api.tf");
    assert_eq!(finding["line"], 8);
    let github = sandbox.run("lint infra --format github").to_string();
    assert!(
        github.contains("::warning file=infra/api.tf,line=8"),
        "{github}"
    );
}

#[test]
fn triggers_fix_a_constant_deployment_and_a_comment_suppresses_it() {
    let sandbox = configuration();
    let triggers = "  triggers = { redeployment = sha1(jsonencode(aws_apigatewayv2_route.all)) }\n  depends_on";
    sandbox.write("infra/api.tf", API.replace("  depends_on", triggers));
    let fixed = sandbox.run("lint infra");
    assert_eq!(fixed.code, Some(0), "{fixed}");
    let comment = "# stackgen: ignore[SG404] a pipeline redeploys the stage\nresource \"aws_apigatewayv2_deployment\"";
    sandbox.write(
        "infra/api.tf",
        API.replace("resource \"aws_apigatewayv2_deployment\"", comment),
    );
    let suppressed = sandbox.run("lint infra --show-suppressed");
    assert_eq!(suppressed.code, Some(0), "{suppressed}");
    assert!(
        suppressed
            .to_string()
            .contains("a pipeline redeploys the stage"),
        "{suppressed}"
    );
}

#[test]
fn a_baseline_still_holds_when_the_triggers_of_a_deployment_change() {
    let sandbox = configuration();
    let with_triggers = |triggers: &str| {
        let triggers = format!("  triggers = {{ a = \"{triggers}\" }}\n  depends_on");
        let stage = "auto_deploy = true\n";
        let api = API.replace("  depends_on", &triggers);
        let id = api.find("deployment_id").expect("a stage");
        let end = id + api[id..].find('\n').unwrap() + 1;
        sandbox.write(
            "infra/api.tf",
            format!("{}{stage}{}", &api[..id], &api[end..]),
        );
    };
    with_triggers("1");
    let lint = |more: &str| sandbox.run(&format!("lint infra --min-severity note --json {more}"));
    let resource = |found: &Value| {
        let findings = found["findings"].as_array().unwrap().iter();
        let resources = findings.filter(|one| one["rule"] == "SG412");
        let resources: Vec<_> = resources.map(|one| one["resource"].clone()).collect();
        resources
    };
    let found = lint("").json();
    assert_eq!(
        resource(&found),
        [json!("aws_apigatewayv2_deployment.chat")]
    );
    lint("--baseline baseline.json --update-baseline");
    with_triggers("2");
    let again = lint("--baseline baseline.json").json();
    assert_eq!(resource(&again), [json!(null); 0], "{again}");
}

#[test]
fn errors_of_a_configuration_have_their_locations() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "main.tf",
        "resource \"aws_sqs_queue\" \"q\" {\n  name = \n}\n",
    );
    assert_snapshot!(sandbox.run("lint main.tf"), @r#"
    exit 2
    --- stderr
    error: this is not valid HCL: invalid expression; expected `"`, `[`, `{`, `-`, `!`, `(`, `_`, `<`, letter or digit
     --> main.tf:2:10
      |
    2 |   name = 
      |          ^
      |
      = help: `terraform validate` shows errors of syntax, too

    1 error in main.tf
    1 file cannot be read
    "#);
    sandbox.write("main.tf", "variable \"name\" {}\nresource \"aws_apigatewayv2_api\" \"a\" {\n  name = var.name\n  protocol_type = \"WEBSOCKET\"\n}\n");
    assert_snapshot!(sandbox.run("dev main.tf"), @r#"
    exit 2
    --- stderr
    error: variable "name" has no value
     --> main.tf:1:1
      |
    1 | variable "name" {}
      | ^^^^^^^^^^^^^^^
      |
      = help: set it in terraform.tfvars or as TF_VAR_name; `stackgen dev` also takes `--parameter name=VALUE`

    1 error in main.tf
    "#);
    let noted = sandbox.run("lint main.tf").to_string();
    assert!(
        noted.contains("main.tf:1: variable \"name\" has no value"),
        "{noted}"
    );
}

#[test]
fn two_revisions_are_compared_by_their_folders() {
    let sandbox = configuration();
    sandbox.write("old/api.tf", API);
    sandbox.write("old/routes.tf", with_route("send"));
    sandbox.write("old/code/app.py", "");
    assert_snapshot!(sandbox.run("diff old infra"), @r#"
    exit 0
    --- stdout
    - route send                                                              needs a deployment
    - function chat-send                                                      live with the update
    - permission chat-send by apigateway.amazonaws.com from ${api chat}/*/*   live with the update
    ~ resource aws_apigatewayv2_deployment.chat: DependsOn aws_apigatewayv2_route.all["send"] is gone   live with the update
    ~ resource aws_apigatewayv2_deployment.chat: DependsOn aws_apigatewayv2_route_response.answers["send"] is gone   live with the update
    ! api chat: stage prod keeps its deployment and will serve the old wiring (row D7)
    --- stderr
    look up a row: stackgen explain D7
    "#);
    let stale = sandbox.run("lint infra --previous old").to_string();
    assert!(stale.contains("[SG406]"), "{stale}");
    assert!(
        stale.contains("help: name what changed in its `triggers`, so that Terraform replaces it"),
        "{stale}"
    );
    let revision = sandbox.run("lint infra --previous HEAD");
    assert_eq!(revision.code, Some(2), "{revision}");
}

#[test]
fn lint_skips_a_configuration_that_it_finds_and_that_is_about_something_else() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "template.yaml",
        "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n",
    );
    sandbox.write("net/main.tf", "resource \"aws_vpc\" \"main\" {}\n");
    git(&sandbox, &["init", "--quiet", "--initial-branch=main"]);
    git(&sandbox, &["add", "."]);
    git(&sandbox, &["commit", "--quiet", "--message=one"]);
    for line in ["lint", "lint --previous HEAD"] {
        let run = sandbox.run(line);
        assert_eq!(run.code, Some(0), "{run}");
    }
    let broken = "resource \"aws_vpc\" \"main\" {\n  x = \n}\n";
    sandbox.write("net/main.tf", broken);
    for line in ["lint", "lint --previous HEAD"] {
        let run = sandbox.run(line);
        assert_eq!(run.code, Some(0), "{run}");
    }
    // A folder that is named must be readable, and so must one with an API.
    assert_eq!(sandbox.run("lint net").code, Some(2));
    sandbox.write("net/api.tf", API);
    assert_eq!(sandbox.run("lint").code, Some(2));
    sandbox.write("net/main.tf", "");
    let revision = sandbox.run("lint --previous HEAD");
    assert_eq!(revision.code, Some(2), "{revision}");
    assert!(
        revision
            .stderr
            .contains("cannot be compared with revision HEAD"),
        "{revision}"
    );
}

#[test]
fn lint_does_not_skip_a_configuration_whose_modules_were_not_read() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "template.yaml",
        "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n",
    );
    sandbox.write(
        "infra/main.tf",
        "module \"chat\" {\n  source = \"./chat\"\n}\n",
    );
    sandbox.write("infra/chat/api.tf", API);
    sandbox.write("infra/terraform.tfvars", "routes = \n");
    let run = sandbox.run("lint");
    assert_eq!(run.code, Some(2), "{run}");
    assert!(run.stderr.contains("terraform.tfvars"), "{run}");
}

#[test]
fn a_configuration_is_checked_once_for_all_of_its_files() {
    let sandbox = configuration();
    sandbox.write("infra/names.tf.json", "{ \"locals\": { \"a\": 1 } }");
    let once = sandbox.run("lint infra/api.tf --json").json();
    assert_eq!(once["findings"].as_array().unwrap().len(), 1);
    for line in [
        "lint infra --json",
        "lint --json",
        "lint infra/*.tf --json",
        "lint infra/*.json --json",
        "lint infra/api.tf infra/names.tf.json infra/* --json",
    ] {
        assert_eq!(sandbox.run(line).json(), once, "{line}");
    }
}

#[test]
fn a_module_is_checked_as_part_of_its_caller_only() {
    let sandbox = configuration();
    sandbox.write(
        "main.tf",
        "module \"chat\" {\n  source = \"./infra\"\n  routes = [\"$connect\"]\n}\n",
    );
    let json = sandbox.run("lint --json").json();
    let resources = json["findings"].as_array().unwrap().iter();
    let resources: Vec<_> = resources
        .map(|finding| finding["resource"].as_str().unwrap())
        .collect();
    assert!(
        !resources.is_empty() && resources.iter().all(|one| one.starts_with("module.chat.")),
        "{resources:?}"
    );
    for line in [
        "lint **/*.tf --json",
        "lint infra/*.tf *.tf --json",
        "lint --templates-only infra/api.tf main.tf --json",
    ] {
        assert_eq!(sandbox.run(line).json(), json, "{line}");
    }
    let named = sandbox.run("lint infra main.tf --json").json();
    let both = json["findings"].as_array().unwrap().len() * 2;
    assert_eq!(named["findings"].as_array().unwrap().len(), both);
    let graph = sandbox.run("graph . --json").json();
    let nodes: Vec<&Value> = graph["nodes"].as_array().unwrap().iter().collect();
    assert!(
        nodes
            .iter()
            .any(|node| node.to_string().contains("chat-connect")),
        "{graph}"
    );
}

#[test]
fn dev_runs_a_configuration_and_replaces_a_deployment_when_its_triggers_change() {
    if on_path("python3").is_none() {
        return;
    }
    let sandbox = configuration();
    let triggers = "  triggers = { redeployment = sha1(jsonencode(aws_apigatewayv2_route.all)) }\n  depends_on";
    let api = API.replace("  depends_on", triggers);
    sandbox.write(
        "infra/api.tf",
        format!("provider \"aws\" {{ region = \"eu-west-1\" }}\n{api}"),
    );
    let mut dev = Dev::spawn(sandbox, &["infra", "--json", "--redeploy"], &[]);
    dev.ready = dev.event("ready");
    assert_eq!(dev.ready["gateway"]["region"], "eu-west-1");
    let stage = &dev.ready["gateway"]["apis"][0]["stages"][0];
    let url = stage["url"].as_str().unwrap().to_owned();
    dev.answers_at(&url, "hello", "$default hello");
    dev.sandbox.write("infra/routes.tf", with_route("send"));
    let applied = dev.event("applied");
    let changes = applied.to_string();
    assert!(
        changes.contains("aws_apigatewayv2_deployment.chat"),
        "{changes}"
    );
    dev.answers_at(&url, r#"{"action":"send"}"#, r#"send {"action":"send"}"#);
    let reasons = json!([]);
    assert_eq!(dev.ready["notRun"], reasons);
}

#[test]
fn the_console_shows_findings_of_a_configuration_without_its_values() {
    let sandbox = configuration();
    let variable = "variable \"pin\" {\n  sensitive = true\n  default   = \"never-shown\"\n}\n";
    let routes = ROUTES.replace("ROUTE = each.key", "ROUTE = each.key, PIN = var.pin");
    sandbox.write("infra/routes.tf", format!("{variable}{routes}"));
    let mut dev = Dev::spawn(sandbox, &["infra", "--json", "--no-watch"], &[]);
    dev.ready = dev.event("ready");
    let stack = read(&dev, "stack");
    assert_ne!(stack["findings"], json!([]));
    for finding in stack["findings"].as_array().unwrap() {
        for field in ["line", "column", "endLine", "endColumn", "text"] {
            assert_eq!(finding[field], Value::Null, "{finding}");
        }
    }
    assert!(!stack.to_string().contains("never-shown"), "{stack}");
}
