//! SAM templates, compared with the results of AWS's translator.

use std::fs;
use std::path::Path;
use std::process::Command;

use stackgen_cfn::{Node, Sources, parse};
use stackgen_model::{Inputs, Model, Pseudo, UnknownReason};

fn read(name: &str) -> Node {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/sam")
        .join(name);
    let text = fs::read_to_string(&path).expect("the fixture is there");
    parse(Sources::new().add(name, text)).expect("the fixture parses")
}

fn model(name: &str) -> Model {
    // The translator writes the partition of its own region into managed policies.
    Model::from_template(
        &read(name),
        &Inputs::none().with_pseudo(Pseudo::Partition, "aws"),
    )
}

fn assert_same(name: &str) {
    let (ours, theirs) = (
        model(&format!("{name}.yaml")),
        model(&format!("{name}.translated.json")),
    );
    assert_eq!(theirs.problems, []);
    let (ours, theirs) = (ours.content().to_string(), theirs.content().to_string());
    if ours != theirs {
        let (left, right) = (ours.lines(), theirs.lines());
        let different = left
            .zip(right)
            .position(|(left, right)| left != right)
            .unwrap_or_default();
        let near = |text: &str| {
            let lines = text.lines().skip(different.saturating_sub(12)).take(24);
            lines.collect::<Vec<_>>().join("\n")
        };
        panic!(
            "at line {different}\n--- ours\n{}\n--- theirs\n{}",
            near(&ours),
            near(&theirs)
        );
    }
}

#[test]
fn a_websocket_api_equals_its_translation() {
    assert_same("websocket");
    let model = model("websocket.yaml");
    assert_eq!((model.problems, model.gaps), (vec![], vec![]));
}

#[test]
fn http_apis_and_events_equal_their_translation() {
    assert_same("http");
}

#[test]
fn events_of_queues_streams_and_topics_equal_their_translation() {
    assert_same("events");
    let model = model("events.yaml");
    assert_eq!((model.problems, model.gaps), (vec![], vec![]));
}

#[test]
fn routes_that_differ_only_in_case_or_dollar_are_reported_and_the_later_one_is_kept() {
    assert_same("collision");
    let problems = model("collision.yaml").problems;
    let messages: Vec<&str> = problems
        .iter()
        .map(|problem| problem.message.as_str())
        .collect();
    assert_eq!(
        messages,
        [
            "SAM generates SocketConnectRoute for both routes $connect and connect; $connect is silently lost",
            "SAM generates SocketJoinsessionRoute for both routes joinSession and joinsession; joinSession is silently lost",
        ]
    );
}

#[test]
fn the_translations_equal_those_of_sams_translator() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Some(python) = stackgen_test_tools::installed("venv/bin/python") else {
        return;
    };
    let script = manifest.join("tests/fixtures/sam/translate.py");
    let output = Command::new(python).arg(script).arg("--check").output();
    let output = output.expect("Python starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn inline(text: &str) -> Model {
    let node = parse(Sources::new().add("template.yaml", text)).expect("it parses");
    Model::from_template(&node, &Inputs::none())
}

#[test]
fn untranslated_resources_are_gaps_and_never_guesses() {
    let model = inline(
        "
Transform: AWS::Serverless-2016-10-31
Resources:
  Machine: {Type: 'AWS::Serverless::StateMachine'}
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      FunctionUrlConfig: {AuthType: NONE}
      Policies: [NoSuchPolicy: {FunctionName: f}, AWSLambdaRole]
      Events:
        Images: {Type: S3, Properties: {Bucket: !Ref Bucket, Events: 's3:ObjectCreated:*'}}
        News: {Type: SNS, Properties: {Topic: !Ref Topic, SqsSubscription: true}}
",
    );
    let gaps: Vec<&str> = model.gaps.iter().map(|gap| gap.message.as_str()).collect();
    let expected = [
        "Machine (AWS::Serverless::StateMachine) is not in the model",
        "FunctionUrlConfig of Fn is not in the model",
        "event Images of Fn (S3) is not in the model",
        "event News of Fn (SNS) is not in the model",
    ];
    assert_eq!(gaps, expected);
    let role = &model.roles[0];
    assert_eq!(role.unknown[0].reason, UnknownReason::Macro);
    assert_eq!(
        role.managed_policies[1].to_string(),
        "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaRole"
    );
}

