//! Deployments, which their triggers replace.

use crate::convert::{configuration, ids, resource};

/// Routes, and a deployment that names them in its lifecycle.
const LIFECYCLE: &str = r#"
resource "aws_apigatewayv2_api" "chat" {
  name          = "chat"
  protocol_type = "WEBSOCKET"
}
resource "aws_apigatewayv2_route" "send" {
  api_id    = aws_apigatewayv2_api.chat.id
  route_key = "send"
}
resource "aws_apigatewayv2_deployment" "chat" {
  api_id = aws_apigatewayv2_api.chat.id
  lifecycle {
    create_before_destroy = true
    replace_triggered_by  = [aws_apigatewayv2_route.send]
  }
}
"#;

/// Returns the ID of the deployment, and true if it has triggers.
fn deployment(file: &str, text: &str) -> (String, bool) {
    let read = configuration(&[(file, text)]);
    assert_eq!(read.notes, []);
    let ids = ids(&read);
    let mut ids = ids.into_iter();
    let id = ids
        .find(|id| id.starts_with("aws_apigatewayv2_deployment.chat"))
        .unwrap();
    let metadata = resource(&read, &id)["Metadata"]["Terraform"].clone();
    (id, metadata["HasTriggers"] == true)
}

#[test]
fn the_triggers_of_a_lifecycle_replace_a_deployment() {
    let (first, has_triggers) = deployment("main.tf", LIFECYCLE);
    assert!(has_triggers, "{first}");
    assert_eq!(deployment("main.tf", LIFECYCLE).0, first);
    let changed = LIFECYCLE.replace("\"send\"\n}", "\"post\"\n}");
    assert_ne!(deployment("main.tf", &changed).0, first);
    let named = LIFECYCLE.replace("\"chat\"\n  protocol", "\"other\"\n  protocol");
    assert_eq!(deployment("main.tf", &named).0, first);
    let both = LIFECYCLE.replace("  lifecycle", "  triggers = { a = 1 }\n  lifecycle");
    assert_ne!(deployment("main.tf", &both).0, first);
    let without = LIFECYCLE.replace("replace_triggered_by  = [aws_apigatewayv2_route.send]", "");
    assert!(!deployment("main.tf", &without).1);
}

#[test]
fn the_triggers_of_a_lifecycle_are_references_in_the_json_syntax() {
    let json = |key: &str| {
        let text = format!(
            r#"{{ "resource": {{
  "aws_apigatewayv2_route": {{ "send": {{ "route_key": "{key}" }} }},
  "aws_apigatewayv2_deployment": {{ "chat": {{ "lifecycle": {{
    "replace_triggered_by": ["aws_apigatewayv2_route.send"] }} }} }} }} }}"#
        );
        deployment("main.tf.json", &text)
    };
    assert!(json("send").1);
    assert_ne!(json("send"), json("post"));
}
