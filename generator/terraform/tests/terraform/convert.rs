//! Configurations as templates.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use stackgen_cfn::{Node, Sources, json::to_json};
use stackgen_model::{Inputs, Link, Model};
use stackgen_terraform::{ConfigurationInputs, TerraformConfiguration, read};

use crate::files::MemoryFiles;

pub(crate) fn configuration(files: &[(&str, &str)]) -> TerraformConfiguration {
    configuration_with(files, &[])
}

fn configuration_with(
    files: &[(&str, &str)],
    variables: &[(&str, &str)],
) -> TerraformConfiguration {
    let files = MemoryFiles::new(files.iter().copied());
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let inputs = ConfigurationInputs {
        variables: variables.collect(),
        ..ConfigurationInputs::default()
    };
    read(&files, &inputs, Sources::new()).unwrap()
}

pub(crate) fn resource(configuration: &TerraformConfiguration, id: &str) -> Json {
    let resources = configuration.template.get("Resources").unwrap();
    let resource = resources.get(id).unwrap_or_else(|| {
        let ids: Vec<_> = resources.as_map().unwrap().keys().collect();
        panic!("no {id} in {ids:?}")
    });
    to_json(resource)
}

pub(crate) fn properties(configuration: &TerraformConfiguration, id: &str) -> Json {
    resource(configuration, id)["Properties"].clone()
}

pub(crate) fn ids(configuration: &TerraformConfiguration) -> Vec<String> {
    let resources = configuration
        .template
        .get("Resources")
        .and_then(Node::as_map);
    resources.unwrap().keys().map(str::to_owned).collect()
}

pub(crate) fn notes(configuration: &TerraformConfiguration) -> Vec<String> {
    let notes = configuration.notes.iter().map(|note| {
        let at = configuration.sources.location(note.span).unwrap();
        format!("{}:{}: {}", at.file, at.line, note.message)
    });
    notes.collect()
}

/// A chat with a function for each route, and a deployment that its triggers replace.
const CHAT: &str = r#"
variable "stage" { default = "prod" }
variable "routes" {
  type    = map(object({ handler = string, timeout = optional(number, 5) }))
  default = {
    "$connect" = { handler = "connect.handler" }
    "send"     = { handler = "send.handler", timeout = 20 }
  }
}
locals { prefix = "chat-${var.stage}" }

