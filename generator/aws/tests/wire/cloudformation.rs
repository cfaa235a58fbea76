//! Stacks as they are read.

use serde_json::Value as Json;
use stackgen_deploy::OffsetDateTime;
use stackgen_deploy::stack::{StackId, StackReader};

use crate::replay::{Exchange, Replay};

const NAMESPACE: &str = "http://cloudformation.amazonaws.com/doc/2010-05-15/";

/// An exchange with a form, whose answer is XML.
fn query(form: &str, operation: &str, result: &str) -> Exchange {
    Exchange {
        request: "POST /",
        body: Json::from(form),
        status: 200,
        error: None,
        answer: format!(
            "<{operation}Response xmlns=\"{NAMESPACE}\"><{operation}Result>{result}</{operation}Result>\
             <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{operation}Response>"
        ),
    }
}

/// A page of events at these seconds after 2026-11-22T02:42:00Z.
fn events(seconds: &[u32], next: &str) -> String {
    let events = seconds.iter().map(|second| {
        format!(
            "<member><StackId>s</StackId><StackName>rooms</StackName><EventId>{second}</EventId>\
             <Timestamp>2026-11-22T02:42:{second:02}.500Z</Timestamp><LogicalResourceId>Route</LogicalResourceId>\
             <ResourceType>AWS::ApiGatewayV2::Route</ResourceType><ResourceStatus>UPDATE_COMPLETE</ResourceStatus></member>"
        )
    });
    let events: String = events.collect();
    format!("<StackEvents>{events}</StackEvents><NextToken>{next}</NextToken>")
}

#[tokio::test]
async fn the_processed_template_of_a_stack_is_read() {
    let replay = Replay::of([query(
        "Action=GetTemplate&Version=2010-05-15&StackName=s&TemplateStage=Processed",
        "GetTemplate",
        "<TemplateBody>{&quot;Resources&quot;: {}}</TemplateBody>",
    )])
    .await;
    let template = replay.aws.template(&StackId::new("s")).await.unwrap();
    assert_eq!(template, r#"{"Resources": {}}"#);
    replay.end();
}

#[tokio::test]
async fn events_are_read_back_to_a_time_and_no_further() {
    let form = "Action=DescribeStackEvents&Version=2010-05-15&StackName=s";
    let replay = Replay::of([
        query(form, "DescribeStackEvents", &events(&[50, 40], "n")),
        query(
            &format!("{form}&NextToken=n"),
            "DescribeStackEvents",
            &events(&[30, 20], "never"),
        ),
    ])
    .await;
    let since = OffsetDateTime::from_unix_timestamp(1_795_315_320 + 25).unwrap();
    let found = replay.aws.events_since(&StackId::new("s"), since).await;
    let ids: Vec<_> = found.unwrap().into_iter().map(|event| event.id).collect();
    assert_eq!(ids, ["50", "40", "30"]);
    replay.end();
}
