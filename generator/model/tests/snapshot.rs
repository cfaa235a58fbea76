//! What a deployment snapshots (row D1), and what it does not.

use stackgen_cfn::{Node, get_att, join, map, r#ref, sub};
use stackgen_model::{Inputs, Model};

fn resource(kind: &str, properties: Node) -> Node {
    map([("Type", Node::from(kind)), ("Properties", properties)])
}

fn invocation(function: &str) -> Node {
    sub(format!(
        "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{function}.Arn}}/invocations"
    ))
}

fn template(api_name: &str, function: &str, route_id: &str) -> Node {
    let integration = map([
        ("ApiId", r#ref("Api")),
        ("IntegrationType", "AWS_PROXY".into()),
        ("IntegrationUri", invocation(function)),
    ]);
    let route = map([
        ("ApiId", r#ref("Api")),
        ("RouteKey", "send".into()),
        ("AuthorizationType", "NONE".into()),
        ("Target", join("/", ["integrations".into(), r#ref("Integration")])),
    ]);
    let api = map([
        ("Name", api_name.into()),
        ("ProtocolType", "WEBSOCKET".into()),
        ("RouteSelectionExpression", "$request.body.action".into()),
    ]);
    let function_properties = |name: &str| map([("FunctionName", Node::from(name)), ("Role", get_att("Role", "Arn"))]);
    let resources = map([
        ("Api", resource("AWS::ApiGatewayV2::Api", api)),
        ("Integration", resource("AWS::ApiGatewayV2::Integration", integration)),
        (route_id, resource("AWS::ApiGatewayV2::Route", route)),
        ("A", resource("AWS::Lambda::Function", function_properties("a"))),
        ("B", resource("AWS::Lambda::Function", function_properties("b"))),
        ("Role", resource("AWS::IAM::Role", map::<&str>([]))),
    ]);
    map([("Resources", resources)])
}

fn snapshot(template: &Node) -> String {
    let model = Model::from_template(template, &Inputs::none());
    assert_eq!(model.problems, []);
    model.apis[0].snapshot(&model)
}

#[test]
fn a_snapshot_names_functions_and_no_logical_ids() {
    insta::assert_snapshot!(snapshot(&template("chat", "A", "SendRoute")), @r#"{"Authorizers":{},"Integrations":{},"Models":{},"RouteSelectionExpression":"$request.body.action","Routes":{"send":{"AuthorizationType":"NONE","Target":{"IntegrationType":"AWS_PROXY","IntegrationUri":{"Function":"a"}}}}}"#);
}

#[test]
fn logical_ids_of_routes_and_the_name_of_the_api_are_not_in_it() {
    let one = snapshot(&template("chat", "A", "SendRoute"));
    assert_eq!(one, snapshot(&template("talk", "A", "Other")));
    assert_ne!(one, snapshot(&template("chat", "B", "SendRoute")));
}