resource "aws_apigatewayv2_api" "chat" {
  name                       = local.prefix
  protocol_type              = "WEBSOCKET"
  route_selection_expression = "$request.body.action"
}
resource "aws_lambda_function" "fn" {
  for_each      = var.routes
  function_name = "${local.prefix}-${replace(each.key, "$", "")}"
  filename      = "dist/app.zip"
  handler       = each.value.handler
  runtime       = "nodejs22.x"
  timeout       = each.value.timeout
  role          = aws_iam_role.fn.arn
  environment {
    variables = { TABLE = aws_dynamodb_table.connections.name, API = replace("${aws_apigatewayv2_api.chat.api_endpoint}/${var.stage}", "wss://", "https://") }
  }
}
resource "aws_apigatewayv2_integration" "fn" {
  for_each         = aws_lambda_function.fn
  api_id           = aws_apigatewayv2_api.chat.id
  integration_type = "AWS_PROXY"
  integration_uri  = each.value.invoke_arn
}
resource "aws_apigatewayv2_route" "fn" {
  for_each  = var.routes
  api_id    = aws_apigatewayv2_api.chat.id
  route_key = each.key
  target    = "integrations/${aws_apigatewayv2_integration.fn[each.key].id}"
}
resource "aws_lambda_permission" "fn" {
  for_each      = var.routes
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.fn[each.key].function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.chat.execution_arn}/*/*"
}
resource "aws_apigatewayv2_deployment" "chat" {
  api_id   = aws_apigatewayv2_api.chat.id
  triggers = { redeployment = sha1(jsonencode([aws_apigatewayv2_route.fn, aws_apigatewayv2_integration.fn])) }
}
resource "aws_apigatewayv2_stage" "prod" {
  api_id        = aws_apigatewayv2_api.chat.id
  name          = var.stage
  deployment_id = aws_apigatewayv2_deployment.chat.id
  dynamic "default_route_settings" {
    for_each = var.stage == "prod" ? [100] : []
    content {
      throttling_burst_limit = default_route_settings.value
      throttling_rate_limit  = 50
    }
  }
}
resource "aws_dynamodb_table" "connections" {
  name         = "${local.prefix}-connections"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
  attribute {
    name = "id"
    type = "S"
  }
}
resource "aws_iam_role" "fn" {
  name               = "${local.prefix}-fn"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}
resource "aws_iam_role_policy" "post" {
  role   = aws_iam_role.fn.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "execute-api:ManageConnections", Resource = "${aws_apigatewayv2_stage.prod.execution_arn}/POST/*" }]
  })
}
resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.fn.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}
data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}
output "url" { value = aws_apigatewayv2_stage.prod.invoke_url }
"#;

#[test]
fn references_become_ref_and_get_att_and_blocks_become_properties() {
    let chat = configuration(&[("main.tf", CHAT)]);
    let api = json!({ "Ref": "aws_apigatewayv2_api.chat" });
    assert_eq!(
        properties(&chat, r#"aws_apigatewayv2_route.fn["send"]"#),
        json!({
            "ApiId": api,
            "RouteKey": "send",
            "Target": { "Fn::Join": ["", ["integrations/", { "Ref": r#"aws_apigatewayv2_integration.fn["send"]"# }]] },
        })
    );
    let function = properties(&chat, r#"aws_lambda_function.fn["send"]"#);
    assert_eq!(function["FunctionName"], "chat-prod-send");
    assert_eq!(function["Timeout"], 20);
    assert_eq!(function["Code"], "dist/app.zip");
    assert_eq!(
        function["Role"],
        json!({ "Fn::GetAtt": ["aws_iam_role.fn", "Arn"] })
    );
    let variables = &function["Environment"]["Variables"];
    assert_eq!(
        variables["TABLE"],
        json!({ "Ref": "aws_dynamodb_table.connections" })
    );
    let url = json!({ "Fn::Join": ["", [
        "https://", api, ".execute-api.", { "Ref": "AWS::Region" }, ".", { "Ref": "AWS::URLSuffix" }, "/prod",
    ]] });
    assert_eq!(variables["API"], url);
    let stage = properties(&chat, "aws_apigatewayv2_stage.prod");
    assert_eq!(
        stage["DefaultRouteSettings"],
        json!({ "ThrottlingBurstLimit": 100, "ThrottlingRateLimit": 50 })
    );
    let role = properties(&chat, "aws_iam_role.fn");
    assert_eq!(
        role["AssumeRolePolicyDocument"]["Statement"],
        json!([{ "Action": "sts:AssumeRole", "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" } }])
    );
    assert_eq!(
        role["ManagedPolicyArns"],
        json!(["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"])
    );
    assert_eq!(chat.notes, []);
}

#[test]
fn the_model_links_what_the_configuration_connects() {
    let chat = configuration(&[("main.tf", CHAT)]);
    let model = Model::from_template(&chat.template, &Inputs::none());
    assert_eq!(model.problems, []);
    let [api] = model.apis.as_slice() else {
        panic!("{} APIs", model.apis.len())
    };
    for integration in &api.integrations {
        assert!(
            matches!(integration.function.function, Link::To(_)),
            "{:?}",
            integration.function
        );
    }
    assert!(
        api.routes
            .iter()
            .all(|route| matches!(route.target, Link::To(_)))
    );
    assert!(matches!(api.stages[0].deployment, Link::To(_)));
    assert!(
        model
            .permissions
            .iter()
            .all(|one| matches!(one.function.function, Link::To(_)))
    );
    assert!(
        model
            .functions
            .iter()
            .all(|one| matches!(one.role, Link::To(_)))
    );
    let grants = model.roles[0]
        .grants
        .iter()
        .flat_map(|grant| &grant.actions);
    let grants: Vec<_> = grants.map(ToString::to_string).collect();
    assert_eq!(grants, ["execute-api:ManageConnections"]);
}

#[test]
fn a_deployment_has_a_new_id_if_its_triggers_change_and_waits_for_what_they_contain() {
    let id = |text: &str| {
        let chat = configuration(&[("main.tf", text)]);
        let ids = ids(&chat);
        let id = ids
            .into_iter()
            .find(|id| id.starts_with("aws_apigatewayv2_deployment.chat"))
            .unwrap();
        (resource(&chat, &id)["DependsOn"].to_string(), id)
    };
    let (depends_on, first) = id(CHAT);
    assert!(
        depends_on.contains(r#"aws_apigatewayv2_route.fn[\"send\"]"#),
        "{depends_on}"
    );
    assert_eq!(id(CHAT).1, first);
    let triggered = |triggers: &str| {
        let (before, after) = CHAT.split_once("{ redeployment = ").unwrap();
        let rest = after.split_once("])) }").unwrap().1;
        id(&format!("{before}{triggers}{rest}")).1
    };
    let values = [
        "{ a = 1 }",
        "{ a = 2 }",
        "{ a = true }",
        "{ a = false }",
        "{ a = null }",
        "{ a = [[1], [2]] }",
        "{ a = [[1, 2]] }",
    ];
    let different: BTreeSet<String> = values.into_iter().map(triggered).collect();
    assert_eq!(different.len(), values.len(), "{different:?}");
    assert_eq!(triggered("{ a = 1 }"), triggered("{ a = \"1\" }"));
    assert_ne!(id(&CHAT.replace("\"send\" ", "\"post\" ")).1, first);
    // A setting of the stage is not in the triggers.
    assert_eq!(
        id(&CHAT.replace("throttling_rate_limit  = 50", "throttling_rate_limit  = 60")).1,
        first
    );
    let without = CHAT.replace("triggers =", "description = \"x\" #");
    assert_eq!(id(&without).1, "aws_apigatewayv2_deployment.chat");
}

#[test]
fn spans_are_those_of_the_blocks_and_attributes() {
    let chat = configuration(&[("main.tf", CHAT)]);
    let resources = chat
        .template
        .get("Resources")
        .and_then(Node::as_map)
        .unwrap();
    let line = |span| chat.sources.location(span).unwrap().to_string();
    let entry = resources.entry("aws_apigatewayv2_stage.prod").unwrap();
    assert_eq!(line(entry.key_span), "main.tf:52:1");
    let name = entry.node.at_path(&["Properties", "StageName"]).unwrap();
    assert_eq!(line(name.span), "main.tf:54:3");
}

#[test]
fn variables_come_from_files_and_from_the_caller_in_terraforms_order() {
    let main = "variable \"a\" { default = \"default\" }\nvariable \"n\" {\n  type = number\n}\n\
                output \"a\" { value = var.a }\noutput \"n\" { value = var.n + 1 }\n";
    let value = |files: &[(&str, &str)], given: &[(&str, &str)], name: &str| {
        let mut all = vec![("main.tf", main)];
        all.extend(files);
        let read = configuration_with(&all, given);
        to_json(read.template.at_path(&["Outputs", name, "Value"]).unwrap())
    };
    let n = ("n", "1");
    assert_eq!(value(&[], &[n], "a"), "default");
    assert_eq!(value(&[], &[n], "n"), 2);
    let tfvars = ("terraform.tfvars", "a = \"tfvars\"\nn = \"4\"\n");
    assert_eq!(value(&[tfvars], &[], "a"), "tfvars");
    assert_eq!(value(&[tfvars], &[], "n"), 5);
    let auto = ("z.auto.tfvars.json", "{\"a\": \"auto\"}");
    assert_eq!(value(&[tfvars, auto], &[], "a"), "auto");
    assert_eq!(value(&[tfvars, auto], &[("a", "given")], "a"), "given");
}

#[test]
fn a_variable_without_a_value_is_a_parameter_and_is_reported() {
    let read = configuration(&[(
        "main.tf",
        "variable \"name\" {}\nresource \"aws_apigatewayv2_api\" \"a\" {\n  name = \"x-${var.name}\"\n  protocol_type = \"WEBSOCKET\"\n}\n",
    )]);
    let api = properties(&read, "aws_apigatewayv2_api.a");
    assert_eq!(
        api["Name"],
        json!({ "Fn::Join": ["", ["x-", { "Ref": "name" }]] })
    );
    assert!(read.template.at_path(&["Parameters", "name"]).is_some());
    assert_eq!(read.missing[0].message, "variable \"name\" has no value");
    assert_eq!(
        read.missing[0].hint.as_deref(),
        Some(
            "set it in terraform.tfvars or as TF_VAR_name; `stackgen dev` also takes `--parameter name=VALUE`"
        )
    );
}

#[test]
fn an_override_file_replaces_attributes_and_nested_blocks() {
    let read = configuration(&[
        (
            "main.tf",
            "resource \"aws_sqs_queue\" \"q\" {\n  name = \"a\"\n  delay_seconds = 5\n}\n",
        ),
        (
            "main_override.tf",
            "resource \"aws_sqs_queue\" \"q\" {\n  name = \"b\"\n}\n",
        ),
    ]);
    assert_eq!(
        properties(&read, "aws_sqs_queue.q"),
        json!({ "DelaySeconds": 5, "QueueName": "b" })
    );
}

#[test]
fn json_syntax_is_read_like_hcl() {
    let read = configuration(&[(
        "main.tf.json",
        r#"{
  "variable": { "name": { "default": "orders" } },
  "resource": { "aws_sqs_queue": { "q": { "name": "${var.name}-queue", "delay_seconds": 5 } },
                "aws_lambda_event_source_mapping": { "m": [{
                    "event_source_arn": "${aws_sqs_queue.q.arn}", "function_name": "f", "depends_on": ["aws_sqs_queue.q"],
                    "starting_position": "AT_TIMESTAMP", "starting_position_timestamp": "2026-01-01T00:00:00Z",
                    "filter_criteria": [{ "filter": [{ "pattern": "{}" }] }] }] } }
}"#,
    )]);
    assert_eq!(
        properties(&read, "aws_sqs_queue.q"),
        json!({ "DelaySeconds": 5, "QueueName": "orders-queue" })
    );
    assert_eq!(
        resource(&read, "aws_lambda_event_source_mapping.m")["Properties"],
        json!({
            "EventSourceArn": { "Fn::GetAtt": ["aws_sqs_queue.q", "Arn"] },
            "FunctionName": "f",
            "StartingPosition": "AT_TIMESTAMP",
            "StartingPositionTimestamp": "2026-01-01T00:00:00Z",
            "FilterCriteria": { "Filters": [{ "Pattern": "{}" }] },
        })
    );
    assert_eq!(
        resource(&read, "aws_lambda_event_source_mapping.m")["DependsOn"],
        json!(["aws_sqs_queue.q"])
    );
}

#[test]
fn the_environment_gives_values_that_files_and_the_caller_replace() {
    let main = "variable \"a\" { default = \"default\" }\nvariable \"b\" {}\nvariable \"c\" {}\nvariable \"d\" { type = list(string) }\n\
                output \"all\" { value = \"${var.a} ${var.b} ${var.c} ${var.d[0]}\" }\n";
    let files = MemoryFiles::new([
        ("main.tf", main),
        ("terraform.tfvars", "b = \"file\"\nc = \"file\"\n"),
    ]);
    let given = |names: &[&str], value: &str| {
        let given = names
            .iter()
            .map(|name| ((*name).to_owned(), value.to_owned()));
        given.collect()
    };
    let inputs = ConfigurationInputs {
        environment: given(&["a", "b", "c", "d"], "[\"environment\"]"),
        variables: given(&["c"], "caller"),
    };
    let read = read(&files, &inputs, Sources::new()).unwrap();
    let all = to_json(read.template.at_path(&["Outputs", "all", "Value"]).unwrap());
    assert_eq!(all, "[\"environment\"] file caller environment");
}

#[test]
fn what_asks_an_account_is_unknown_and_noted() {
    let read = configuration(&[(
        "main.tf",
        r#"
data "aws_vpc" "main" { default = true }
resource "aws_lambda_function" "f" {
  function_name = upper("f-${data.aws_vpc.main.id}")
  vpc_config {
    subnet_ids         = data.aws_vpc.main.subnets
    security_group_ids = []
  }
}
resource "null_resource" "build" {
  provisioner "local-exec" { command = "npm ci" }
}
resource "aws_ecs_cluster" "c" { name = "c" }
resource "aws_lambda_function" "g" { description = aws_ecs_cluster.c.capacity }
"#,
    )]);
    assert_eq!(
        notes(&read),
        [
            "main.tf:2: the values of data.aws_vpc.main are unknown: stackgen asks no account for them",
            "main.tf:11: null_resource.build runs a command when Terraform applies it, and not here",
        ]
    );
    let function = properties(&read, "aws_lambda_function.f");
    assert_eq!(
        function["FunctionName"],
        json!({ "Ref": "upper(${data.aws_vpc.main.id} 9829c5ecf9)" })
    );
    // A type that is not converted keeps its name.
    assert_eq!(
        resource(&read, "aws_ecs_cluster.c")["Type"],
        "aws_ecs_cluster"
    );
    assert_eq!(
        properties(&read, "aws_lambda_function.g")["Description"],
        json!({ "Fn::GetAtt": ["aws_ecs_cluster.c", "capacity"] })
    );
}

#[test]
fn a_command_is_shown_as_it_is_written_and_without_the_values_of_variables() {
    let command = |text: &str| {
        let secret = "variable \"token\" {\n  sensitive = true\n  default = \"s3cret\"\n}\nlocals { all = \"npm ci ${var.token}\" }\n";
        let read = configuration(&[("variables.tf", secret), ("main.tf", text)]);
        let hint = read.notes[0].hint.clone().unwrap();
        assert!(!hint.contains("s3cret"), "{hint}");
        hint
    };
    let block = |source: &str| {
        let block = "resource \"null_resource\" \"b\" {\n  provisioner \"local-exec\" {\n    command = COMMAND\n  }\n}\n";
        command(&block.replace("COMMAND", source))
    };
    let expected = |source: &str| format!("run it yourself if the code needs it: `{source}`");
    assert_eq!(block("\"npm ci\""), expected("npm ci"));
    assert_eq!(
        block("\"npm ci --token=${var.token}\" # install"),
        expected("npm ci --token=${var.token}")
    );
    assert_eq!(
        block("\"echo \\\"${var.token}\\\"\""),
        expected("echo \\\"${var.token}\\\"")
    );
    assert_eq!(block("local.all"), expected("local.all"));
    assert_eq!(
        block("<<-EOT\n      npm ci ${var.token}\n    EOT"),
        expected("npm ci ${var.token}")
    );
}

#[test]
fn an_attribute_that_cannot_be_evaluated_is_unknown_and_noted_with_its_location() {
    let read = configuration(&[(
        "main.tf",
        "resource \"aws_sqs_queue\" \"q\" {\n  name = file(\"none.txt\")\n  delay_seconds = local.nothing\n}\n",
    )]);
    assert_eq!(
        notes(&read),
        [
            "main.tf:3: this value is unknown: there is no local value \"nothing\"",
            "main.tf:2: this value is unknown: file: there is no file none.txt",
        ]
    );
    assert_eq!(
        properties(&read, "aws_sqs_queue.q")["QueueName"],
        json!({ "Ref": "aws_sqs_queue.q.name" })
    );
}

#[test]
fn a_cycle_ends_with_an_error_and_not_with_an_overflow() {
    let read = configuration(&[(
        "main.tf",
        "locals {\n  a = local.b\n  b = local.a\n}\nresource \"aws_sqs_queue\" \"q\" { name = local.a }\n\
         resource \"aws_sqs_queue\" \"x\" { name = aws_sqs_queue.y.name }\nresource \"aws_sqs_queue\" \"y\" { name = aws_sqs_queue.x.name }\n",
    )]);
    assert!(
        notes(&read)[0].contains("refers to itself"),
        "{:?}",
        notes(&read)
    );
}

#[test]
fn all_errors_of_all_files_are_reported_with_their_locations() {
    let files = MemoryFiles::new([
        ("a.tf", "resource {\n"),
        ("b.tf", "x = = 1\n"),
        ("c.tf.json", "{"),
    ]);
    let wrong = read(&files, &ConfigurationInputs::default(), Sources::new()).unwrap_err();
    let at = wrong
        .errors
        .iter()
        .map(|error| wrong.sources.location(error.span).unwrap().file);
    let at: Vec<_> = at.collect();
    assert_eq!(at, ["a.tf", "b.tf", "c.tf.json"]);
}

#[test]
fn a_function_that_publishes_has_a_version_and_qualified_arns() {
    let read = configuration(&[(
        "main.tf",
        r#"
resource "aws_lambda_function" "f" {
  function_name = "f"
  publish       = true
}
resource "aws_lambda_alias" "live" {
  name             = "live"
  function_name    = aws_lambda_function.f.function_name
  function_version = aws_lambda_function.f.version
}
resource "aws_apigatewayv2_integration" "i" { integration_uri = aws_lambda_alias.live.invoke_arn }
"#,
    )]);
    let version = resource(&read, "aws_lambda_function.f.version");
    assert_eq!(version["Type"], "AWS::Lambda::Version");
    assert_eq!(
        properties(&read, "aws_lambda_alias.live")["FunctionVersion"],
        json!({ "Fn::GetAtt": ["aws_lambda_function.f.version", "Version"] })
    );
    let model = Model::from_template(&read.template, &Inputs::none());
    let integration = &model.apis[0].integrations[0];
    assert!(
        matches!(integration.function.function, Link::To(_)),
        "{:?}",
        integration.function
    );
    assert!(integration.function.qualifier.is_some());
}

#[test]
fn the_region_is_that_of_the_provider() {
    let region = |text: &str| configuration(&[("main.tf", text)]).region;
    assert_eq!(
        region("variable \"r\" { default = \"eu-west-1\" }\nprovider \"aws\" { region = var.r }\n")
            .as_deref(),
        Some("eu-west-1")
    );
    assert_eq!(
        region("provider \"aws\" {\n  alias = \"x\"\n  region = \"eu-west-1\"\n}\n"),
        None
    );
    assert_eq!(
        region("provider \"aws\" { region = data.x_y.z.region }\n"),
        None
    );
}
