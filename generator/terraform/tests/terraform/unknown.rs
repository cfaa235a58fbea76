//! Values that are unknown, because they depend on others that are.

use serde_json::json;
use stackgen_cfn::json::to_json;
use stackgen_model::{Inputs, Model};
use stackgen_terraform::{ConfigurationInputs, evaluate};

use crate::convert::{configuration, notes, properties};
use crate::files::MemoryFiles;

/// A configuration with references to resources with and without a name.
const NAMES: &str = r#"
data "aws_vpc" "far" {}
resource "aws_apigatewayv2_api" "api" { protocol_type = "WEBSOCKET" }
resource "aws_sqs_queue" "known" { name = "orders" }
resource "aws_sqs_queue" "unnamed" {}
resource "aws_ecs_cluster" "c" {}
"#;

/// Returns the value of an expression as JSON.
fn value(expression: &str) -> String {
    let files = MemoryFiles::new([("main.tf", NAMES)]);
    evaluate(&files, &ConfigurationInputs::default(), expression).unwrap()
}

fn is_unknown(expression: &str) -> bool {
    value(expression).starts_with("\"${")
}

#[test]
fn a_text_with_an_unknown_part_is_not_taken_apart() {
    for expression in [
        r#"split(",", "a,${data.aws_vpc.far.id}")"#,
        r#"split("", "a${data.aws_vpc.far.id}")"#,
        r#"split("-", data.aws_vpc.far.id)"#,
        r#"split(":", aws_sqs_queue.unnamed.arn)"#,
        r#"split("/", aws_sqs_queue.known.url)"#,
        r#"split("-", "x-${aws_apigatewayv2_api.api.id}")"#,
        r#"trimprefix("${data.aws_vpc.far.id}-a", "vpc-")"#,
        r#"trimsuffix("a-${data.aws_vpc.far.id}", "-1")"#,
        r#"trimspace("a ${data.aws_vpc.far.id}")"#,
        r#"trim("a${data.aws_vpc.far.id}", "a")"#,
    ] {
        let value = value(expression);
        let name = expression.split('(').next().unwrap();
        assert!(
            value.starts_with(&format!("\"${{{name}(")),
            "{expression}: {value}"
        );
    }
    for (expression, expected) in [
        (r#"split(":", aws_sqs_queue.known.arn)[5]"#, "orders"),
        (
            r#"split("/", aws_apigatewayv2_api.api.api_endpoint)[2]"#,
            "${aws_apigatewayv2_api.api}.execute-api.${AWS::Region}.${AWS::URLSuffix}",
        ),
        (
            r#"trimprefix("wss://${data.aws_vpc.far.id}", "wss://")"#,
            "${data.aws_vpc.far.id}",
        ),
        (
            r#"trimprefix("x-${data.aws_vpc.far.id}", "y")"#,
            "x-${data.aws_vpc.far.id}",
        ),
        (
            r#"trimsuffix(aws_apigatewayv2_api.api.execution_arn, "/")"#,
            "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${aws_apigatewayv2_api.api}",
        ),
        (
            r#"trimspace(" ${aws_sqs_queue.unnamed.arn}\n")"#,
            "${aws_sqs_queue.unnamed.Arn}",
        ),
    ] {
        assert_eq!(value(expression), format!("{expected:?}"), "{expression}");
    }
}

#[test]
fn nobody_knows_whether_an_unknown_value_is_valid_or_equal_to_another() {
    assert!(is_unknown("can(data.aws_vpc.far.id)"));
    assert!(is_unknown("can(tonumber(data.aws_vpc.far.id))"));
    assert_eq!(value("can(aws_sqs_queue.known.arn)"), "true");
    assert_eq!(value("can(data.aws_nothing.x.id)"), "false");
    for other in ["1", "true", "[\"a\"]"] {
        assert!(is_unknown(&format!(
            "aws_ecs_cluster.c.capacity == {other}"
        )));
        assert!(is_unknown(&format!(
            "{other} != aws_ecs_cluster.c.capacity"
        )));
        assert_eq!(value(&format!("\"a\" == {other}")), "false");
    }
    assert_eq!(value("aws_ecs_cluster.c.capacity == null"), "false");
}

#[test]
fn a_policy_is_unknown_if_a_document_that_it_contains_is() {
    let policy = |attribute: &str| {
        let read = configuration(&[(
            "main.tf",
            &r#"
data "aws_ssm_parameter" "far" { name = "far" }
data "aws_iam_policy_document" "other" {
  statement { actions = ["sqs:*"] }
}
data "aws_iam_policy_document" "all" {
  ATTRIBUTE
  statement { actions = ["s3:*"] }
}
resource "aws_iam_role" "r" { assume_role_policy = data.aws_iam_policy_document.all.json }
"#
            .replace("ATTRIBUTE", attribute),
        )]);
        properties(&read, "aws_iam_role.r")["AssumeRolePolicyDocument"].clone()
    };
    let unknown = json!({ "Ref": "data.aws_iam_policy_document.all.json" });
    for attribute in [
        "source_policy_documents = [data.aws_ssm_parameter.far.value]",
        "override_policy_documents = [data.aws_ssm_parameter.far.value]",
        "source_policy_documents = data.aws_ssm_parameter.far.list",
        "source_json = data.aws_ssm_parameter.far.value",
    ] {
        assert_eq!(policy(attribute), unknown, "{attribute}");
    }
    let known = "source_policy_documents = [data.aws_iam_policy_document.other.json, null]";
    assert_eq!(policy(known)["Statement"][0]["Action"], "sqs:*");
    assert_eq!(policy(known)["Statement"][1]["Action"], "s3:*");
}

#[test]
fn a_data_source_of_another_region_or_provider_has_not_the_values_of_this_one() {
    let read = configuration(&[(
        "main.tf",
        r#"
provider "aws" { region = "eu-west-1" }
provider "aws" {
  alias  = "east"
  region = "us-east-1"
}
data "aws_region" "here" { provider = aws }
data "aws_region" "named" { name = "us-west-2" }
data "aws_region" "set" {
  provider = aws.east
  region   = "us-west-1"
}
data "aws_region" "east" { provider = aws.east }
data "aws_caller_identity" "east" { provider = aws.east }
data "aws_iam_policy_document" "east" { provider = aws.east }
resource "aws_sqs_queue" "here" { name = data.aws_region.here.name }
resource "aws_sqs_queue" "named" { name = "${data.aws_region.named.name} ${data.aws_region.named.id}" }
resource "aws_sqs_queue" "set" { name = data.aws_region.set.name }
resource "aws_sqs_queue" "east" { name = data.aws_region.east.name }
resource "aws_sqs_queue" "account" { name = data.aws_caller_identity.east.account_id }
"#,
    )]);
    let name = |queue: &str| {
        let queue = properties(&read, &format!("aws_sqs_queue.{queue}"));
        queue["QueueName"].clone()
    };
    assert_eq!(name("here"), json!({ "Ref": "AWS::Region" }));
    assert_eq!(name("named"), "us-west-2 us-west-2");
    assert_eq!(name("set"), "us-west-1");
    assert_eq!(name("east"), json!({ "Ref": "data.aws_region.east.name" }));
    assert_eq!(
        name("account"),
        json!({ "Ref": "data.aws_caller_identity.east.account_id" })
    );
    let unknown = |line: usize, name: &str| {
        format!(
            "main.tf:{line}: the values of {name} are unknown: stackgen asks no account for them"
        )
    };
    assert_eq!(
        notes(&read),
        [
            unknown(13, "data.aws_region.east"),
            unknown(14, "data.aws_caller_identity.east"),
        ]
    );
}

#[test]
fn attributes_of_a_resource_that_is_not_in_the_template_are_parameters() {
    for (kind, attribute) in [
        ("time_static", "rfc3339"),
        ("time_static", "id"),
        ("null_resource", "id"),
        ("local_file", "content_md5"),
        ("terraform_data", "id"),
        ("random_bytes", "hex"),
        ("aws_secretsmanager_secret_version", "version_id"),
    ] {
        let reference = format!("{kind}.x.{attribute}");
        let read = configuration(&[(
            "main.tf",
            &format!(
                "resource \"{kind}\" \"x\" {{}}\nresource \"aws_sqs_queue\" \"q\" {{ name = {reference} }}\n"
            ),
        )]);
        assert_eq!(
            properties(&read, "aws_sqs_queue.q")["QueueName"],
            json!({ "Ref": reference })
        );
        let model = Model::from_template(&read.template, &Inputs::none());
        assert_eq!(model.problems, [], "{reference}");
    }
}

#[test]
fn the_name_of_an_unknown_value_has_no_literal() {
    let queue = |key: &str| {
        let read = configuration(&[(
            "main.tf",
            &r#"
variable "key" {
  sensitive = true
  default   = "KEY"
}
variable "pin" {
  sensitive = true
  default   = 987654
}
data "aws_ssm_parameter" "env" { name = "x" }
resource "aws_sqs_queue" "q" {
  name                       = data.aws_ssm_parameter.env.value == "prod" ? var.key : "none"
  visibility_timeout_seconds = upper("${var.key}-${data.aws_ssm_parameter.env.value}")
  message_retention_seconds  = data.aws_ssm_parameter.env.on ? [var.key] : []
  delay_seconds              = data.aws_ssm_parameter.env.number + var.pin
}
resource "aws_sns_topic" "t" { name = trim(data.aws_ssm_parameter.env.value, var.key) }
"#
            .replace("KEY", key),
        )]);
        let text = to_json(&read.template).to_string();
        assert!(!text.contains(key) && !text.contains("987654"), "{text}");
        for name in ["conditional(", "upper(", "+(", "trim("] {
            assert!(text.contains(name), "{name}: {text}");
        }
        assert!(!format!("{:?}", read.notes).contains(key));
        properties(&read, "aws_sqs_queue.q")["QueueName"].clone()
    };
    assert_eq!(queue("s3cret"), queue("s3cret"));
    assert_ne!(queue("s3cret"), queue("0ther"));
}

#[test]
fn the_name_of_an_unknown_value_depends_on_its_operands_only() {
    let name = |more: &str| {
        let queue = r#"
data "aws_vpc" "x" { default = true }
resource "aws_sqs_queue" "a" { name = "a" }
resource "aws_sqs_queue" "q" { name = jsonencode(concat([aws_sqs_queue.a.arn], data.aws_vpc.x.ids)) }
"#;
        let read = configuration(&[("main.tf", &format!("{more}{queue}"))]);
        properties(&read, "aws_sqs_queue.q")["QueueName"].to_string()
    };
    let more = "resource \"aws_sns_topic\" \"b\" { name = aws_sqs_queue.c.name }\nresource \"aws_sqs_queue\" \"c\" {}\n";
    assert_eq!(name(""), name(more));
}

#[test]
fn an_attribute_that_only_aws_knows_can_be_a_list_or_a_number() {
    for expression in [
        r#"join(",", aws_ecs_cluster.c.names)"#,
        r#"concat(["a"], aws_ecs_cluster.c.names)"#,
        r#"merge({ a = 1 }, aws_ecs_cluster.c.tags)"#,
        r#"jsondecode(aws_ecs_cluster.c.settings)"#,
        r#"element(aws_ecs_cluster.c.names, 0)"#,
        r#"max(aws_ecs_cluster.c.sizes...)"#,
    ] {
        let value = value(expression);
        let name = expression.split('(').next().unwrap();
        assert!(
            value.starts_with(&format!("\"${{{name}(")),
            "{expression}: {value}"
        );
    }
    assert_eq!(
        value(r#"format("%d", aws_ecs_cluster.c.capacity)"#),
        "\"${aws_ecs_cluster.c.capacity}\""
    );
    // What is known stays an error.
    assert_eq!(
        value(r#"try(lookup({ a = aws_ecs_cluster.c.arn }, "b"), "none")"#),
        "\"none\""
    );
}

#[test]
fn an_attribute_that_only_aws_knows_suits_a_variable_of_any_type() {
    let read = configuration(&[
        (
            "main.tf",
            r#"
resource "aws_ecs_cluster" "c" {}
module "m" {
  source  = "./m"
  names   = aws_ecs_cluster.c.names
  tags    = aws_ecs_cluster.c.tags
  is_on   = aws_ecs_cluster.c.is_on
  numbers = [aws_ecs_cluster.c.capacity]
}
output "numbers" { value = module.m.numbers }
"#,
        ),
        (
            "m/main.tf",
            r#"
variable "names" { type = list(string) }
variable "tags" { type = map(string) }
variable "is_on" { type = bool }
variable "numbers" { type = set(number) }
output "numbers" { value = var.numbers }
resource "aws_sqs_queue" "q" {
  name = join(",", var.names)
  tags = var.tags
  fifo_queue = var.is_on
}
"#,
        ),
    ]);
    assert_eq!(notes(&read), [""; 0]);
    assert_eq!(
        properties(&read, "module.m.aws_sqs_queue.q")["FifoQueue"],
        json!({ "Fn::GetAtt": ["aws_ecs_cluster.c", "is_on"] })
    );
    let numbers = read.template.at_path(&["Outputs", "numbers", "Value"]);
    assert_eq!(
        to_json(numbers.unwrap()),
        json!([{ "Fn::GetAtt": ["aws_ecs_cluster.c", "capacity"] }])
    );
}

#[test]
fn a_set_with_an_unknown_item_is_unknown_where_that_matters() {
    assert!(is_unknown(r#"setsubtract(["a"], [data.aws_vpc.far.id])"#));
    assert!(is_unknown(r#"setsubtract([data.aws_vpc.far.id], ["a"])"#));
    assert_eq!(
        value(r#"setsubtract(["a"], ["a", data.aws_vpc.far.id])"#),
        "[]"
    );
    assert_eq!(
        value(r#"setsubtract([data.aws_vpc.far.id], [data.aws_vpc.far.id])"#),
        "[]"
    );
    assert!(is_unknown(
        r#"setintersection(["a"], [data.aws_vpc.far.id])"#
    ));
    assert_eq!(
        value(r#"setintersection(["a"], ["a", data.aws_vpc.far.id])"#),
        "[\"a\"]"
    );
    for empty in ["data.aws_vpc.far.id", "format(\"%s\", data.aws_vpc.far.id)"] {
        assert!(is_unknown(&format!("compact([\"a\", {empty}])")));
    }
    assert_eq!(
        value(r#"compact(["", aws_sqs_queue.unnamed.arn])"#),
        "[\"${aws_sqs_queue.unnamed.Arn}\"]"
    );
    assert!(is_unknown(
        r#"matchkeys(["x"], ["a"], [data.aws_vpc.far.id])"#
    ));
    assert_eq!(
        value(r#"matchkeys(["x", "y"], ["a", "b"], ["a"])"#),
        "[\"x\"]"
    );
}

#[test]
fn a_text_with_an_unknown_part_is_not_replaced_in_it() {
    for expression in [
        r#"replace(data.aws_vpc.far.id, "-", "_")"#,
        r#"replace("a${data.aws_vpc.far.id}", "ab", "")"#,
        r#"replace("${data.aws_vpc.far.id}b", "ab", "")"#,
        r#"replace("a${data.aws_vpc.far.id}b", "ab", "")"#,
        r#"replace("a-b", data.aws_vpc.far.id, "")"#,
        r#"replace("a${data.aws_vpc.far.id}", "", "-")"#,
        r#"replace("${aws_apigatewayv2_api.api.id}", "-", "_")"#,
    ] {
        let value = value(expression);
        assert!(value.starts_with("\"${replace("), "{expression}: {value}");
    }
    for (expression, expected) in [
        (
            r#"replace("wss://${aws_apigatewayv2_api.api.id}/ws://", "wss://", "https://")"#,
            "https://${aws_apigatewayv2_api.api}/ws://",
        ),
        (
            r#"replace(aws_apigatewayv2_api.api.api_endpoint, "wss://", "")"#,
            "${aws_apigatewayv2_api.api}.execute-api.${AWS::Region}.${AWS::URLSuffix}",
        ),
        (
            r#"replace("${aws_sqs_queue.known.name}-s", "s", "z")"#,
            "orderz-z",
        ),
    ] {
        assert_eq!(value(expression), format!("{expected:?}"), "{expression}");
    }
}

#[test]
fn the_files_of_a_folder_with_too_many_are_unknown() {
    assert!(is_unknown(r#"fileset("too-many", "*.js")"#));
    assert_eq!(value(r#"fileset(".", "*.tf")"#), "[\"main.tf\"]");
}

#[test]
fn the_characters_of_references_are_refused_in_files_that_functions_read() {
    let main = r#"
variable "name" { default = "a" }
resource "aws_sqs_queue" "q" {}
resource "aws_sns_topic" "file" { display_name = file("icon.txt") }
resource "aws_sns_topic" "template" { display_name = templatefile("icon.txt", {}) }
data "local_file" "icon" { filename = "icon.txt" }
resource "aws_sns_topic" "data" { display_name = data.local_file.icon.content }
output "arn" { value = aws_sqs_queue.q.arn }
"#;
    let read = configuration(&[("main.tf", main), ("icon.txt", "\u{f0000}")]);
    assert_eq!(
        properties(&read, "aws_sns_topic.data")["DisplayName"],
        json!({ "Ref": "data.local_file.icon.content" })
    );
    assert_eq!(
        notes(&read),
        ["file", "templatefile"].map(|function| {
            let line = if function == "file" { 4 } else { 5 };
            format!(
                "main.tf:{line}: this value is unknown: {function}: icon.txt contains characters of a private use area"
            )
        })
    );
}
