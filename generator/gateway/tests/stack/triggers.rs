//! Rules and subscriptions that invoke functions, over the control endpoint.

use std::sync::Arc;
use std::time::Duration;

use axum::{Json, Router};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use serde_json::{Value, json};
use stackgen_gateway::gateway::{Gateway, GatewayOptions, RemoteGateway};
use stackgen_gateway::outbound::AccountAccess;
use stackgen_gateway_common::{ArnScope, Event, EventReceiver, SignError, SignRequest};

use crate::endpoints::serve;
use crate::serving::with_puppets;
use crate::support::{apply, call_as, gateway, problem_lines, template_from_text};

const TEMPLATE: &str = "
Transform: AWS::Serverless-2016-10-31
Resources:
  Bus: { Type: AWS::Events::EventBus, Properties: { Name: shop } }
  Copies: { Type: AWS::Events::EventBus, Properties: { Name: copies } }
  News: { Type: AWS::SNS::Topic, Properties: { TopicName: news } }
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Handler: bootstrap
      CodeUri: worker
      Events:
        Order:
          Type: EventBridgeRule
          Properties:
            EventBusName: !Ref Bus
            Pattern: { source: [shop] }
            InputTransformer: { InputPathsMap: { what: $.detail.what }, InputTemplate: '{\"do\": <what>}' }
        Copy:
          Type: EventBridgeRule
          Properties: { EventBusName: !Ref Copies, Pattern: { source: [shop] }, Input: '{\"do\": \"ok\"}' }
        Nightly: { Type: ScheduleV2, Properties: { ScheduleExpression: cron(0 3 * * ? *), Input: '{\"do\": \"ok\"}' } }
        Often: { Type: Schedule, Properties: { Schedule: rate(1 day), Name: often } }
        News: { Type: SNS, Properties: { Topic: !Ref News, FilterPolicy: { kind: [urgent] } } }
  Forward:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      Name: forward
      EventPattern: { detail: { forward: [true] } }
      Targets:
        - { Id: bus, Arn: !GetAtt Copies.Arn, RoleArn: !GetAtt WorkerRole.Arn }
        - { Id: queue, Arn: 'arn:aws:sqs:us-east-1:000000000000:jobs' }
  Unpermitted:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      Name: unpermitted
      EventPattern: { source: [other] }
      Targets: [{ Id: worker, Arn: !GetAtt Worker.Arn }]
  Mail: { Type: AWS::SNS::Subscription, Properties: { Protocol: email, Endpoint: a@b.c, TopicArn: !Ref News } }
";

async fn call(gateway: &Gateway, service: &str, headers: &str, body: &str) -> String {
    call_as(gateway, "k", service, "/", headers, body).await
}

async fn put_events(gateway: &Gateway, entries: Value) -> Value {
    let headers = "X-Amz-Target: AWSEvents.PutEvents\r\nContent-Type: application/x-amz-json-1.1";
    let body = json!({ "Entries": entries }).to_string();
    let answer = call(gateway, "events", headers, &body).await;
    serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{answer}"))
}

fn entry(source: &str, detail: &Value) -> Value {
    json!({ "EventBusName": "shop", "Source": source, "DetailType": "Order", "Detail": detail.to_string() })
}

