//! Event source mappings of templates that do not run, or that AWS would refuse.

use crate::support::{apply, changes, gateway, problem_lines, template_from_text};

/// A function with a role that may not read the queue, and a queue whose messages appear again too soon.
const TEMPLATE: &str = "
Parameters:
  Topic: { Type: String, Default: none }
Conditions:
  HasTopic: !Equals [!Ref Topic, !ImportValue other]
Resources:
  Queue: { Type: AWS::SQS::Queue, Properties: { QueueName: jobs, VisibilityTimeout: 5 } }
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: notes
      AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
      KeySchema: [{ AttributeName: id, KeyType: HASH }]
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: { Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: sts:AssumeRole }] }
  Function:
    Type: AWS::Lambda::Function
    Properties: { Runtime: python3.12, Handler: index.handler, Role: !GetAtt Role.Arn, Timeout: 10, Code: { ZipFile: 'def handler(event, context): pass' } }
  Messages:
    Type: AWS::Lambda::EventSourceMapping
    Properties: { FunctionName: !Ref Function, EventSourceArn: !GetAtt Queue.Arn }
  Elsewhere:
    Type: AWS::Lambda::EventSourceMapping
    Properties: { FunctionName: !Ref Function, EventSourceArn: !ImportValue queue }
  Perhaps:
    Type: AWS::Lambda::EventSourceMapping
    Condition: HasTopic
    Properties: { FunctionName: !Ref Function, EventSourceArn: !GetAtt Queue.Arn }
";

#[tokio::test]
async fn what_keeps_a_mapping_from_working_is_reported_and_the_rest_runs() {
    let gateway = gateway().await;
    let applied = apply(&gateway, template_from_text(TEMPLATE)).await;
    assert!(changes(&applied).contains(&"created Messages".to_owned()));
    let reasons = applied.not_run.iter();
    let reasons = reasons.filter(|one| one.kind == "AWS::Lambda::EventSourceMapping");
    let reasons: Vec<String> = reasons
        .map(|one| format!("{}: {}", one.logical_id, one.reason))
        .collect();
    insta::assert_snapshot!(reasons.join("\n"), @"
    Elsewhere: it is left out: cannot determine EventSourceArn of Elsewhere: it is imported from another stack
    Perhaps: it is left out: only CloudFormation can compute !Equals here
    Messages: messages of the queue jobs invoke no function; start `stackgen dev` with --services URL to read the queue of an emulator of AWS
    Messages: AWS refuses it: the role of stack-Function-ACQLPUM9154Y may not call sqs:ReceiveMessage on arn:aws:sqs:us-east-1:000000000000:jobs
    Messages: AWS refuses it: the queue's visibility timeout of 5 s is shorter than the function's timeout of 10 s
    ");
    gateway.shutdown().await;
}

#[tokio::test]
async fn wrong_filters_and_tables_without_a_stream_are_problems() {
    let gateway = gateway().await;
    let mapping = |properties: &str| {
        let mapping = "\n  More:\n    Type: AWS::Lambda::EventSourceMapping\n    Properties:";
        template_from_text(&format!(
            "{TEMPLATE}{mapping} {{ FunctionName: !Ref Function, {properties} }}\n"
        ))
    };
    let filter =
        "EventSourceArn: !GetAtt Queue.Arn, FilterCriteria: { Filters: [{ Pattern: '[]' }] }";
    let problems = gateway.apply(mapping(filter)).await.unwrap_err();
    let stream = "EventSourceArn: !GetAtt Table.StreamArn";
    let more = gateway.apply(mapping(stream)).await.unwrap_err();
    let lines = [problem_lines(&problems), problem_lines(&more)].join("\n");
    insta::assert_snapshot!(lines, @"
    32: a pattern of FilterCriteria is not valid: it is not a JSON object (Lambda rejects it: Invalid filter pattern definition)
    32: table notes has no stream (set StreamSpecification of the table)
    ");
    gateway.shutdown().await;
}
