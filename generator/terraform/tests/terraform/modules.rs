//! Modules, and the code of functions.

use serde_json::json;
use stackgen_cfn::json::to_json;

use crate::convert::{configuration, ids, notes, properties, resource};

#[test]
fn local_modules_are_read_with_their_arguments_and_outputs() {
    let read = configuration(&[
        (
            "main.tf",
            r#"
module "queue" {
  source   = "./modules/queue"
  for_each = toset(["a", "b"])
  name     = each.key
}
resource "aws_lambda_event_source_mapping" "m" {
  event_source_arn = module.queue["b"].arn
  function_name    = "f"
}
module "far" { source = "terraform-aws-modules/lambda/aws" }
output "far" { value = module.far.lambda_function_arn }
"#,
        ),
        (
            "modules/queue/main.tf",
            r#"
variable "name" { type = string }
resource "aws_sqs_queue" "this" { name = "${var.name}-${basename(path.module)}" }
output "arn" { value = aws_sqs_queue.this.arn }
"#,
        ),
    ]);
    assert_eq!(
        properties(&read, r#"module.queue["b"].aws_sqs_queue.this"#),
        json!({ "QueueName": "b-queue" })
    );
    assert_eq!(
        properties(&read, "aws_lambda_event_source_mapping.m")["EventSourceArn"],
        json!({ "Fn::GetAtt": [r#"module.queue["b"].aws_sqs_queue.this"#, "Arn"] })
    );
    assert_eq!(
        notes(&read),
        [
            "main.tf:11: module.far is not read: its source \"terraform-aws-modules/lambda/aws\" is not on this machine"
        ]
    );
    let far = to_json(read.template.at_path(&["Outputs", "far", "Value"]).unwrap());
    assert_eq!(far, json!({ "Ref": "module.far.lambda_function_arn" }));
}

#[test]
fn an_installed_module_is_read_from_where_terraform_init_put_it() {
    let read = configuration(&[
        (
            "main.tf",
            "module \"far\" {\n  source = \"acme/queue/aws\"\n}\n",
        ),
        (
            ".terraform/modules/modules.json",
            r#"{"Modules":[{"Key":"","Dir":"."},{"Key":"far","Source":"x","Dir":".terraform/modules/far"}]}"#,
        ),
        (
            ".terraform/modules/far/main.tf",
            "resource \"aws_sqs_queue\" \"q\" {}\n",
        ),
    ]);
    assert_eq!(ids(&read), ["module.far.aws_sqs_queue.q"]);
    assert!(read.notes.is_empty(), "{:?}", read.notes);
}

#[test]
fn the_code_of_an_archive_is_what_it_is_made_of() {
    let main = r#"
data "archive_file" "zip" {
  type        = "zip"
  SOURCE
  output_path = "${path.module}/dist/app.zip"
}
resource "aws_s3_object" "code" {
  bucket = aws_s3_bucket.code.id
  key    = "app-${filemd5(data.archive_file.zip.output_path)}.zip"
  source = data.archive_file.zip.output_path
}
resource "aws_s3_bucket" "code" {}
resource "aws_lambda_function" "local" {
  filename         = data.archive_file.zip.output_path
  source_code_hash = data.archive_file.zip.output_base64sha256
}
resource "aws_lambda_function" "s3" {
  s3_bucket = aws_s3_bucket.code.bucket
  s3_key    = aws_s3_object.code.key
}
"#;
    let code = |source: &str, function: &str| {
        let read = configuration(&[("main.tf", &main.replace("SOURCE", source))]);
        assert!(read.notes.is_empty(), "{:?}", read.notes);
        properties(&read, &format!("aws_lambda_function.{function}"))["Code"].clone()
    };
    for function in ["local", "s3"] {
        assert_eq!(code("source_dir = \"${path.module}/src\"", function), "src");
        assert_eq!(code("source_dir = \"../app\"", function), "/app");
        assert_eq!(code("source_file = \"src/main.py\"", function), "src");
        let inline = "source {\n    content = \"x\"\n    filename = \"index.js\"\n  }";
        assert_eq!(code(inline, function), json!({ "ZipFile": "x" }));
    }
}

#[test]
fn references_stay_references_in_the_values_of_for_each() {
    let read = configuration(&[(
        "main.tf",
        r#"
provider "aws" { region = "eu-west-1" }
locals { queues = { a = { arn = aws_sqs_queue.q.arn, region = data.aws_region.here.name } } }
data "aws_region" "here" {}
resource "aws_sqs_queue" "q" { name = "q" }
resource "aws_lambda_event_source_mapping" "m" {
  for_each         = local.queues
  event_source_arn = each.value.arn
  function_name    = "f-${each.value.region}"
}
resource "aws_sqs_queue" "named" {
  for_each = toset([aws_sqs_queue.q.name])
  name     = "${each.key}-copy"
}
"#,
    )]);
    let mapping = properties(&read, r#"aws_lambda_event_source_mapping.m["a"]"#);
    assert_eq!(
        mapping["EventSourceArn"],
        json!({ "Fn::GetAtt": ["aws_sqs_queue.q", "Arn"] })
    );
    assert_eq!(
        mapping["FunctionName"],
        json!({ "Fn::Join": ["", ["f-", { "Ref": "AWS::Region" }]] })
    );
    assert!(ids(&read).contains(&r#"aws_sqs_queue.named["q"]"#.to_owned()));
}

#[test]
fn code_that_a_program_packages_is_the_source_in_its_query() {
    let main = r#"
data "external" "package" {
  count   = 1
  program = ["python3", "package.py"]
  query   = { source_path = SOURCE }
}
resource "aws_lambda_function" "f" { filename = data.external.package[0].result.filename }
resource "aws_lambda_function" "moved" {
  filename = lower("builds/${data.external.package[0].result.filename}")
}
"#;
    let code = |source: &str| {
        let main = main.replace("SOURCE", source);
        let read = configuration(&[("main.tf", &main), ("src/app.js", "")]);
        let code = |id: &str| properties(&read, id)["Code"].clone();
        assert_eq!(
            code("aws_lambda_function.moved"),
            code("aws_lambda_function.f")
        );
        code("aws_lambda_function.f")
    };
    assert_eq!(code("\"src\""), "src");
    assert_eq!(code("jsonencode([\"src/app.js\"])"), "src");
    assert_eq!(
        code("jsonencode([{ path = \"src\", npm_requirements = true }])"),
        "src"
    );
}

#[test]
fn a_module_that_calls_itself_is_read_once() {
    let calls = |source: &str| {
        let call = |name: &str| format!("module {name:?} {{ source = {source:?} }}\n");
        format!("{}{}", call("one"), call("two"))
    };
    let queue = "resource \"aws_sqs_queue\" \"q\" {}\n";
    let read = configuration(&[
        ("main.tf", "module \"a\" { source = \"./a\" }\n"),
        ("a/main.tf", &format!("{queue}{}", calls("../b"))),
        ("b/main.tf", &format!("{queue}{}", calls("../a"))),
    ]);
    assert_eq!(
        ids(&read),
        [
            "module.a.aws_sqs_queue.q",
            "module.a.module.one.aws_sqs_queue.q",
            "module.a.module.two.aws_sqs_queue.q",
        ]
    );
    let notes = notes(&read);
    assert_eq!(notes.len(), 4, "{notes:?}");
    assert_eq!(
        notes[0],
        "b/main.tf:2: module.a.module.one.module.one is not read: the module calls itself"
    );
    let root = configuration(&[("main.tf", &format!("{queue}{}", calls("./.")))]);
    assert_eq!(ids(&root), ["aws_sqs_queue.q"]);
}

#[test]
fn resources_of_a_module_wait_for_what_its_callers_name() {
    let read = configuration(&[
        (
            "main.tf",
            r#"
resource "aws_sqs_queue" "first" {}
module "outer" {
  source     = "./outer"
  depends_on = [aws_sqs_queue.first]
}
module "after" {
  source     = "./inner"
  depends_on = [module.outer]
}
"#,
        ),
        (
            "outer/main.tf",
            r#"
resource "aws_sqs_queue" "second" {}
module "inner" {
  source     = "../inner"
  depends_on = [aws_sqs_queue.second]
}
"#,
        ),
        ("inner/main.tf", "resource \"aws_sqs_queue\" \"third\" {}\n"),
    ]);
    let waits_for = |id: &str| resource(&read, id)["DependsOn"].clone();
    assert_eq!(
        waits_for("module.outer.aws_sqs_queue.second"),
        json!(["aws_sqs_queue.first"])
    );
    assert_eq!(
        waits_for("module.outer.module.inner.aws_sqs_queue.third"),
        json!(["aws_sqs_queue.first", "module.outer.aws_sqs_queue.second"])
    );
    assert_eq!(
        waits_for("module.after.aws_sqs_queue.third"),
        json!([
            "module.outer.aws_sqs_queue.second",
            "module.outer.module.inner.aws_sqs_queue.third"
        ])
    );
}

#[test]
fn the_name_of_an_installed_module_can_end_in_module() {
    let call = |name: &str| {
        let source = "source = \"acme/queue/aws\"";
        format!("module {name:?} {{\n  for_each = toset([\"a]b.c\"])\n  {source}\n}}\n")
    };
    let read = configuration(&[
        ("main.tf", &call("my_module")),
        (
            ".terraform/modules/modules.json",
            r#"{"Modules":[{"Key":"my_module","Dir":"one"},{"Key":"my_module.module","Dir":"two"}]}"#,
        ),
        ("one/main.tf", &call("module")),
        ("two/main.tf", "resource \"aws_sqs_queue\" \"q\" {}\n"),
    ]);
    assert_eq!(notes(&read), [""; 0]);
    assert_eq!(
        ids(&read),
        [r#"module.my_module["a]b.c"].module.module["a]b.c"].aws_sqs_queue.q"#]
    );
}