/// Returns name, number of failed records and reason of the next invocation by a trigger or a schedule.
async fn next_batch(events: &mut EventReceiver) -> (String, usize, Option<String>) {
    let next = async {
        loop {
            match events.recv().await.expect("an event") {
                Event::Batch {
                    source,
                    failed,
                    reason,
                    ..
                } => return (source, failed, reason),
                Event::Scheduled {
                    schedule, reason, ..
                } => return (schedule, usize::from(reason.is_some()), reason),
                _ => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), next)
        .await
        .expect("an invocation")
}

async fn started() -> Gateway {
    started_with(GatewayOptions::default()).await
}

async fn started_with(options: GatewayOptions) -> Gateway {
    let gateway = Gateway::start(options).await.expect("a gateway");
    apply(&gateway, with_puppets(template_from_text(TEMPLATE))).await;
    gateway
}

#[tokio::test]
async fn targets_and_subscriptions_that_get_nothing_are_reported() {
    let gateway = gateway().await;
    let applied = apply(&gateway, with_puppets(template_from_text(TEMPLATE))).await;
    let notes = applied
        .not_run
        .iter()
        .map(|one| format!("{}: {}", one.logical_id, one.reason));
    insta::assert_snapshot!(notes.collect::<Vec<_>>().join("\n"), @r"
    Forward: its target arn:aws:sqs:us-east-1:000000000000:jobs gets nothing: rules reach the functions and the event buses of this stack, and others with --services
    Mail: email gets no messages here: start `stackgen dev` with --services URL
    ");
    gateway.shutdown().await;
}

#[tokio::test]
async fn events_on_a_bus_of_the_stack_invoke_the_functions_of_matching_rules() {
    let gateway = started().await;
    let mut events = gateway.events().subscribe();
    let order = entry("shop", &json!({ "what": "ok" }));
    let broken = json!({ "EventBusName": "shop", "Source": "shop", "DetailType": "Order", "Detail": "text" });
    let answer = put_events(&gateway, json!([order, broken])).await;
    assert_eq!(answer["FailedEntryCount"], 1);
    assert!(answer["Entries"][0]["EventId"].is_string());
    assert_eq!(answer["Entries"][1]["ErrorCode"], "MalformedDetail");
    let (source, failed, reason) = next_batch(&mut events).await;
    assert!(source.starts_with("stack-WorkerOrder-"), "{source}");
    assert_eq!((failed, reason), (0, None));
    put_events(
        &gateway,
        json!([entry("shop", &json!({ "what": "ok", "forward": true }))]),
    )
    .await;
    let sources = [
        next_batch(&mut events).await.0,
        next_batch(&mut events).await.0,
    ];
    assert!(
        sources
            .iter()
            .any(|one| one.starts_with("stack-WorkerCopy-")),
        "{sources:?}"
    );
    gateway.shutdown().await;
}

#[tokio::test]
async fn entries_for_other_buses_go_to_the_emulator_or_get_an_error() {
    let order = entry("shop", &json!({ "what": "ok" }));
    let mut other = order.clone();
    other["EventBusName"] = json!("elsewhere");
    let entries = json!([other, order, other]);
    let gateway = started().await;
    let answer = put_events(&gateway, entries.clone()).await;
    assert_eq!(answer["FailedEntryCount"], 2, "{answer}");
    assert!(answer["Entries"][1]["EventId"].is_string(), "{answer}");
    insta::assert_snapshot!(answer["Entries"][2].to_string(), @r#"{"ErrorCode":"ServiceNotRunLocally","ErrorMessage":"the local gateway has no events; start `stackgen dev` with --services URL to send its calls to an emulator of AWS"}"#);
    gateway.shutdown().await;
    let (arrived, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    let emulator = move |body: Bytes| {
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        let entries = body["Entries"].as_array().expect("entries");
        let buses: Vec<Value> = entries
            .iter()
            .map(|one| one["EventBusName"].clone())
            .collect();
        let results = buses.iter().map(|bus| json!({ "EventId": bus }));
        let answer = json!({ "FailedEntryCount": 0, "Entries": results.collect::<Vec<_>>() });
        arrived.send(buses).expect("a receiver");
        async { Json(answer) }
    };
    let services = serve(Router::new().fallback(emulator)).await;
    let options = GatewayOptions {
        services: Some(services.parse().expect("a URL")),
        ..GatewayOptions::default()
    };
    let gateway = started_with(options).await;
    let answer = put_events(&gateway, entries).await;
    assert_eq!(answer["FailedEntryCount"], 0, "{answer}");
    let ids = [0, 1, 2].map(|at| answer["Entries"][at]["EventId"] == "elsewhere");
    assert_eq!(ids, [true, false, true], "{answer}");
    // The emulator has the rules of this bus with other targets.
    let buses = ["elsewhere", "shop", "elsewhere"];
    assert_eq!(arrivals.recv().await.expect("a call"), buses);
    gateway.shutdown().await;
}

#[tokio::test]
async fn rules_run_before_the_emulator_has_answered() {
    let seen = Arc::new(tokio::sync::Notify::new());
    let released = seen.clone();
    let emulator = async move |headers: HeaderMap| {
        // The gateway also creates the resources of the stack there.
        if headers
            .get("x-amz-target")
            .is_some_and(|target| target == "AWSEvents.PutEvents")
        {
            released.notified().await;
        }
        Json(json!({ "Entries": [{ "EventId": "elsewhere" }] }))
    };
    let services = serve(Router::new().fallback(emulator)).await;
    let options = GatewayOptions {
        services: Some(services.parse().expect("a URL")),
        ..GatewayOptions::default()
    };
    let gateway = started_with(options).await;
    let mut events = gateway.events().subscribe();
    let invoked = async {
        let (source, ..) = next_batch(&mut events).await;
        seen.notify_one();
        source
    };
    let put = put_events(&gateway, json!([entry("shop", &json!({ "what": "ok" }))]));
    let (answer, source) = tokio::join!(put, invoked);
    assert!(source.starts_with("stack-WorkerOrder-"), "{source}");
    assert_eq!(answer["FailedEntryCount"], 0, "{answer}");
    gateway.shutdown().await;
}

/// Signs nothing.
#[derive(Debug)]
struct NoSigner;

impl SignRequest for NoSigner {
    fn sign<'a>(
        &'a self,
        _: &'a str,
        _: http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<http::Request<Bytes>, SignError>> {
        Box::pin(async { Err(SignError("there are no credentials".to_owned())) })
    }
}

#[tokio::test]
async fn with_an_account_events_and_messages_are_those_of_the_account() {
    let options = GatewayOptions {
        account: Some(AccountAccess {
            scope: ArnScope::default(),
            signer: Arc::new(NoSigner),
            endpoint: None,
        }),
        ..GatewayOptions::default()
    };
    let gateway = started_with(options).await;
    // The account gets only requests that a function signed.
    let answer = put_events(&gateway, json!([entry("shop", &json!({ "what": "ok" }))])).await;
    let message = answer["message"].as_str().unwrap_or_default();
    assert!(
        message.starts_with("events is not called in AWS"),
        "{answer}"
    );
    let form = "Content-Type: application/x-www-form-urlencoded";
    let topic = "arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3Anews";
    let publish = format!("Action=Publish&TopicArn={topic}&Message=x");
    let answer = call(&gateway, "sns", form, &publish).await;
    assert!(answer.contains("sns is not called in AWS"), "{answer}");
    gateway.shutdown().await;
}

#[tokio::test]
async fn invocations_that_pile_up_are_dropped_with_a_reason() {
    let gateway = started().await;
    let mut events = gateway.events().subscribe();
    let slow = entry("shop", &json!({ "what": "sleep:60000" }));
    let batch = Value::from(vec![slow; 10]);
    for _ in 0..120 {
        put_events(&gateway, batch.clone()).await;
    }
    let dropped = async {
        loop {
            let (_, failed, reason) = next_batch(&mut events).await;
            assert_eq!(failed, 1);
            let reason = reason.expect("a reason");
            if reason.starts_with("the event is dropped") {
                return reason;
            }
        }
    };
    insta::assert_snapshot!(dropped.await, @"the event is dropped: 1000 invocations by rules and topics have not ended");
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_rule_that_the_policy_of_the_function_does_not_allow_is_a_failure() {
    let gateway = started().await;
    let mut events = gateway.events().subscribe();
    put_events(&gateway, json!([entry("other", &json!({}))])).await;
    let (source, failed, reason) = next_batch(&mut events).await;
    assert_eq!((source.as_str(), failed), ("unpermitted", 1));
    let reason = reason.expect("a reason");
    assert!(reason.contains("does not allow events.amazonaws.com to invoke it for arn:aws:events:us-east-1:000000000000:rule/shop/unpermitted"), "{reason}");
    gateway.shutdown().await;
}

#[tokio::test]
async fn schedules_and_rules_with_a_schedule_run_on_demand() {
    let gateway = started().await;
    let mut events = gateway.events().subscribe();
    let schedules = gateway.state().await.schedules;
    let lines = schedules
        .iter()
        .map(|one| format!("{} {}", one.name, one.expression));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r"
    WorkerNightly cron(0 3 * * ? *)
    often rate(1 day)
    ");
    let remote = RemoteGateway::new(&gateway.state().await.endpoint, gateway.key());
    for name in ["WorkerNightly", "often"] {
        remote.run_schedule(name).await.expect("it runs");
        assert_eq!(next_batch(&mut events).await, (name.to_owned(), 0, None));
    }
    let missing = remote
        .run_schedule("nothing")
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(
        missing,
        "the local gateway refuses: there is no schedule nothing"
    );
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_name_that_moves_to_another_resource_still_runs() {
    let names = |id: &str, schedule: &str| {
        TEMPLATE.to_owned()
            + &format!(
                "  {id}:
    Type: AWS::Events::Rule
    Properties: {{ Name: hourly, ScheduleExpression: rate(1 hour), Targets: [{{ Id: worker, Arn: !GetAtt Worker.Arn }}] }}
  {schedule}:
    Type: AWS::Scheduler::Schedule
    Properties:
      Name: daily
      ScheduleExpression: cron(0 4 * * ? *)
      Target: {{ Arn: !GetAtt Worker.Arn, RoleArn: !GetAtt WorkerNightlyRole.Arn, Input: '{{\"do\": \"ok\"}}' }}
Outputs:
  Rule: {{ Value: !Ref {id} }}
"
            )
    };
    let gateway = gateway().await;
    for (id, schedule) in [("Hourly", "Daily"), ("Moved", "MovedToo")] {
        let template = names(id, schedule);
        apply(&gateway, with_puppets(template_from_text(&template))).await;
        let schedules = gateway.state().await.schedules;
        let listed = schedules.iter().map(|one| one.name.as_str());
        let listed: Vec<&str> = listed.collect();
        assert_eq!(listed, ["WorkerNightly", "daily", "hourly", "often"]);
    }
    let mut events = gateway.events().subscribe();
    let remote = RemoteGateway::new(&gateway.state().await.endpoint, gateway.key());
    remote.run_schedule("daily").await.expect("it runs");
    let daily = ("daily".to_owned(), 0, None);
    assert_eq!(next_batch(&mut events).await, daily);
    gateway.shutdown().await;
}

#[tokio::test]
async fn messages_to_a_topic_invoke_the_subscribed_function_if_they_pass_its_filter() {
    let gateway = started().await;
    let mut events = gateway.events().subscribe();
    let publish = |kind: &str| {
        format!(
            "Action=Publish&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3Anews&Message=%7B%22do%22%3A%22ok%22%7D\
             &MessageAttributes.entry.1.Name=kind&MessageAttributes.entry.1.Value.DataType=String\
             &MessageAttributes.entry.1.Value.StringValue={kind}"
        )
    };
    let form = "Content-Type: application/x-www-form-urlencoded";
    for kind in ["other", "urgent"] {
        let answer = call(&gateway, "sns", form, &publish(kind)).await;
        assert!(answer.contains("<PublishResult><MessageId>"), "{answer}");
    }
    // The first message did not pass the filter.
    assert_eq!(next_batch(&mut events).await.0, "news");
    let empty = call(
        &gateway,
        "sns",
        form,
        "Action=Publish&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3Anews&Message=",
    )
    .await;
    assert!(
        empty.contains("Invalid parameter: Empty message"),
        "{empty}"
    );
    gateway.shutdown().await;
}

#[tokio::test]
async fn wrong_schedules_are_problems() {
    let gateway = gateway().await;
    let wrong = TEMPLATE.replace("rate(1 day)", "rate(1 second)");
    let problems = gateway
        .apply(with_puppets(template_from_text(&wrong)))
        .await
        .unwrap_err();
    insta::assert_snapshot!(problem_lines(&problems), @"24: EventBridge rejects the schedule `rate(1 second)`: a rate is a whole number of at least 1 and `minutes`, `hours` or `days`");
    gateway.shutdown().await;
}
