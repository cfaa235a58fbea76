//! Event source mappings of templates that do not run, or that AWS would refuse.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use axum::{Json, Router};
use bytes::Bytes;
use serde_json::{Value, json};
use stackgen_gateway::gateway::{Gateway, GatewayOptions};
use stackgen_gateway_common::{Event, EventReceiver};

use crate::endpoints::serve;
use crate::serving::with_puppets;
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

/// A stream of Kinesis with one record in one shard, whose first iterator expires before the record is read.
#[derive(Default)]
struct ExpiringStream {
    /// Types of the iterators that were requested.
    iterators: Vec<Value>,
    /// True if another stream with the same content replaced it, since its record was read.
    is_replaced: bool,
}

impl ExpiringStream {
    fn answer(&mut self, operation: &str, input: &Value) -> (StatusCode, Value) {
        let refused = |code: &str| (StatusCode::BAD_REQUEST, json!({ "__type": code }));
        let answer = match (operation, self.iterators.len()) {
            ("ListShards", _) => json!({ "Shards": [{ "ShardId": "shard" }] }),
            ("GetShardIterator", count) => {
                let kind = &input["ShardIteratorType"];
                self.iterators.push(kind.clone());
                if kind == "AFTER_SEQUENCE_NUMBER" {
                    return refused("InvalidArgumentException");
                }
                self.is_replaced = false;
                json!({ "ShardIterator": format!("{count}") })
            }
            (_, 1) => return refused("ExpiredIteratorException"),
            _ if self.is_replaced => return refused("ExpiredIteratorException"),
            _ if input["ShardIterator"] == "end" => {
                json!({ "Records": [], "NextShardIterator": "end" })
            }
            _ => {
                let record = json!({ "SequenceNumber": "1", "Data": "eA==", "PartitionKey": "k", "ApproximateArrivalTimestamp": 1.0 });
                json!({ "Records": [record], "NextShardIterator": "end" })
            }
        };
        (StatusCode::OK, answer)
    }
}

/// Starts a gateway with a function that reads the stream.
async fn gateway_of(stream: &Arc<Mutex<ExpiringStream>>) -> (Gateway, EventReceiver) {
    let emulator = {
        let stream = stream.clone();
        async move |headers: HeaderMap, body: Bytes| {
            let target = headers["x-amz-target"].to_str().expect("a target");
            let operation = target.rsplit('.').next().expect("an operation");
            let input: Value = serde_json::from_slice(&body).expect("JSON");
            let (status, answer) = stream.lock().expect("no panic").answer(operation, &input);
            (status, Json(answer))
        }
    };
    let services = serve(Router::new().fallback(emulator)).await;
    let options = GatewayOptions {
        services: Some(services.parse().expect("a URL")),
        ..GatewayOptions::default()
    };
    let gateway = Gateway::start(options).await.expect("a gateway");
    let events = gateway.events().subscribe();
    let mapping = "
  Records:
    Type: AWS::Lambda::EventSourceMapping
    Properties: { FunctionName: !Ref Function, StartingPosition: LATEST, EventSourceArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/records' }
";
    let (functions, _) = TEMPLATE.split_once("  Messages:").expect("mappings");
    let functions = functions.replace("python3.12", "provided.al2023");
    let template = template_from_text(&format!("{functions}{mapping}"));
    apply(&gateway, with_puppets(template)).await;
    (gateway, events)
}

/// Returns the source and the number of records of the next batch.
async fn next_batch(events: &mut EventReceiver) -> (String, usize) {
    let batch = async {
        loop {
            if let Event::Batch {
                source,
                records,
                failed,
                ..
            } = events.recv().await.expect("an event")
            {
                assert_eq!(failed, 0);
                return (source, records);
            }
        }
    };
    let batch = tokio::time::timeout(Duration::from_secs(60), batch).await;
    batch.expect("a batch")
}

#[tokio::test]
async fn a_record_that_arrives_while_an_iterator_expires_is_read() {
    let stream = Arc::new(Mutex::new(ExpiringStream::default()));
    let (gateway, mut events) = gateway_of(&stream).await;
    assert_eq!(next_batch(&mut events).await, ("records".to_owned(), 1));
    // A second `LATEST` would begin after the record.
    let iterators = stream.lock().expect("no panic").iterators.clone();
    assert_eq!(iterators, ["LATEST", "AT_TIMESTAMP"]);
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_stream_that_replaces_one_that_an_emulator_lost_is_read_from_its_first_record() {
    let stream = Arc::new(Mutex::new(ExpiringStream::default()));
    let (gateway, mut events) = gateway_of(&stream).await;
    next_batch(&mut events).await;
    stream.lock().expect("no panic").is_replaced = true;
    assert_eq!(next_batch(&mut events).await, ("records".to_owned(), 1));
    let iterators = stream.lock().expect("no panic").iterators.clone();
    assert_eq!(iterators[2..], ["AFTER_SEQUENCE_NUMBER", "TRIM_HORIZON"]);
    gateway.shutdown().await;
}
