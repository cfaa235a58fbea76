//! Authorization (rows A1 to A16).

use serde_json::{Value, json};
use stackgen_gateway_apis::apis::{PlanStage, StoredApiKey};
use stackgen_gateway_common::invoke::{InvocationCaller, InvokeErrorKind};
use stackgen_gateway_common::{ApiId, StageName};

use crate::support::{Reply, TestApi, TestGateway, signature};

const ROUTES: &[&str] = &["$connect", "$disconnect", "send"];
const ARN: &str = "arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/prod/$connect";

fn policy(effect: &str, resource: &str) -> Value {
    json!({
        "principalId": "alice",
        "policyDocument": {"Version": "2012-10-17", "Statement": [
            {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource},
        ]},
    })
}

fn allow_with(context: Value) -> Reply {
    let mut output = policy("Allow", ARN);
    output["context"] = context;
    Reply::Json(output)
}

fn allow() -> Reply {
    Reply::Json(policy("Allow", ARN))
}

/// Refuses a handshake with the authorizer's reply, and returns the status, the row and the reason.
async fn refused(gateway: &mut TestGateway, reply: Reply) -> (u16, &'static str, String) {
    gateway.functions.always("authorize", reply);
    let status = gateway.status("/prod", &[]).await;
    let refusal = gateway.refusal().await;
    assert_eq!(refusal.0, status);
    refusal
}