#[test]
fn rules_and_schedules_of_functions_are_resources_with_permissions() {
    let model = inline(
        "
Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Hourly: {Type: Schedule, Properties: {Schedule: rate(1 hour), Enabled: false, Name: hourly}}
        Orders: {Type: EventBridgeRule, Properties: {Pattern: {source: [shop]}, EventBusName: orders, InputPath: $.detail}}
        Nightly: {Type: ScheduleV2, Properties: {ScheduleExpression: cron(0 3 * * ? *), Input: '{}'}}
",
    );
    assert_eq!(model.gaps, []);
    let rendered = [
        "FnHourly",
        "FnHourlyPermission",
        "FnOrders",
        "FnNightly",
        "FnNightlyRole",
    ]
    .map(|id| {
        let resource = &model.resources[&stackgen_model::LogicalId::new(id)];
        format!("{id} {} {:?}", resource.kind, resource.properties)
    });
    let has =
        |at: usize, part: &str| assert!(rendered[at].contains(part), "{part}: {}", rendered[at]);
    has(0, "AWS::Events::Rule");
    has(0, "DISABLED");
    has(0, "hourly");
    has(1, "events.amazonaws.com");
    has(2, "orders");
    has(2, "$.detail");
    has(3, "AWS::Scheduler::Schedule");
    has(3, "cron(0 3 * * ? *)");
    has(4, "scheduler.amazonaws.com");
    let role = model
        .roles
        .iter()
        .find(|role| role.resource.logical_id == "FnNightlyRole");
    let grant = &role.unwrap().grants[0];
    assert_eq!(grant.actions[0].as_literal(), Some("lambda:InvokeFunction"));
    assert_eq!(grant.resources[0].to_string(), "${Fn.Arn}");
}

#[test]
fn policy_templates_are_statements_of_the_role() {
    let model = inline(
        "
Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [DynamoDBReadPolicy: {TableName: !Ref Sessions}, VPCAccessPolicy: {}]
  Sessions: {Type: 'AWS::DynamoDB::Table'}
",
    );
    let role = &model.roles[0];
    assert_eq!(role.unknown, []);
    let [read, network] = role.grants.as_slice() else {
        panic!("{:?}", role.grants);
    };
    assert_eq!(read.actions[0].as_literal(), Some("dynamodb:GetItem"));
    let table = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${Sessions}";
    assert_eq!(read.resources[0].to_string(), table);
    assert_eq!(network.resources[0].as_literal(), Some("*"));
}

#[test]
fn templates_that_the_translator_refuses_have_problems() {
    let model = inline(
        "
Resources:
  Socket:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      Routes: {join-session: {FunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:f'}}
",
    );
    let messages: Vec<&str> = model
        .problems
        .iter()
        .map(|one| one.message.as_str())
        .collect();
    let expected = [
        "AWS::Serverless resources need the SAM transform",
        "SAM refuses the route key join-session: it must be alphanumeric",
    ];
    assert_eq!(messages, expected);
}

#[test]
fn connectors_from_functions_are_policies_and_from_apis_permissions() {
    let model = inline(
        "
Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Connectors:
      Items: {Properties: {Destination: {Id: Items}, Permissions: [Read, Write]}}
  Items: {Type: 'AWS::Serverless::SimpleTable'}
  Other: {Type: 'AWS::Serverless::Function'}
  Topic: {Type: 'AWS::SNS::Topic'}
  Calls:
    Type: AWS::Serverless::Connector
    Properties: {Source: {Id: Fn}, Destination: [{Id: Other}, {Id: Topic}], Permissions: [Write]}
  Api: {Type: 'AWS::ApiGatewayV2::Api', Properties: {Name: a, ProtocolType: WEBSOCKET}}
  Invoke:
    Type: AWS::Serverless::Connector
    Properties: {Source: {Id: Api, Qualifier: 'prod/*'}, Destination: {Id: Fn}, Permissions: [Write]}
  Unsupported:
    Type: AWS::Serverless::Connector
    Properties: {Source: {Id: Topic}, Destination: {Id: Fn}, Permissions: [Write]}
",
    );
    let role = model
        .roles
        .iter()
        .find(|role| role.resource.logical_id == "FnRole");
    let grants = role.unwrap().grants.iter().map(|grant| {
        let first = |texts: &[stackgen_model::Text]| texts[0].to_string();
        format!("{} {}", first(&grant.actions), first(&grant.resources))
    });
    assert_eq!(
        grants.collect::<Vec<_>>(),
        [
            "lambda:InvokeAsync ${Other.Arn}",
            "sns:Publish ${Topic}",
            "dynamodb:GetItem ${Items.Arn}",
            "dynamodb:PutItem ${Items.Arn}",
        ]
    );
    let permission = &model.permissions[0];
    assert_eq!(permission.function.function.to().unwrap(), "Fn");
    let source = permission.source_arn.as_ref().unwrap().to_string();
    assert!(source.ends_with(":${Api}/prod/*"), "{source}");
    assert!(
        model
            .resources
            .contains_key(&stackgen_model::LogicalId::new("FnItemsPolicy"))
    );
    let gaps: Vec<&str> = model.gaps.iter().map(|gap| gap.message.as_str()).collect();
    assert_eq!(
        gaps,
        ["Unsupported (AWS::Serverless::Connector) is not in the model"]
    );
}
