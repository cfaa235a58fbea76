//! Models of messages.

use insta::assert_snapshot;
use stackgen_cfn::{Node, emit};

use super::{errors, render, resource, resources_of_type};

const MODELS: &str = "name: s
functions: { f: { binary: f } }
websocket:
  name: api
  models:
    join: { type: object, required: [room], properties: { room: { type: string } } }
  routes:
    $default: f
    join: { function: f, model: join }
";

#[test]
fn a_route_validates_messages_against_its_model_and_waits_for_it() {
    let template = render(MODELS, "dev");
    assert_snapshot!(emit::yaml(resource(&template, "JoinModel")), @"
    Type: AWS::ApiGatewayV2::Model
    Properties:
      ApiId: !Ref WebSocketApi
      Name: join
      ContentType: application/json
      Schema:
        properties:
          room:
            type: string
        required:
          - room
        type: object
    ");
    assert_snapshot!(emit::yaml(resource(&template, "JoinRoute")), @"
    Type: AWS::ApiGatewayV2::Route
    DependsOn:
      - JoinModel
    Properties:
      ApiId: !Ref WebSocketApi
      RouteKey: join
      AuthorizationType: NONE
      ModelSelectionExpression: $default
      RequestModels:
        $default: join
      Target: !Sub 'integrations/${FWebSocketIntegration}'
    ");
    let (_, deployment) = resources_of_type(&template, "AWS::ApiGatewayV2::Deployment")[0];
    let awaited = deployment.get("DependsOn").and_then(Node::as_list).unwrap();
    assert!(awaited.contains(&"JoinModel".into()), "{awaited:?}");
}

#[test]
fn a_changed_model_needs_a_deployment() {
    let deployment = |text: &str| {
        let template = render(text, "dev");
        let found = resources_of_type(&template, "AWS::ApiGatewayV2::Deployment");
        found[0].0.to_owned()
    };
    let changed = MODELS.replace("type: string", "type: number");
    assert_ne!(deployment(MODELS), deployment(&changed));
    let reordered = MODELS.replace(
        "type: object, required: [room]",
        "required: [room], type: object",
    );
    assert_eq!(deployment(MODELS), deployment(&reordered));
}

#[test]
fn models_have_names_and_routes_name_one_of_them() {
    assert_snapshot!(errors(
        "name: s
functions: { f: { binary: f } }
websocket:
  name: api
  models: { join-room: { type: object }, leave: 5 }
  routes: { $default: { function: f, model: leaves } }
"
    ), @"
    5:13 `join-room` is not a valid model name
        help: use letters and digits, begin with a letter, at most 100 characters
    5:49 `leave` must be a mapping, not a number
    6:45 there is no model `leaves`
        help: declare it under `models`
    ");
}