#[tokio::test]
async fn row_a1_the_authorizer_is_called_once_per_connection() {
    let test_api = TestApi::with(ROUTES).authorizer(&[]);
    let gateway = test_api.clone().start().await;
    gateway.functions.always("authorize", allow());
    let mut client = gateway.connect().await;
    gateway
        .functions
        .always("authorize", Reply::Throw("Unauthorized"));
    client.send(r#"{"action":"send"}"#).await;
    gateway.functions.event("send").await;
    client.close(None).await;
    gateway.functions.event("disconnect").await;
    assert_eq!(gateway.functions.calls("authorize"), 1);
    assert_eq!(gateway.status("/prod", &[]).await, 401);
}

#[tokio::test]
async fn row_a2_a_missing_or_empty_identity_source_is_unauthorized_without_calling_the_authorizer()
{
    let test_api = TestApi::with(ROUTES).authorizer(&[
        "route.request.header.X-Token",
        "route.request.querystring.room",
    ]);
    let mut gateway = test_api.start().await;
    gateway.functions.always("authorize", allow());
    for (target, headers) in [
        ("/prod", vec![]),
        ("/prod?room=1", vec![]),
        ("/prod?room=1", vec![("X-Token", "")]),
        ("/prod?room=", vec![("X-Token", "t")]),
        ("/prod", vec![("X-Token", "t")]),
    ] {
        let refused = gateway.handshake(target, &headers).await.unwrap_err();
        assert_eq!(refused.status, 401, "{target} {headers:?}");
        assert_eq!(refused.json()["message"], "Unauthorized");
        assert_eq!(gateway.refusal().await.1, "A2");
    }
    assert_eq!(gateway.functions.calls("authorize"), 0);
    assert_eq!(gateway.functions.calls("connect"), 0);
    assert_eq!(
        gateway.status("/prod?room=1", &[("x-TOKEN", "t")]).await,
        101
    );
}

#[tokio::test]
async fn row_a2_the_reason_contains_the_source_but_no_value() {
    let test_api = TestApi::with(ROUTES).authorizer(&[
        "route.request.header.Authorization",
        "route.request.querystring.token",
    ]);
    let mut gateway = test_api.start().await;
    gateway
        .status("/prod", &[("Authorization", "Bearer secret")])
        .await;
    let (_, _, reason) = gateway.refusal().await;
    insta::assert_snapshot!(reason, @"identity source route.request.querystring.token is missing or empty; the authorizer was not called");
}

#[tokio::test]
async fn row_a2_headers_that_api_gateway_adds_are_identity_sources_too() {
    let gateway = TestApi::with(&["$connect"])
        .authorizer(&["route.request.header.x-forwarded-proto"])
        .start()
        .await;
    gateway.status("/prod", &[]).await;
    gateway.functions.event("authorize").await;
}

#[tokio::test]
async fn row_a3_context_and_stage_variables_are_identity_sources() {
    let test_api = TestApi::with(ROUTES).authorizer(&[
        "context.connectionId",
        "context.identity.sourceIp",
        "stageVariables.tenant",
    ]);
    let mut gateway = test_api.clone().start().await;
    gateway.functions.always("authorize", allow());
    assert_eq!(gateway.status("/prod", &[]).await, 401);
    assert!(gateway.refusal().await.2.contains("stageVariables.tenant"));
    test_api
        .change_stage(|it| {
            drop(
                it.stage_variables
                    .insert("tenant".to_owned(), "acme".to_owned()),
            )
        })
        .serve(&gateway.plane);
    assert_eq!(gateway.status("/prod", &[]).await, 101);
}

#[tokio::test]
async fn row_a3_the_identity_source_syntax_of_http_apis_is_an_error() {
    let mut gateway = TestApi::with(ROUTES)
        .authorizer(&["$request.header.X"])
        .start()
        .await;
    assert_eq!(gateway.status("/prod", &[("X", "1")]).await, 500);
    assert_eq!(gateway.refusal().await.1, "A3");
    assert_eq!(gateway.functions.calls("authorize"), 0);
}

#[tokio::test]
async fn row_a4_without_identity_sources_the_authorizer_is_always_called() {
    let gateway = TestApi::with(ROUTES).authorizer(&[]).start().await;
    gateway.functions.always("authorize", allow());
    assert_eq!(gateway.status("/prod", &[]).await, 101);
    assert_eq!(gateway.functions.calls("authorize"), 1);
}

#[tokio::test]
async fn row_a5_a_deny_or_another_resource_is_forbidden() {
    let mut gateway = TestApi::with(ROUTES).authorizer(&[]).start().await;
    let other = "arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/prod/*/*";
    for output in [
        policy("Deny", ARN),
        policy("Deny", "*"),
        policy("Allow", other),
    ] {
        let (status, row, _) = refused(&mut gateway, Reply::Json(output)).await;
        assert_eq!((status, row), (403, "A5"));
    }
    let (_, _, reason) = refused(&mut gateway, Reply::Json(policy("Allow", other))).await;
    insta::assert_snapshot!(reason, @"the policy allows arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/prod/*/*, which does not match arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/prod/$connect");
    assert_eq!(gateway.functions.calls("connect"), 0);
}

#[tokio::test]
async fn row_a6_the_error_unauthorized_is_unauthorized() {
    let mut gateway = TestApi::with(ROUTES).authorizer(&[]).start().await;
    let (status, row, _) = refused(&mut gateway, Reply::Throw("Unauthorized")).await;
    assert_eq!((status, row), (401, "A6"));
}

#[tokio::test]
async fn row_a7_any_other_failure_or_bad_output_is_an_internal_error() {
    let mut gateway = TestApi::with(ROUTES).authorizer(&[]).start().await;
    for reply in [
        Reply::Throw("unauthorized"),
        Reply::Throw("Unauthorized "),
        Reply::Throw("no keys"),
        Reply::Json(json!(null)),
        Reply::Json(json!({"isAuthorized": true})),
        Reply::Json(json!({"principalId": "a", "policyDocument": "Allow"})),
        Reply::Bytes(b"not json".to_vec()),
    ] {
        let (status, _, reason) = refused(&mut gateway, reply.clone()).await;
        assert_eq!(status, 500, "{reply:?}");
        assert!(!reason.contains("no keys"), "{reason}");
    }
}

#[tokio::test]
async fn row_a7_a_slow_authorizer_is_an_internal_error() {
    let short = std::time::Duration::from_millis(50);
    let test_api = TestApi::with(ROUTES).authorizer(&[]);
    let mut gateway = test_api
        .start_with(|it| it.limits.integration = short)
        .await;
    let (status, row, _) = refused(&mut gateway, Reply::Hang).await;
    assert_eq!((status, row), (500, "A7"));
}

#[tokio::test]
async fn row_a8_an_output_without_a_principal_is_an_internal_error() {
    let mut gateway = TestApi::with(ROUTES).authorizer(&[]).start().await;
    let mut output = policy("Allow", ARN);
    output.as_object_mut().unwrap().remove("principalId");
    let (status, row, _) = refused(&mut gateway, Reply::Json(output)).await;
    assert_eq!((status, row), (500, "A8"));
}

#[tokio::test]
async fn row_a9_the_context_must_be_scalars_and_the_output_at_most_8_kb() {
    let mut gateway = TestApi::with(ROUTES).authorizer(&[]).start().await;
    for context in [
        json!({"k": {}}),
        json!({"k": [1]}),
        json!({"k": "x".repeat(8192)}),
    ] {
        let (status, row, _) = refused(&mut gateway, allow_with(context)).await;
        assert_eq!((status, row), (500, "A9"));
    }
    gateway
        .functions
        .always("authorize", allow_with(json!({"k": "x".repeat(7000)})));
    assert_eq!(gateway.status("/prod", &[]).await, 101);
}

#[tokio::test]
async fn row_a10_every_event_contains_principal_and_context_as_strings() {
    let gateway = TestApi::with(ROUTES).authorizer(&[]).start().await;
    let context = json!({"role": "speaker", "level": 3, "admin": false, "principalId": "mallory"});
    gateway.functions.always("authorize", allow_with(context));
    let mut client = gateway.connect().await;
    client.send(r#"{"action":"send"}"#).await;
    let message = gateway.functions.event("send").await;
    client.close(None).await;
    for event in [
        gateway.functions.event("connect").await,
        message,
        gateway.functions.event("disconnect").await,
    ] {
        let mut authorizer = event["requestContext"]["authorizer"].clone();
        let latency = authorizer
            .as_object_mut()
            .unwrap()
            .remove("integrationLatency");
        assert!(latency.unwrap().is_u64());
        let expected =
            json!({"principalId": "alice", "role": "speaker", "level": "3", "admin": "false"});
        assert_eq!(authorizer, expected);
    }
}

#[tokio::test]
async fn row_a11_no_result_is_cached() {
    let gateway = TestApi::with(ROUTES)
        .authorizer(&["route.request.querystring.token"])
        .start()
        .await;
    gateway.functions.always("authorize", allow());
    for _ in 0..3 {
        assert_eq!(gateway.status("/prod?token=same", &[]).await, 101);
    }
    assert_eq!(gateway.functions.calls("authorize"), 3);
}

#[tokio::test]
async fn row_a12_simple_responses_are_not_supported() {
    let mut gateway = TestApi::with(ROUTES).authorizer(&[]).start().await;
    let simple = json!({"isAuthorized": true, "context": {}});
    let (status, row, _) = refused(&mut gateway, Reply::Json(simple)).await;
    assert_eq!((status, row), (500, "A8"));
}

#[tokio::test]
async fn row_a13_the_method_arn_is_that_of_the_stages_connect_route() {
    let gateway = TestApi::with(ROUTES).authorizer(&[]).start().await;
    gateway.functions.always("authorize", allow());
    gateway.connect().await;
    assert_eq!(gateway.functions.event("authorize").await["methodArn"], ARN);
}

#[tokio::test]
async fn row_a14_with_aws_iam_an_unsigned_request_is_forbidden() {
    let test_api = TestApi::with(ROUTES).change_route("$connect", |it| {
        it.authorization_type = "AWS_IAM".to_owned()
    });
    let mut gateway = test_api.start().await;
    assert_eq!(gateway.status("/prod", &[]).await, 403);
    assert_eq!(gateway.refusal().await.1, "A14");
    let signed = signature("ANYBODY");
    let signed = [("Authorization", signed.as_str())];
    assert_eq!(gateway.status("/prod", &signed).await, 101);
    let target =
        "/prod?X-Amz-Credential=ANYBODY%2F20240209%2Fus-east-1%2Fexecute-api%2Faws4_request";
    assert_eq!(gateway.status(target, &[]).await, 101);
}

#[tokio::test]
async fn row_a14_the_event_describes_an_identity_of_cognito_that_signed() {
    let test_api = TestApi::with(ROUTES).change_route("$connect", |it| {
        it.authorization_type = "AWS_IAM".to_owned()
    });
    let gateway = test_api.start().await;
    for (key, identity) in [("GUEST", Some("us-east-1:guest")), ("ANYBODY", None)] {
        let signed = signature(key);
        let signed = [("Authorization", signed.as_str())];
        assert_eq!(gateway.status("/prod", &signed).await, 101);
        let event = gateway.functions.event("connect").await;
        let described = &event["requestContext"]["identity"];
        assert_eq!(described["cognitoIdentityId"].as_str(), identity);
        assert_eq!(described["accessKey"].as_str(), identity.map(|_| key));
        assert_eq!(described["sourceIp"], "127.0.0.1");
    }
}

#[tokio::test]
async fn row_a14_without_aws_iam_the_event_does_not_describe_a_caller() {
    let gateway = TestApi::with(ROUTES).start().await;
    let signed = signature("GUEST");
    let signed = [("Authorization", signed.as_str())];
    assert_eq!(gateway.status("/prod", &signed).await, 101);
    let event = gateway.functions.event("connect").await;
    let described = &event["requestContext"]["identity"];
    assert_eq!(described["sourceIp"], "127.0.0.1");
    assert_eq!(described.get("cognitoIdentityId"), None);
    assert_eq!(described.get("accessKey"), None);
}

#[tokio::test]
async fn row_a14_with_aws_iam_a_caller_without_permission_is_forbidden() {
    let test_api = TestApi::with(ROUTES).change_route("$connect", |it| {
        it.authorization_type = "AWS_IAM".to_owned()
    });
    let mut gateway = test_api.start().await;
    let signed = signature("NOBODY");
    let signed = [("Authorization", signed.as_str())];
    assert_eq!(gateway.status("/prod", &signed).await, 403);
    let (_, row, reason) = gateway.refusal().await;
    assert_eq!(row, "A14");
    insta::assert_snapshot!(reason, @"the caller's role does not allow execute-api:Invoke on arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/prod/$connect");
    assert_eq!(gateway.functions.calls("connect"), 0);
}

#[tokio::test]
async fn row_a15_a_missing_api_key_is_forbidden() {
    let test_api = TestApi::with(ROUTES).change_route("$connect", |it| it.api_key_required = true);
    let mut gateway = test_api.start().await;
    for headers in [vec![], vec![("x-api-key", "")]] {
        assert_eq!(gateway.status("/prod", &headers).await, 403);
        assert_eq!(gateway.refusal().await.1, "A15");
    }
    assert_eq!(gateway.status("/prod", &[("X-API-Key", "k")]).await, 101);
}

#[tokio::test]
async fn row_a15_only_an_enabled_key_in_a_plan_of_the_stage_opens_connections() {
    let test_api = TestApi::with(ROUTES).change_route("$connect", |it| it.api_key_required = true);
    let mut gateway = test_api.start().await;
    let keys = gateway.plane.apis.keys();
    let key = |value: &str, enabled| StoredApiKey {
        name: value.to_owned(),
        value: value.to_owned(),
        enabled,
        generated: false,
    };
    for (id, value, enabled) in [
        ("1", "good", true),
        ("2", "off", false),
        ("3", "alone", true),
    ] {
        keys.put_key(id, key(value, enabled));
    }
    let stage = PlanStage {
        api_id: ApiId::new("a1b2c3d4e5"),
        stage: StageName::new("prod"),
    };
    keys.put_plan("plan", vec![stage]);
    keys.add_to_plan("plan", "1");
    keys.add_to_plan("plan", "2");
    for value in ["off", "alone", "unknown", "Good"] {
        assert_eq!(gateway.status("/prod", &[("x-api-key", value)]).await, 403);
        let (status, row, reason) = gateway.refusal().await;
        assert_eq!((status, row), (403, "A15"));
        assert!(
            !reason.contains("unknown") && !reason.contains("Good"),
            "{reason}"
        );
    }
    assert_eq!(gateway.status("/prod", &[("x-api-key", "good")]).await, 101);
}

#[tokio::test]
async fn row_a15_the_authorizer_can_return_the_api_key() {
    let test_api = TestApi::with(ROUTES)
        .change_route("$connect", |it| it.api_key_required = true)
        .change_api(|it| {
            it.api_key_selection_expression = "$context.authorizer.usageIdentifierKey".to_owned();
        });
    let mut gateway = test_api.clone().start().await;
    assert_eq!(gateway.status("/prod", &[("x-api-key", "k")]).await, 403);
    assert_eq!(gateway.refusal().await.1, "A15");
    test_api.authorizer(&[]).serve(&gateway.plane);
    assert_eq!(refused(&mut gateway, allow()).await.1, "A15");
    let mut output = policy("Allow", ARN);
    output["usageIdentifierKey"] = json!("k");
    gateway.functions.always("authorize", Reply::Json(output));
    assert_eq!(gateway.status("/prod", &[]).await, 101);
}

#[tokio::test]
async fn row_a16_a_missing_permission_to_call_the_authorizer_is_an_internal_error() {
    let mut gateway = TestApi::with(ROUTES).authorizer(&[]).start().await;
    let denied = Reply::Unreachable(InvokeErrorKind::AccessDenied);
    let (status, row, _) = refused(&mut gateway, denied).await;
    assert_eq!((status, row), (500, "A16"));
    let (_, caller) = gateway.functions.call("authorize").await;
    let source_arn =
        "arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/authorizers/auth01".to_owned();
    assert_eq!(caller, InvocationCaller::ApiGateway { source_arn });
}

#[tokio::test]
async fn an_undeployed_authorizer_and_an_unknown_authorization_type_fail_closed() {
    let test_api = TestApi::with(ROUTES);
    let change = |kind: &'static str| {
        let test_api = test_api.clone();
        test_api.change_route("$connect", move |it| {
            it.authorization_type = kind.to_owned()
        })
    };
    let gateway = change("CUSTOM").start().await;
    assert_eq!(gateway.status("/prod", &[]).await, 500);
    change("JWT").serve(&gateway.plane);
    assert_eq!(gateway.status("/prod", &[]).await, 500);
    assert_eq!(gateway.functions.calls("connect"), 0);
}
