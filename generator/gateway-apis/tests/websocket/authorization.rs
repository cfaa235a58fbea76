//! Authorization (rows A1 to A16).

use serde_json::{Value, json};
use stackgen_gateway_common::invoke::{Caller, InvokeErrorKind};

use crate::support::{Reply, Stack, World, signature};

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
async fn refused(world: &mut World, reply: Reply) -> (u16, &'static str, String) {
    world.functions.always("authorize", reply);
    let status = world.status("/prod", &[]).await;
    let refusal = world.refusal().await;
    assert_eq!(refusal.0, status);
    refusal
}

#[tokio::test]
async fn row_a1_the_authorizer_is_asked_once_and_later_changes_do_not_touch_open_sockets() {
    let stack = Stack::with(ROUTES).authorizer(&[]);
    let world = stack.clone().start().await;
    world.functions.always("authorize", allow());
    let mut client = world.connect().await;
    world
        .functions
        .always("authorize", Reply::Throw("Unauthorized"));
    client.send(r#"{"action":"send"}"#).await;
    world.functions.event("send").await;
    client.close(None).await;
    world.functions.event("disconnect").await;
    assert_eq!(world.functions.calls("authorize"), 1);
    assert_eq!(world.status("/prod", &[]).await, 401);
}

#[tokio::test]
async fn row_a2_a_missing_or_empty_identity_source_is_unauthorized_and_nobody_is_asked() {
    let stack = Stack::with(ROUTES).authorizer(&[
        "route.request.header.X-Token",
        "route.request.querystring.room",
    ]);
    let mut world = stack.start().await;
    world.functions.always("authorize", allow());
    for (target, headers) in [
        ("/prod", vec![]),
        ("/prod?room=1", vec![]),
        ("/prod?room=1", vec![("X-Token", "")]),
        ("/prod?room=", vec![("X-Token", "t")]),
        ("/prod", vec![("X-Token", "t")]),
    ] {
        let refused = world.handshake(target, &headers).await.unwrap_err();
        assert_eq!(refused.status, 401, "{target} {headers:?}");
        assert_eq!(refused.json()["message"], "Unauthorized");
        assert_eq!(world.refusal().await.1, "A2");
    }
    assert_eq!(world.functions.calls("authorize"), 0);
    assert_eq!(world.functions.calls("connect"), 0);
    assert_eq!(world.status("/prod?room=1", &[("x-TOKEN", "t")]).await, 101);
}

#[tokio::test]
async fn row_a2_the_reason_names_the_source_and_no_value() {
    let stack = Stack::with(ROUTES).authorizer(&[
        "route.request.header.Authorization",
        "route.request.querystring.token",
    ]);
    let mut world = stack.start().await;
    world
        .status("/prod", &[("Authorization", "Bearer secret")])
        .await;
    let (_, _, reason) = world.refusal().await;
    insta::assert_snapshot!(reason, @"identity source route.request.querystring.token is missing or empty; the authorizer was not called");
}

#[tokio::test]
async fn row_a3_context_and_stage_variables_are_identity_sources() {
    let stack = Stack::with(ROUTES).authorizer(&[
        "context.connectionId",
        "context.identity.sourceIp",
        "stageVariables.tenant",
    ]);
    let mut world = stack.clone().start().await;
    world.functions.always("authorize", allow());
    assert_eq!(world.status("/prod", &[]).await, 401);
    assert!(world.refusal().await.2.contains("stageVariables.tenant"));
    stack
        .change_stage(|it| {
            drop(
                it.stage_variables
                    .insert("tenant".to_owned(), "acme".to_owned()),
            )
        })
        .serve(&world.plane);
    assert_eq!(world.status("/prod", &[]).await, 101);
}

#[tokio::test]
async fn row_a3_the_syntax_of_http_apis_is_an_error() {
    let mut world = Stack::with(ROUTES)
        .authorizer(&["$request.header.X"])
        .start()
        .await;
    assert_eq!(world.status("/prod", &[("X", "1")]).await, 500);
    assert_eq!(world.refusal().await.1, "A3");
    assert_eq!(world.functions.calls("authorize"), 0);
}

#[tokio::test]
async fn row_a4_without_identity_sources_the_authorizer_is_always_asked() {
    let world = Stack::with(ROUTES).authorizer(&[]).start().await;
    world.functions.always("authorize", allow());
    assert_eq!(world.status("/prod", &[]).await, 101);
    assert_eq!(world.functions.calls("authorize"), 1);
}

#[tokio::test]
async fn row_a5_denied_or_another_resource_is_forbidden() {
    let mut world = Stack::with(ROUTES).authorizer(&[]).start().await;
    let other = "arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/prod/*/*";
    for output in [
        policy("Deny", ARN),
        policy("Deny", "*"),
        policy("Allow", other),
    ] {
        let (status, row, _) = refused(&mut world, Reply::Json(output)).await;
        assert_eq!((status, row), (403, "A5"));
    }
    let (_, _, reason) = refused(&mut world, Reply::Json(policy("Allow", other))).await;
    insta::assert_snapshot!(reason, @"the policy allows arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/prod/*/*, which does not match arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/prod/$connect");
    assert_eq!(world.functions.calls("connect"), 0);
}

#[tokio::test]
async fn row_a6_exactly_unauthorized_is_unauthorized() {
    let mut world = Stack::with(ROUTES).authorizer(&[]).start().await;
    let (status, row, _) = refused(&mut world, Reply::Throw("Unauthorized")).await;
    assert_eq!((status, row), (401, "A6"));
}

#[tokio::test]
async fn row_a7_any_other_failure_or_bad_output_is_an_internal_error() {
    let mut world = Stack::with(ROUTES).authorizer(&[]).start().await;
    for reply in [
        Reply::Throw("unauthorized"),
        Reply::Throw("Unauthorized "),
        Reply::Throw("no keys"),
        Reply::Json(json!(null)),
        Reply::Json(json!({"isAuthorized": true})),
        Reply::Json(json!({"principalId": "a", "policyDocument": "Allow"})),
        Reply::Bytes(b"not json".to_vec()),
    ] {
        let (status, _, reason) = refused(&mut world, reply.clone()).await;
        assert_eq!(status, 500, "{reply:?}");
        assert!(!reason.contains("no keys"), "{reason}");
    }
}

#[tokio::test]
async fn row_a7_an_authorizer_that_takes_too_long_is_an_internal_error() {
    let short = std::time::Duration::from_millis(50);
    let stack = Stack::with(ROUTES).authorizer(&[]);
    let mut world = stack.start_with(|it| it.limits.integration = short).await;
    let (status, row, _) = refused(&mut world, Reply::Hang).await;
    assert_eq!((status, row), (500, "A7"));
}

#[tokio::test]
async fn row_a8_without_a_principal_it_is_an_internal_error() {
    let mut world = Stack::with(ROUTES).authorizer(&[]).start().await;
    let mut output = policy("Allow", ARN);
    output.as_object_mut().unwrap().remove("principalId");
    let (status, row, _) = refused(&mut world, Reply::Json(output)).await;
    assert_eq!((status, row), (500, "A8"));
}

#[tokio::test]
async fn row_a9_context_holds_scalars_and_the_output_eight_kilobytes() {
    let mut world = Stack::with(ROUTES).authorizer(&[]).start().await;
    for context in [
        json!({"k": {}}),
        json!({"k": [1]}),
        json!({"k": "x".repeat(8192)}),
    ] {
        let (status, row, _) = refused(&mut world, allow_with(context)).await;
        assert_eq!((status, row), (500, "A9"));
    }
    world
        .functions
        .always("authorize", allow_with(json!({"k": "x".repeat(7000)})));
    assert_eq!(world.status("/prod", &[]).await, 101);
}

#[tokio::test]
async fn row_a10_every_event_carries_principal_and_context_as_strings() {
    let world = Stack::with(ROUTES).authorizer(&[]).start().await;
    let context = json!({"role": "speaker", "level": 3, "admin": false, "principalId": "mallory"});
    world.functions.always("authorize", allow_with(context));
    let mut client = world.connect().await;
    client.send(r#"{"action":"send"}"#).await;
    let message = world.functions.event("send").await;
    client.close(None).await;
    for event in [
        world.functions.event("connect").await,
        message,
        world.functions.event("disconnect").await,
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
    let world = Stack::with(ROUTES)
        .authorizer(&["route.request.querystring.token"])
        .start()
        .await;
    world.functions.always("authorize", allow());
    for _ in 0..3 {
        assert_eq!(world.status("/prod?token=same", &[]).await, 101);
    }
    assert_eq!(world.functions.calls("authorize"), 3);
}

#[tokio::test]
async fn row_a12_simple_responses_are_not_understood() {
    let mut world = Stack::with(ROUTES).authorizer(&[]).start().await;
    let simple = json!({"isAuthorized": true, "context": {}});
    let (status, row, _) = refused(&mut world, Reply::Json(simple)).await;
    assert_eq!((status, row), (500, "A8"));
}

#[tokio::test]
async fn row_a13_the_method_arn_names_the_stages_connect_route() {
    let world = Stack::with(ROUTES).authorizer(&[]).start().await;
    world.functions.always("authorize", allow());
    world.connect().await;
    assert_eq!(world.functions.event("authorize").await["methodArn"], ARN);
}

#[tokio::test]
async fn row_a14_an_unsigned_request_is_forbidden_under_aws_iam() {
    let stack = Stack::with(ROUTES).change_route("$connect", |it| {
        it.authorization_type = "AWS_IAM".to_owned()
    });
    let mut world = stack.start().await;
    assert_eq!(world.status("/prod", &[]).await, 403);
    assert_eq!(world.refusal().await.1, "A14");
    let signed = signature("ANYBODY");
    let signed = [("Authorization", signed.as_str())];
    assert_eq!(world.status("/prod", &signed).await, 101);
    let target =
        "/prod?X-Amz-Credential=ANYBODY%2F20240209%2Fus-east-1%2Fexecute-api%2Faws4_request";
    assert_eq!(world.status(target, &[]).await, 101);
}

#[tokio::test]
async fn row_a14_a_caller_whose_role_may_not_connect_is_forbidden_under_aws_iam() {
    let stack = Stack::with(ROUTES).change_route("$connect", |it| {
        it.authorization_type = "AWS_IAM".to_owned()
    });
    let mut world = stack.start().await;
    let signed = signature("NOBODY");
    let signed = [("Authorization", signed.as_str())];
    assert_eq!(world.status("/prod", &signed).await, 403);
    let (_, row, reason) = world.refusal().await;
    assert_eq!(row, "A14");
    insta::assert_snapshot!(reason, @"the caller's role does not allow execute-api:Invoke on arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/prod/$connect");
    assert_eq!(world.functions.calls("connect"), 0);
}

#[tokio::test]
async fn row_a15_a_missing_api_key_is_forbidden() {
    let stack = Stack::with(ROUTES).change_route("$connect", |it| it.api_key_required = true);
    let mut world = stack.start().await;
    for headers in [vec![], vec![("x-api-key", "")]] {
        assert_eq!(world.status("/prod", &headers).await, 403);
        assert_eq!(world.refusal().await.1, "A15");
    }
    assert_eq!(world.status("/prod", &[("X-API-Key", "k")]).await, 101);
}

#[tokio::test]
async fn row_a15_the_authorizer_can_give_the_api_key() {
    let stack = Stack::with(ROUTES)
        .change_route("$connect", |it| it.api_key_required = true)
        .change_api(|it| {
            it.api_key_selection_expression = "$context.authorizer.usageIdentifierKey".to_owned();
        });
    let mut world = stack.clone().start().await;
    assert_eq!(world.status("/prod", &[("x-api-key", "k")]).await, 403);
    assert_eq!(world.refusal().await.1, "A15");
    stack.authorizer(&[]).serve(&world.plane);
    assert_eq!(refused(&mut world, allow()).await.1, "A15");
    let mut output = policy("Allow", ARN);
    output["usageIdentifierKey"] = json!("k");
    world.functions.always("authorize", Reply::Json(output));
    assert_eq!(world.status("/prod", &[]).await, 101);
}

#[tokio::test]
async fn row_a16_without_permission_to_call_the_authorizer_it_is_an_internal_error() {
    let mut world = Stack::with(ROUTES).authorizer(&[]).start().await;
    let denied = Reply::Unreachable(InvokeErrorKind::AccessDenied);
    let (status, row, _) = refused(&mut world, denied).await;
    assert_eq!((status, row), (500, "A16"));
    let (_, caller) = world.functions.call("authorize").await;
    let source_arn =
        "arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/authorizers/auth01".to_owned();
    assert_eq!(caller, Caller::ApiGateway { source_arn });
}

#[tokio::test]
async fn an_authorizer_that_is_not_deployed_and_a_type_that_is_none_fail_closed() {
    let stack = Stack::with(ROUTES);
    let change = |kind: &'static str| {
        let stack = stack.clone();
        stack.change_route("$connect", move |it| {
            it.authorization_type = kind.to_owned()
        })
    };
    let world = change("CUSTOM").start().await;
    assert_eq!(world.status("/prod", &[]).await, 500);
    change("JWT").serve(&world.plane);
    assert_eq!(world.status("/prod", &[]).await, 500);
    assert_eq!(world.functions.calls("connect"), 0);
}
