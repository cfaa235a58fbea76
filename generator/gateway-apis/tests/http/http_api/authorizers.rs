//! Lambda authorizers and IAM.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};
use stackgen_gateway_apis::apis::{ServedStage, StoredAuthorizer};
use stackgen_gateway_common::invoke::InvocationCaller;
use stackgen_gateway_common::{ApiId, ArnScope, AuthorizerId, StageName};

use super::{HttpApiBuilder, RunningApi, by_name, fail, refused, succeed};
use crate::apis::authorizer;

const ARN: &str = "arn:aws:execute-api:us-east-1:000000000000:http1/$default/GET/a/7";

fn policy(effect: &str, resource: &str) -> Value {
    json!({
        "principalId": "alice",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}],
        },
        "context": {"plan": "free", "n": 7, "list": [1]},
    })
}

/// Starts an API whose authorizer returns this value, or fails with this text.
async fn start(change: impl FnOnce(&mut StoredAuthorizer), answer: Value) -> RunningApi {
    let mut builder = HttpApiBuilder::with_routes(&[]);
    for key in ["GET /a/{id}", "GET /b"] {
        builder.route(key, |route, _| {
            route.authorization_type = "CUSTOM".to_owned();
            route.authorizer_id = Some(AuthorizerId::new("auth1"));
        });
    }
    builder.route("GET /one", |route, integration| {
        route.authorization_type = "CUSTOM".to_owned();
        route.authorizer_id = Some(AuthorizerId::new("auth1"));
        integration.payload_format_version = Some("1.0".to_owned());
    });
    let mut authorizer = authorizer("auth1", "REQUEST", &["$request.header.Authorization"]);
    authorizer.authorizer_uri = Some(ArnScope::default().function("auth").invocation_uri());
    authorizer.authorizer_payload_format_version = Some("2.0".to_owned());
    change(&mut authorizer);
    let authorizers = &mut builder.snapshot.authorizers;
    authorizers.insert(AuthorizerId::new("auth1"), authorizer.into());
    let functions = by_name(move |name| match (name, &answer) {
        ("auth", Value::String(message)) => fail(message),
        ("auth", answer) => succeed(answer.clone()),
        _ => succeed(json!({"statusCode": 200})),
    });
    builder.start(functions).await
}

fn authorizer_event(running: &RunningApi) -> Value {
    let calls = running.calls.lock().unwrap();
    let mut calls = calls.iter();
    let call = calls.find(|call| call.function.name == "auth").unwrap();
    serde_json::from_slice(&call.payload).unwrap()
}

async fn get(running: &RunningApi, path: &str) -> StatusCode {
    running
        .get_with(path, "authorization", "key")
        .await
        .status()
}

#[tokio::test]
async fn an_allow_policy_admits_the_request_and_its_context_reaches_the_function() {
    let running = start(|_| (), policy("Allow", ARN)).await;
    assert_eq!(get(&running, "/a/7").await, 200);
    let authorizer = &running.last_event()["requestContext"]["authorizer"];
    let context = json!({"plan": "free", "n": 7, "list": [1]});
    assert_eq!(*authorizer, json!({"lambda": context}));
    let event = authorizer_event(&running);
    assert_eq!(event["type"], "REQUEST");
    assert_eq!(event["routeArn"], ARN);
    assert_eq!(event["identitySource"], json!(["key"]));
    assert_eq!(event["routeKey"], "GET /a/{id}");
    assert_eq!(event["pathParameters"], json!({"id": "7"}));
    assert_eq!(event["headers"]["authorization"], "key");
    assert_eq!(event.get("body"), None);
    let calls = running.calls.lock().unwrap();
    let source_arn = "arn:aws:execute-api:us-east-1:000000000000:http1/authorizers/auth1";
    let expected = InvocationCaller::ApiGateway {
        source_arn: source_arn.to_owned(),
    };
    assert_eq!(calls[0].caller, expected);
}

