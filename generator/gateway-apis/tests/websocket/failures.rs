//! Failures that clients can look up.

use serde_json::json;
use stackgen_gateway_common::FailureSubject::{Connection, Handshake, Message};
use stackgen_gateway_common::invoke::InvokeErrorKind;

use crate::support::{Reply, Response, TestApi};

const ROUTES: &[&str] = &["$connect", "$disconnect", "send"];
const ARN: &str = "arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/prod/$connect";

fn request_id(answer: &Response) -> String {
    answer.header("x-amzn-requestid").unwrap().to_owned()
}

fn allow() -> Reply {
    let statement = json!({"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": ARN});
    Reply::Json(json!({
        "principalId": "alice",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }))
}

#[tokio::test]
async fn a_refused_handshake_is_found_by_its_request_and_by_its_connection() {
    let gateway = TestApi::with(ROUTES).authorizer(&[]).start().await;
    gateway.functions.always("authorize", allow());
    let reply = Reply::Json(json!({"statusCode": 404}));
    gateway.functions.always("connect", reply);
    let refused = gateway.handshake("/prod", &[]).await.unwrap_err();
    let found = gateway.plane.failures.find(&request_id(&refused));
    let [failure] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(failure.subject, Handshake);
    assert_eq!((failure.status, failure.row.as_str()), (404, "C5"));
    assert_eq!(failure.reason, "the $connect integration answered 404");
    assert_eq!(failure.message, "Not Found");
    assert_eq!(failure.stage, "prod");
    assert!(failure.deployment_id.is_some());
    assert_eq!(failure.route.as_ref().unwrap(), "$connect");
    assert_eq!(failure.function.as_deref(), Some("connect"));
    let authorizer = failure.authorizer.as_ref().unwrap();
    assert_eq!(authorizer.function.as_deref(), Some("authorize"));
    assert_eq!(authorizer.verdict, "allowed as `alice`");
    let connection = refused.json()["connectionId"].as_str().unwrap().to_owned();
    assert_eq!(gateway.plane.failures.find(&connection), found);
    assert_eq!(gateway.plane.failures.find("other"), []);
}

#[tokio::test]
async fn the_error_of_an_authorizer_is_recorded_and_the_route_is_not_called() {
    let gateway = TestApi::with(ROUTES).authorizer(&[]).start().await;
    let reply = Reply::Throw("no such issuer");
    gateway.functions.always("authorize", reply);
    let refused = gateway.handshake("/prod", &[]).await.unwrap_err();
    let found = gateway.plane.failures.find(&request_id(&refused));
    assert_eq!((found[0].status, found[0].row.as_str()), (500, "A7"));
    assert_eq!(found[0].function, None);
    let error = found[0].error.as_ref().unwrap();
    assert_eq!(error.error_type, "Error");
    assert_eq!(error.message, "no such issuer");
    let authorizer = found[0].authorizer.as_ref().unwrap();
    assert_eq!(
        authorizer.verdict,
        "authorizer: the function failed with Error"
    );
}

#[tokio::test]
async fn a_failure_on_a_missing_stage_has_no_route() {
    let gateway = TestApi::with(ROUTES).start().await;
    let refused = gateway.handshake("/other", &[]).await.unwrap_err();
    let found = gateway.plane.failures.find(&request_id(&refused));
    assert_eq!(found[0].reason, "there is no stage `other`");
    assert_eq!(found[0].row, "C3");
    assert_eq!(found[0].deployment_id, None);
    assert_eq!(found[0].route, None);
    assert_eq!(found[0].authorizer, None);
}

#[tokio::test]
async fn error_frames_are_found_by_handshake_and_by_request() {
    let gateway = TestApi::with(ROUTES).start().await;
    gateway.functions.always("send", Reply::Throw("thrown"));
    let mut client = gateway.connect().await;
    client.send(r#"{"action":"nowhere"}"#).await;
    client.text().await;
    client.send(r#"{"action":"send"}"#).await;
    let frame: serde_json::Value = serde_json::from_str(&client.text().await).unwrap();
    let kind = Reply::Unreachable(InvokeErrorKind::AccessDenied);
    gateway.functions.always("send", kind);
    client.send(r#"{"action":"send"}"#).await;
    client.text().await;
    let found = gateway.plane.failures.find(&request_id(&client.answer));
    let rows: Vec<_> = found.iter().map(|it| it.row.as_str()).collect();
    assert_eq!(rows, ["M3", "M4", "C7"]);
    assert!(found.iter().all(|it| it.subject == Message), "{found:?}");
    assert_eq!((found[0].route.as_ref(), &found[0].function), (None, &None));
    assert_eq!(found[0].message, "Forbidden");
    assert_eq!(found[1].route.as_ref().unwrap(), "send");
    assert_eq!(found[1].function.as_deref(), Some("send"));
    assert_eq!(found[1].error.as_ref().unwrap().message, "thrown");
    assert_eq!(found[2].error, None);
    let one = gateway
        .plane
        .failures
        .find(frame["requestId"].as_str().unwrap());
    assert_eq!(one, found[1..2]);
}

#[tokio::test]
async fn only_a_close_by_the_gateway_is_recorded_and_before_the_client_sees_it() {
    let mut gateway = TestApi::with(ROUTES).start().await;
    let mut client = gateway.connect().await;
    let id = request_id(&client.answer);
    client
        .send_message(tokio_tungstenite::tungstenite::Message::Binary("x".into()))
        .await;
    assert_eq!(client.closed().await.unwrap().0, 1003);
    let found = gateway.plane.failures.find(&id);
    assert_eq!(found[0].subject, Connection);
    assert_eq!((found[0].status, found[0].row.as_str()), (1003, "M10"));
    assert_eq!(found[0].reason, "binary frames are not supported");
    assert_eq!(found[0].message, "Unsupported data");
    gateway.closed().await;
    let mut client = gateway.connect().await;
    let id = request_id(&client.answer);
    client.close(Some((4000, "bye"))).await;
    gateway.closed().await;
    assert_eq!(gateway.plane.failures.find(&id), []);
}

#[tokio::test]
async fn only_the_latest_failures_are_stored() {
    let gateway = TestApi::with(ROUTES).start().await;
    let first = gateway.handshake("/other", &[]).await.unwrap_err();
    let first = request_id(&first);
    let mut client = gateway.connect().await;
    assert_eq!(gateway.plane.failures.find(&first).len(), 1);
    for _ in 0..stackgen_gateway_common::FailureLog::CAPACITY {
        client.send("nowhere").await;
        client.text().await;
    }
    assert_eq!(gateway.plane.failures.find(&first), []);
    let found = gateway.plane.failures.find(&request_id(&client.answer));
    assert_eq!(found.len(), stackgen_gateway_common::FailureLog::CAPACITY);
}
