//! Sections in CloudFormation's syntax: their structure, their references, and conflicts with the stack's own
//! resources.

use insta::assert_snapshot;

use super::{errors, load};

fn stack(rest: &str) -> String {
    format!(
        "name: a\nfunctions: {{ f: {{ binary: f }} }}\nwebsocket: {{ name: x, routes: {{ $default: f }} }}\n{rest}"
    )
}

#[test]
fn a_reference_to_a_deployment_is_an_error() {
    assert_snapshot!(errors(&stack(
        "http: { name: y, routes: { $default: { function: f, auth: none } } }
outputs:
  A: { Value: !Ref WebSocketDeployment }
  B: { Value: !GetAtt HttpDeployment.DeploymentId }
  C: { Value: !Sub 'x-${WebSocketDeployment}' }
  D: { Value: !Ref WebSocketDeploymen }
resources:
  T: { Type: 'AWS::SNS::Topic', DependsOn: WebSocketDeployment }
"
    )), @"
    6:20 `WebSocketDeployment` has another logical ID in the template
        help: use the output `WebSocketDeploymentId` for the deployment's ID, and depend on `WebSocketStage` to come after the deployment: its logical ID ends in a digest of the wiring
    7:23 `HttpDeployment` has another logical ID in the template
        help: use the output `HttpDeploymentId` for the deployment's ID, and depend on `HttpStage` to come after the deployment: its logical ID ends in a digest of the wiring
    8:20 `WebSocketDeployment` has another logical ID in the template
        help: use the output `WebSocketDeploymentId` for the deployment's ID, and depend on `WebSocketStage` to come after the deployment: its logical ID ends in a digest of the wiring
    9:20 there is no parameter or resource `WebSocketDeploymen`
        help: run `stackgen synth` to see the logical IDs of resources; declare parameters under `parameters`
    11:44 `WebSocketDeployment` has another logical ID in the template
        help: use the output `WebSocketDeploymentId` for the deployment's ID, and depend on `WebSocketStage` to come after the deployment: its logical ID ends in a digest of the wiring
    ");
}

#[test]
fn resources_of_pinned_releases_exist_only_in_pinned_environments() {
    let text = |release: &str| {
        stack(&format!(
            "release: {release}\noutputs: {{ Z: {{ Value: !Ref WebSocketInvokeRole }} }}\n"
        ))
    };
    assert_eq!(errors(&text("pinned")), "");
    assert_snapshot!(errors(&text("live")), @"
    5:29 there is no parameter or resource `WebSocketInvokeRole`
        help: run `stackgen synth` to see the logical IDs of resources; declare parameters under `parameters`
    ");
}

#[test]
fn circular_dependencies_are_reported_with_their_path() {
    assert_snapshot!(errors(
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
    ), @"
    5:32 circular dependency between resources: `FFunction` → `WebSocketStage` → `WebSocketDeployment` → `DefaultRoute` → `FWebSocketIntegration` → `FFunction`
        help: remove the reference, or write the stage's name instead: a stage depends on its deployment, which depends on every part of the API and on its functions
    8:71 circular dependency between resources: `GRole` → `GFunction` → `GRole`
        help: remove one of the references: CloudFormation creates a resource after everything that it refers to
    11:56 circular dependency between resources: `Late` → `WebSocketStage` → `WebSocketDeployment` → `Late`
        help: remove the reference, or write the stage's name instead: a stage depends on its deployment, which depends on every part of the API and on its functions
    12:69 `Self` refers to itself
        help: remove one of the references: CloudFormation creates a resource after everything that it refers to
    14:65 circular dependency between resources: `Two` → `One` → `Two`
        help: remove one of the references: CloudFormation creates a resource after everything that it refers to
    17:27 circular dependency between conditions: `IsTwo` → `IsOne` → `IsTwo`
        help: remove one of the references; in the end, conditions compare parameters
    ");
}

#[test]
fn a_cycle_through_every_function_is_reported_once() {
    assert_snapshot!(errors(
        "name: a
functionDefaults: { environment: { STAGE: !Ref WebSocketStage } }
functions: { f: { binary: f }, g: { binary: g } }
websocket: { name: x, routes: { $default: f, send: g } }
"
    ), @"
    2:48 circular dependency between resources: `FFunction` → `WebSocketStage` → `WebSocketDeployment` → `DefaultRoute` → `FWebSocketIntegration` → `FFunction`
        help: remove the reference, or write the stage's name instead: a stage depends on its deployment, which depends on every part of the API and on its functions
    ");
}

#[test]
fn a_reference_that_closes_no_cycle_is_accepted() {
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
fn dependencies_and_conditions_of_resources_and_outputs_must_exist() {
    assert_snapshot!(errors(&stack(
        "parameters: { Size: { Type: String } }
conditions: { IsLarge: !Equals [!Ref Size, large], IsOdd: !Equals [!Ref FFunction, x] }
resources:
  A: { Type: 'AWS::SNS::Topic', DependsOn: [Topik, Size], Condition: IsLarg }
  Topic: { Type: 'AWS::SNS::Topic', DependsOn: A }
outputs:
  B: { Condition: Nope, Value: x }
"
    )), @"
    5:73 there is no parameter `FFunction`
        help: declare it under `parameters`
    7:45 there is no resource `Topik`
        help: did you mean `Topic`?
    7:52 there is no resource `Size`
        help: run `stackgen synth` to see the logical IDs of resources; declare parameters under `parameters`
    7:70 there is no condition `IsLarg`
        help: did you mean `IsLarge`?
    10:19 there is no condition `Nope`
        help: declare it under `conditions`
    ");
}

#[test]
fn malformed_parameters_mappings_and_conditions_are_errors() {
    assert_snapshot!(errors(&stack(
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
"
    )), @"
    5:6 `A` must be a mapping, not a string
        help: write, for example, `Type: String`
    6:3 `B` lacks `Type`
        help: write, for example, `Type: String`
    7:14 `Strng` is not a parameter type
        help: did you mean `String`?
    7:21 unknown key `Defalt` in `C`
        help: did you mean `Default`?
    9:6 `D` must be a mapping of mappings: `{Names: {topic: {name: …}}}`, not a string
    10:11 `x` must be a mapping of mappings: `{Names: {topic: {name: …}}}`, not a string
    11:16 `y` must be a literal value or a list of literal values, not an intrinsic function
    13:6 `G` must be `!Equals`, `!And`, `!Or`, `!Not` or `!Condition`, not a boolean
    14:6 `H` must be `!Equals`, `!And`, `!Or`, `!Not` or `!Condition`, not an intrinsic function
    ");
}

#[test]
fn malformed_resources_and_outputs_are_errors() {
    assert_snapshot!(errors(&stack(
        "resources:
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
    )), @"
    5:6 `I` must be a mapping, not a string
        help: write, for example, `Type: AWS::SNS::Topic`
    6:3 `J` lacks `Type`
        help: write, for example, `Type: AWS::SNS::Topic`
    7:14 `SNS` is not a resource type
        help: write, for example, `AWS::SNS::Topic`, `Custom::Name` or `AWS::SNS::Topic::MODULE`
    7:19 unknown key `Propertis` in `K`
        help: did you mean `Properties`?
    7:46 `Properties` must be a mapping, not a list
    8:49 `DeletionPolicy` cannot be `Keep`
        help: use `Delete`, `Retain`, `RetainExceptOnCreate` or `Snapshot`
    8:66 `DependsOn` must be a logical ID or a list of logical IDs, not a mapping
    8:87 `Condition` must be a string, not a list
    9:3 `m_n` is not a valid logical ID
        help: use letters and digits only, at most 255
    12:6 `P` must be a mapping, not a string
        help: write, for example, `Value: !Ref Topic`
    13:3 `Q` lacks `Value`
        help: write, for example, `Value: !Ref Topic`
    14:15 `Value` must be a string or an intrinsic function, not a mapping
    14:33 `Export` must be a mapping with `Name`, not a string
    14:36 unknown key `Name` in `R`
        help: use `Value`, `Description`, `Export` or `Condition`
    ");
}

#[test]
fn functions_that_need_a_transform_are_refused() {
    assert_snapshot!(errors(
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
    ), @"
    2:49 `!ToJsonString` needs a transform
        help: write its result instead: the template has no `Transform`, so neither language extensions nor macros apply
    4:3 `Fn::ForEach::Topics` needs a transform
        help: write its result instead: the template has no `Transform`, so neither language extensions nor macros apply
    8:18 `!Length` needs a transform
        help: write its result instead: the template has no `Transform`, so neither language extensions nor macros apply
    9:22 `Fn::Sub` has other keys beside it
        help: make the intrinsic function the only key of its mapping
    9:34 there is no intrinsic function `Fn::Jion`
        help: did you mean `Fn::Join`?
    10:7 `Fn::Transform` needs a transform
        help: write its result instead: the template has no `Transform`, so neither language extensions nor macros apply
    ");
}

#[test]
fn a_raw_part_of_an_api_cannot_duplicate_another_or_break_the_deployment() {
    assert_snapshot!(errors(&stack(
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
    )), @"
    7:92 `WebSocketApi` already has a route `$default`
        3:33 here
        help: remove one of them: API Gateway refuses a second route with the same key
        row D14
    8:87 `HttpApi` already has a route `GET /a/{c}`
        4:28 here
        help: remove one of them: API Gateway refuses a second route with the same key
        row D14
    10:42 `D` is part of the API's deployment and cannot have a condition
        help: write it under the environments that have it: the deployment depends on it, and cannot depend on a resource that may not exist
        row F7
    10:107 `WebSocketApi` already has a route `ping`
        9:3 here
        help: remove one of them: API Gateway refuses a second route with the same key
        row D14
    11:93 `WebSocketApi` already has a stage `prod`
        3:1 here
        help: remove one of them: API Gateway refuses a second stage with the same name
        row D14
    12:95 a stage of this API cannot use AutoDeploy
        help: name a deployment in `DeploymentId`: stackgen creates one for each change of the wiring
        row D5
    15:12 stackgen already makes an output `WebSocketUrl`
        help: choose another logical ID
    ");
}