#[tokio::test]
async fn a_policy_that_does_not_allow_the_route_is_403() {
    for answer in [
        policy("Deny", ARN),
        policy(
            "Allow",
            "arn:aws:execute-api:us-east-1:000000000000:http1/$default/GET/b",
        ),
    ] {
        let running = start(|_| (), answer).await;
        let response = running.get_with("/a/7", "authorization", "key").await;
        assert_eq!(
            refused(&response),
            (StatusCode::FORBIDDEN, r#"{"message":"Forbidden"}"#)
        );
        assert_eq!(running.call_count(), 1);
    }
}

#[tokio::test]
async fn simple_responses_decide_by_is_authorized() {
    let simple =
        |authorizer: &mut StoredAuthorizer| authorizer.enable_simple_responses = Some(true);
    let yes = start(simple, json!({"isAuthorized": true, "context": {"k": "v"}})).await;
    assert_eq!(get(&yes, "/a/7").await, 200);
    let authorizer = &yes.last_event()["requestContext"]["authorizer"];
    assert_eq!(*authorizer, json!({"lambda": {"k": "v"}}));
    let no = start(simple, json!({"isAuthorized": false})).await;
    assert_eq!(get(&no, "/a/7").await, 403);
    let neither = start(simple, policy("Allow", "*")).await;
    assert_eq!(get(&neither, "/a/7").await, 500);
}

#[tokio::test]
async fn row_a2_a_missing_or_empty_identity_source_is_401_without_calling_the_authorizer() {
    let mut running = start(|_| (), policy("Allow", "*")).await;
    let response = running.get("/a/7").await;
    assert_eq!(
        refused(&response),
        (StatusCode::UNAUTHORIZED, r#"{"message":"Unauthorized"}"#)
    );
    let reason = running.next_event().await.3.unwrap();
    assert_eq!(
        reason,
        "identity source $request.header.Authorization is missing or empty"
    );
    let empty = running.get_with("/a/7", "authorization", "").await;
    assert_eq!(empty.status(), 401);
    assert_eq!(running.call_count(), 0);
}

#[tokio::test]
async fn identity_sources_can_be_query_variables_and_context() {
    let sources = [
        "$request.querystring.key",
        "$stageVariables.none",
        "$context.routeKey",
    ];
    let with = |count: usize| {
        move |authorizer: &mut StoredAuthorizer| {
            let sources = [sources[0], sources[2], sources[1]];
            authorizer.identity_source =
                sources[..count].iter().map(|&one| one.to_owned()).collect();
        }
    };
    let running = start(with(2), policy("Allow", "*")).await;
    assert_eq!(running.get("/a/7?key=x").await.status(), 200);
    let identity = &authorizer_event(&running)["identitySource"];
    assert_eq!(*identity, json!(["x", "GET /a/{id}"]));
    let running = start(with(3), policy("Allow", "*")).await;
    assert_eq!(running.get("/a/7?key=x").await.status(), 401);
}

#[tokio::test]
async fn format_1_events_contain_the_identity_as_a_token() {
    let format_1 = |authorizer: &mut StoredAuthorizer| {
        authorizer.authorizer_payload_format_version = Some("1.0".to_owned());
    };
    let running = start(format_1, policy("Allow", "*")).await;
    assert_eq!(get(&running, "/one").await, 200);
    let event = authorizer_event(&running);
    assert_eq!(event["version"], "1.0");
    assert_eq!(event["authorizationToken"], "key");
    assert_eq!(event["identitySource"], "key");
    let arn = "arn:aws:execute-api:us-east-1:000000000000:http1/$default/GET/one";
    assert_eq!(event["methodArn"], arn);
    let authorizer = &running.last_event()["requestContext"]["authorizer"];
    assert_eq!(authorizer["principalId"], "alice");
    assert_eq!(authorizer["plan"], "free");
}

#[tokio::test]
async fn cached_results_are_evaluated_for_every_route() {
    let cached = |authorizer: &mut StoredAuthorizer| {
        authorizer.authorizer_result_ttl_in_seconds = Some(3600)
    };
    let running = start(cached, policy("Allow", ARN)).await;
    assert_eq!(get(&running, "/a/7").await, 200);
    assert_eq!(get(&running, "/a/7").await, 200);
    assert_eq!(running.call_count(), 3);
    // The cached policy allows only one route.
    assert_eq!(get(&running, "/b").await, 403);
    assert_eq!(running.call_count(), 3);
    let other = running.get_with("/a/7", "authorization", "another").await;
    assert_eq!(other.status(), 200);
    assert_eq!(running.call_count(), 5);
}

#[tokio::test]
async fn cached_results_are_separate_per_stage() {
    let by_stage = |authorizer: &mut StoredAuthorizer| {
        authorizer.authorizer_result_ttl_in_seconds = Some(3600);
        let function = ArnScope::default().function("${stageVariables.authorizer}");
        authorizer.authorizer_uri = Some(function.invocation_uri());
    };
    let running = start(by_stage, policy("Allow", "*")).await;
    let api = ApiId::new("http1");
    let served = running.plane.apis.served(&api, "$default").unwrap();
    // Only the function `auth` returns a policy.
    for (name, function) in [("open", "auth"), ("closed", "another")] {
        let mut stage = (*served.stage).clone();
        stage.stage_name = StageName::new(name);
        let variables = &mut stage.stage_variables;
        variables.insert("authorizer".to_owned(), function.to_owned());
        let served = ServedStage {
            stage: Arc::new(stage),
            snapshot: served.snapshot.clone(),
        };
        running.plane.apis.serve(&api, served);
    }
    assert_eq!(get(&running, "/open/a/7").await, 200);
    assert_eq!(get(&running, "/closed/a/7").await, 500);
}

#[tokio::test]
async fn without_a_ttl_the_authorizer_is_called_each_time() {
    let running = start(|_| (), policy("Allow", ARN)).await;
    get(&running, "/a/7").await;
    get(&running, "/a/7").await;
    assert_eq!(running.call_count(), 4);
}

#[tokio::test]
async fn a_failing_or_malformed_authorizer_is_500_and_unauthorized_is_401() {
    for (answer, status) in [
        (json!("Unauthorized"), 401),
        (json!("unauthorized"), 500),
        (json!({"principalId": "alice"}), 500),
        (json!(null), 500),
    ] {
        let running = start(|_| (), answer.clone()).await;
        assert_eq!(get(&running, "/a/7").await, status, "{answer}");
    }
}

#[tokio::test]
async fn a_route_with_iam_requires_a_signature_and_permission() {
    let mut builder = HttpApiBuilder::with_routes(&[]);
    builder.route("GET /", |route, _| {
        route.authorization_type = "AWS_IAM".to_owned()
    });
    let running = builder.returning(json!({"statusCode": 200})).await;
    assert_eq!(running.get("/").await.status(), 403);
    let signed = |key: &str| {
        format!(
            "AWS4-HMAC-SHA256 Credential={key}/20240209/us-east-1/execute-api/aws4_request, SignedHeaders=host, Signature=a"
        )
    };
    let refused = running
        .get_with("/", "authorization", &signed("NOBODY"))
        .await;
    assert_eq!(refused.status(), 403);
    let allowed = running
        .get_with("/", "authorization", &signed("SOMEBODY"))
        .await;
    assert_eq!(allowed.status(), 200);
    let iam = &running.last_event()["requestContext"]["authorizer"]["iam"];
    assert_eq!(iam["accessKey"], "SOMEBODY");
}
