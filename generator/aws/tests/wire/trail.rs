//! Calls that CloudTrail recorded.

use serde_json::{Value as Json, json};
use stackgen_deploy::status::{ChangeTrail, TrailCall};
use stackgen_deploy::{AccountErrorKind, ApiId, OffsetDateTime};

use crate::replay::{Replay, sent};

/// An event of a service, with parts of its record.
fn event(source: &str, record: Json) -> Json {
    json!({
        "EventName": "CreateRoute", "EventSource": source, "EventTime": 1_795_315_372.0, "Username": "alice",
        "CloudTrailEvent": record.to_string(),
    })
}

fn request(token: Option<&str>) -> Json {
    let mut body = json!({
        "LookupAttributes": [{ "AttributeKey": "EventName", "AttributeValue": "CreateRoute" }],
        "StartTime": 1_795_315_000,
        "MaxResults": 50,
    });
    if let Some(token) = token {
        body["NextToken"] = token.into();
    }
    body
}

fn since() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_795_315_000).unwrap()
}

#[tokio::test]
async fn the_calls_of_an_operation_of_api_gateway_that_succeeded_are_read_from_all_pages() {
    let parameters = json!({ "apiId": "a1", "routeKey": "ping" });
    let gateway = "apigateway.amazonaws.com";
    let first = json!({
        "Events": [
            event(gateway, json!({ "requestParameters": parameters })),
            // The same name is an operation of EC2, too.
            event("ec2.amazonaws.com", json!({ "requestParameters": parameters })),
            event(gateway, json!({ "requestParameters": parameters, "errorCode": "ConflictException" })),
        ],
        "NextToken": "more",
    });
    let by_stack = json!({
        "requestParameters": { "apiId": "a1" }, "responseElements": { "deploymentId": "d1" },
        "userIdentity": { "invokedBy": "cloudformation.amazonaws.com" },
    });
    let second = json!({ "Events": [event("apigatewayv2.amazonaws.com", by_stack)] });
    let replay = Replay::of([
        sent("POST /", request(None), 200, first),
        sent("POST /", request(Some("more")), 200, second),
    ])
    .await;
    let found = replay.aws.calls("CreateRoute", since()).await.unwrap();
    let call = TrailCall {
        operation: "CreateRoute".to_owned(),
        at: OffsetDateTime::from_unix_timestamp(1_795_315_372).unwrap(),
        by: "alice".to_owned(),
        api: Some(ApiId::new("a1")),
        route_key: Some("ping".to_owned()),
        deployment: None,
        by_cloudformation: false,
    };
    let by_stack = TrailCall {
        route_key: None,
        deployment: Some("d1".to_owned()),
        by_cloudformation: true,
        ..call.clone()
    };
    assert_eq!(found, [call, by_stack]);
    replay.end();
}

#[tokio::test]
async fn a_denied_lookup_names_the_permission() {
    let denied = json!({ "__type": "AccessDeniedException", "message": "no" });
    let garbled = json!({ "answer": "of another server" });
    let replay = Replay::of([
        sent("POST /", request(None), 400, denied),
        sent("POST /", request(None), 200, garbled),
    ])
    .await;
    let error = replay.aws.calls("CreateRoute", since()).await.unwrap_err();
    assert_eq!(error.kind, AccountErrorKind::AccessDenied);
    assert_eq!(
        error.permission,
        "cloudtrail:LookupEvents on events CreateRoute"
    );
    let error = replay.aws.calls("CreateRoute", since()).await.unwrap_err();
    assert_eq!(error.kind, AccountErrorKind::Garbled);
    replay.end();
}
