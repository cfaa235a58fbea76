//! Configurations in Terraform's JSON syntax.

use serde_json::json;

use crate::convert::{configuration, notes, properties};

#[test]
fn the_type_of_a_resource_is_a_text_and_that_of_a_variable_is_a_type() {
    let read = configuration(&[(
        "main.tf.json",
        r#"{
  "variable": { "ports": { "type": "list(string)", "default": [80] } },
  "resource": { "aws_ssm_parameter": { "p": {
    "name": "/a", "type": "SecureString", "value": "${jsonencode(var.ports)}" } } }
}"#,
    )]);
    assert_eq!(
        properties(&read, "aws_ssm_parameter.p"),
        json!({ "Name": "/a", "Type": "SecureString", "Value": "[\"80\"]" })
    );
    assert_eq!(notes(&read), [""; 0]);
}

#[test]
fn a_nested_block_can_be_an_object() {
    let table = |attribute: &str, ttl: &str| {
        let text = format!(
            r#"{{ "resource": {{ "aws_dynamodb_table": {{ "t": {{
  "name": "t", "hash_key": "id", "attribute": {attribute}, "ttl": {ttl} }} }} }} }}"#
        );
        properties(
            &configuration(&[("main.tf.json", &text)]),
            "aws_dynamodb_table.t",
        )
    };
    let attribute = r#"{ "name": "id", "type": "S" }"#;
    let ttl = r#"{ "attribute_name": "at", "enabled": true }"#;
    let objects = table(attribute, ttl);
    assert_eq!(
        objects["AttributeDefinitions"],
        json!([{ "AttributeName": "id", "AttributeType": "S" }])
    );
    assert_eq!(
        objects["TimeToLiveSpecification"],
        json!({ "AttributeName": "at", "Enabled": true })
    );
    assert_eq!(
        objects,
        table(&format!("[{attribute}]"), &format!("[{ttl}]"))
    );
}

#[test]
fn the_only_file_of_an_archive_can_be_an_object() {
    let code = |source: &str| {
        let text = format!(
            r#"{{ "data": {{ "archive_file": {{ "a": {{
  "type": "zip", "output_path": "a.zip", "source": {source} }} }} }},
  "resource": {{ "aws_lambda_function": {{ "f": {{ "filename": "a.zip" }} }} }} }}"#
        );
        let read = configuration(&[("main.tf.json", &text)]);
        properties(&read, "aws_lambda_function.f")["Code"].clone()
    };
    let source = r#"{ "filename": "index.js", "content": "exports.x = 1" }"#;
    assert_eq!(code(source), json!({ "ZipFile": "exports.x = 1" }));
    assert_eq!(code(source), code(&format!("[{source}]")));
}
