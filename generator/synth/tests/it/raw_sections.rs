//! What stands in CloudFormation's own words is checked as far as CloudFormation would refuse it, and against the
//! stack's own resources.

use insta::assert_snapshot;

use super::{load, problems};

fn stack(rest: &str) -> String {
    format!(
        "name: a\nfunctions: {{ f: {{ binary: f }} }}\nwebsocket: {{ name: x, routes: {{ $default: f }} }}\n{rest}"
    )
}

#[test]
fn a_deployment_has_no_logical_id_to_refer_to() {
    assert_snapshot!(problems(&stack(
        "http: { name: y, routes: { $default: { function: f, auth: none } } }
outputs:
  A: { Value: !Ref WebSocketDeployment }
  B: { Value: !GetAtt HttpDeployment.DeploymentId }
  C: { Value: !Sub 'x-${WebSocketDeployment}' }
  D: { Value: !Ref WebSocketDeploymen }
resources:
  T: { Type: 'AWS::SNS::Topic', DependsOn: WebSocketDeployment }
"
    )), @"");
}

#[test]
fn what_only_a_pinned_release_has_is_there_for_that_alone() {
    let text = |release: &str| {
        stack(&format!(
            "release: {release}\noutputs: {{ Z: {{ Value: !Ref WebSocketInvokeRole }} }}\n"
        ))
    };
    assert_eq!(problems(&text("pinned")), "");
    assert_snapshot!(problems(&text("live")), @"");
}

#[test]
fn what_waits_for_itself_is_told_with_its_way_round() {
    assert_snapshot!(problems(
        "name: a
functions:
  f:
    binary: f
    environment: { STAGE: !Ref WebSocketStage }
  g:
    binary: g
    policyStatements: [{ Effect: Allow, Action: 's:x', Resource: !Sub '${GFunction.Arn}' }]
websocket: { name: x, routes: { $default: f } }
resources:
  Late: { Type: 'AWS::ApiGatewayV2::Model', DependsOn: WebSocketStage, Properties: { ApiId: !Ref WebSocketApi, Name: M } }
  Self: { Type: 'AWS::SNS::Topic', Properties: { TopicName: !GetAtt Self.TopicName } }
  One: { Type: 'AWS::SNS::Topic', DependsOn: [Two] }
  Two: { Type: 'AWS::SNS::Topic', Properties: { TopicName: !Ref One } }
conditions:
  IsOne: !Not [!Condition IsTwo]
  IsTwo: !And [!Condition IsOne, !Equals [a, b]]
"
    ), @"");
}

#[test]
fn a_circle_of_every_function_is_told_once() {
    assert_snapshot!(problems(
        "name: a
functionDefaults: { environment: { STAGE: !Ref WebSocketStage } }
functions: { f: { binary: f }, g: { binary: g } }
websocket: { name: x, routes: { $default: f, send: g } }
"
    ), @"");
}

#[test]
fn a_reference_that_closes_no_circle_is_fine() {
    load(&stack(
        "resources:
  Topic: { Type: 'AWS::SNS::Topic', DependsOn: [WebSocketStage, FFunction] }
  Rule: { Type: 'AWS::SNS::Topic', DependsOn: Topic, Properties: { TopicName: !Ref Topic } }
conditions:
  IsIreland: !Equals [!Ref 'AWS::Region', eu-west-1]
  IsOther: !Not [!Condition IsIreland]
outputs: { Topic: { Condition: IsOther, Value: !Ref Topic } }
",
    ));
}

#[test]
fn what_a_resource_or_an_output_waits_for_must_be_there() {
    assert_snapshot!(problems(&stack(
        "parameters: { Size: { Type: String } }
conditions: { IsLarge: !Equals [!Ref Size, large], IsOdd: !Equals [!Ref FFunction, x] }
resources:
  A: { Type: 'AWS::SNS::Topic', DependsOn: [Topik, Size], Condition: IsLarg }
  Topic: { Type: 'AWS::SNS::Topic', DependsOn: A }
outputs:
  B: { Condition: Nope, Value: x }
"
    )), @"");
}

#[test]
fn entries_have_the_shapes_that_cloudformation_reads() {
    assert_snapshot!(problems(&stack(
        "parameters:
  A: String
  B: { Default: x }
  C: { Type: Strng, Defalt: x }
mappings:
  D: x
  E: { x: y }
  F: { x: { y: !Ref A } }
conditions:
  G: true
  H: !Sub x
resources:
  I: AWS::SNS::Topic
  J: { Properties: {} }
  K: { Type: SNS, Propertis: {}, Properties: [] }
  L: { Type: 'AWS::SNS::Topic', DeletionPolicy: Keep, DependsOn: { a: b }, Condition: [A] }
  m_n: { Type: 'Custom::Thing' }
  O: { Type: 'AWS::SNS::Topic::MODULE' }
outputs:
  P: x
  Q: { Description: x }
  R: { Value: { a: b }, Export: x, Name: y }
"
    )), @"");
}

#[test]
fn functions_that_need_a_transform_are_refused() {
    assert_snapshot!(problems(
        "name: a
functions: { f: { binary: f, environment: { AA: !ToJsonString { a: b } } } }
resources:
  Fn::ForEach::Topics: [Name, [a, b], {}]
  T:
    Type: AWS::SNS::Topic
    Properties:
      TopicName: !Length [a]
      DisplayName: { Fn::Sub: x, Fn::Jion: y }
      Fn::Transform: { Name: x }
"
    ), @"");
}

#[test]
fn a_raw_part_of_an_api_neither_meets_another_nor_undermines_the_deployment() {
    assert_snapshot!(problems(&stack(
        "http: { name: y, routes: { 'GET /a/{b}': { function: f, auth: none } } }
conditions: { Is: !Equals [a, b] }
resources:
  A: { Type: 'AWS::ApiGatewayV2::Route', Properties: { ApiId: !Ref WebSocketApi, RouteKey: $default } }
  B: { Type: 'AWS::ApiGatewayV2::Route', Properties: { ApiId: !Ref HttpApi, RouteKey: 'GET /a/{c}' } }
  C: { Type: 'AWS::ApiGatewayV2::Route', Properties: { ApiId: !Ref WebSocketApi, RouteKey: ping } }
  D: { Type: 'AWS::ApiGatewayV2::Route', Condition: Is, Properties: { ApiId: !Ref WebSocketApi, RouteKey: ping } }
  E: { Type: 'AWS::ApiGatewayV2::Stage', Properties: { ApiId: !Ref WebSocketApi, StageName: prod } }
  F: { Type: 'AWS::ApiGatewayV2::Stage', Properties: { ApiId: !Ref HttpApi, StageName: other, AutoDeploy: true } }
  G: { Type: 'AWS::ApiGatewayV2::Api', Properties: { Name: g } }
  H: { Type: 'AWS::ApiGatewayV2::Route', Condition: Is, Properties: { ApiId: !Ref G, RouteKey: $default } }
outputs: { WebSocketUrl: { Value: x } }
"
    )), @"");
}
