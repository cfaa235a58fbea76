//! Problems of templates, all reported at once with their locations.

use crate::support::{gateway, problem_lines, template_from_text};

#[tokio::test]
async fn all_unresolved_values_are_reported_at_once_and_nothing_is_applied() {
    let gateway = gateway().await;
    let template = template_from_text(
        "Parameters:
  Name: {Type: String}
  Tier: {Type: String}
Conditions:
  Big: !Equals [!Ref Tier, big]
Resources:
  Socket:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: !Ref Name, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  Route:
    Type: AWS::ApiGatewayV2::Route
    Condition: Big
    Properties:
      ApiId: !Ref Socket
      RouteKey: !ImportValue Key
",
    );
    let problems = gateway.apply(template).await.expect_err("problems");
    insta::assert_snapshot!(problem_lines(&problems), @r"
    9: cannot determine Name of Socket: parameter Name has no default and no value was given (set it: `--parameter Name=VALUE`)
    10: cannot determine whether Route exists: only CloudFormation can compute !Equals here (set the parameters of condition Big: `--parameter NAME=VALUE`)
    15: cannot determine RouteKey of Route: it is imported from another stack
    ");
    assert_eq!(gateway.account().apis.list_apis().len(), 0);
    gateway.shutdown().await;
}

#[tokio::test]
async fn invalid_templates_are_errors_with_a_location() {
    let gateway = gateway().await;
    for template in ["a: [", "a: 1", "Resources: {A: {Type: X, Type: Y}}"] {
        let problems = gateway
            .apply(template_from_text(template))
            .await
            .expect_err("problems");
        assert!(problems[0].line.is_some(), "{problems:?}");
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn resources_that_are_not_run_have_a_name_and_a_reason() {
    let gateway = gateway().await;
    let template = template_from_text(
        "Resources:
  Queue: {Type: AWS::SQS::Queue}
  Pool: {Type: AWS::Cognito::UserPool}
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: worker
      Runtime: provided.al2023
      Handler: bootstrap
      Role: arn:aws:iam::000000000000:role/worker
      Code: {S3Bucket: bucket, S3Key: key}
      Environment:
        Variables:
          QUEUE: !Ref Queue
          POOL: !Ref Pool
          SECRET: '{{resolve:secretsmanager:secret}}'
",
    );
    let applied = gateway.apply(template).await.expect("no problem");
    let lines: Vec<_> = applied
        .not_run
        .iter()
        .map(|one| format!("{}: {}", one.logical_id, one.reason))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    Worker: its environment variable SECRET is not set: a dynamic reference is read at deployment
    Queue: the local gateway does not run this service; references to it get a plausible name
    Pool: the local issuer mints tokens instead
    ");
    let worker = gateway.account().functions.get("worker", None).expect("it");
    let variables = &worker.configuration.environment;
    assert!(!variables.contains_key("SECRET"));
    let queue = &variables["QUEUE"];
    let start = "https://sqs.us-east-1.amazonaws.com/000000000000/stack-Queue-";
    assert!(queue.starts_with(start), "{queue}");
    assert!(variables["POOL"].starts_with("us-east-1_"));
    gateway.shutdown().await;
}
