//! Lambda authorizers and IAM.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};
use stackgen_gateway_apis::apis::{Authorizer, Served};
use stackgen_gateway_common::invoke::Caller;
use stackgen_gateway_common::{ApiId, AuthorizerId, Place, StageName};

use super::{Running, Wiring, by_name, good, refused, thrown};
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
async fn start(change: impl FnOnce(&mut Authorizer), answer: Value) -> Running {
    let mut wiring = Wiring::of(&[]);
    for key in ["GET /a/{id}", "GET /b"] {
        wiring.route(key, |route, _| {
            route.authorization_type = "CUSTOM".to_owned();
            route.authorizer_id = Some(AuthorizerId::new("auth1"));
        });
    }
    wiring.route("GET /one", |route, integration| {
        route.authorization_type = "CUSTOM".to_owned();
        route.authorizer_id = Some(AuthorizerId::new("auth1"));
        integration.payload_format_version = Some("1.0".to_owned());
    });
    let mut authorizer = authorizer("auth1", "REQUEST", &["$request.header.Authorization"]);
    authorizer.authorizer_uri = Some(Place::default().function("auth").invocation_uri());
    authorizer.authorizer_payload_format_version = Some("2.0".to_owned());
    change(&mut authorizer);
    let authorizers = &mut wiring.snapshot.authorizers;
    authorizers.insert(AuthorizerId::new("auth1"), authorizer.into());
    let functions = by_name(move |name| match (name, &answer) {
        ("auth", Value::String(message)) => thrown(message),
        ("auth", answer) => good(answer.clone()),
        _ => good(json!({"statusCode": 200})),
    });
    wiring.start(functions).await
}

fn authorizer_event(running: &Running) -> Value {
    let calls = running.calls.lock().unwrap();
    let mut calls = calls.iter();
    let call = calls.find(|call| call.function.name == "auth").unwrap();
    serde_json::from_slice(&call.payload).unwrap()
}

async fn get(running: &Running, path: &str) -> StatusCode {
    running
        .get_with(path, "authorization", "key")
        .await
        .status()
}

#[tokio::test]
async fn an_allowing_policy_lets_in_and_its_context_reaches_the_function() {
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
    let expected = Caller::ApiGateway {
        source_arn: source_arn.to_owned(),
    };
    assert_eq!(calls[0].caller, expected);
}

#[tokio::test]
async fn a_policy_that_denies_or_is_about_another_route_is_403() {
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
        assert_eq!(running.called(), 1);
    }
}

#[tokio::test]
async fn simple_responses_are_a_word() {
    let simple = |authorizer: &mut Authorizer| authorizer.enable_simple_responses = Some(true);
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
async fn row_a2_a_missing_or_empty_identity_source_is_401_and_nobody_is_asked() {
    let mut running = start(|_| (), policy("Allow", "*")).await;
    let response = running.get("/a/7").await;
    assert_eq!(
        refused(&response),
        (StatusCode::UNAUTHORIZED, r#"{"message":"Unauthorized"}"#)
    );
    let reason = running.told().await.3.unwrap();
    assert_eq!(
        reason,
        "identity source $request.header.Authorization is missing or empty"
    );
    let empty = running.get_with("/a/7", "authorization", "").await;
    assert_eq!(empty.status(), 401);
    assert_eq!(running.called(), 0);
}

#[tokio::test]
async fn identities_are_read_from_queries_variables_and_context() {
    let sources = [
        "$request.querystring.key",
        "$stageVariables.none",
        "$context.routeKey",
    ];
    let with = |count: usize| {
        move |authorizer: &mut Authorizer| {
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
async fn format_1_events_carry_the_identity_as_a_token() {
    let one = |authorizer: &mut Authorizer| {
        authorizer.authorizer_payload_format_version = Some("1.0".to_owned());
    };
    let running = start(one, policy("Allow", "*")).await;
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
async fn results_are_kept_for_the_identity_and_judged_for_every_route() {
    let kept =
        |authorizer: &mut Authorizer| authorizer.authorizer_result_ttl_in_seconds = Some(3600);
    let running = start(kept, policy("Allow", ARN)).await;
    assert_eq!(get(&running, "/a/7").await, 200);
    assert_eq!(get(&running, "/a/7").await, 200);
    assert_eq!(running.called(), 3);
    // The cached policy allows only one route.
    assert_eq!(get(&running, "/b").await, 403);
    assert_eq!(running.called(), 3);
    let other = running.get_with("/a/7", "authorization", "another").await;
    assert_eq!(other.status(), 200);
    assert_eq!(running.called(), 5);
}

#[tokio::test]
async fn results_of_one_stage_are_not_anothers() {
    let by_stage = |authorizer: &mut Authorizer| {
        authorizer.authorizer_result_ttl_in_seconds = Some(3600);
        let function = Place::default().function("${stageVariables.authorizer}");
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
        let served = Served {
            stage: Arc::new(stage),
            snapshot: served.snapshot.clone(),
        };
        running.plane.apis.serve(&api, served);
    }
    assert_eq!(get(&running, "/open/a/7").await, 200);
    assert_eq!(get(&running, "/closed/a/7").await, 500);
}

#[tokio::test]
async fn without_a_time_to_live_the_authorizer_is_asked_each_time() {
    let running = start(|_| (), policy("Allow", ARN)).await;
    get(&running, "/a/7").await;
    get(&running, "/a/7").await;
    assert_eq!(running.called(), 4);
}

#[tokio::test]
async fn an_authorizer_that_fails_or_makes_no_sense_is_500_and_unauthorized_is_401() {
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
async fn a_route_with_iam_wants_a_signature_of_somebody_who_may() {
    let mut wiring = Wiring::of(&[]);
    wiring.route("GET /", |route, _| {
        route.authorization_type = "AWS_IAM".to_owned()
    });
    let running = wiring.returning(json!({"statusCode": 200})).await;
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
