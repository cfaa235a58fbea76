//! Tests of the binaries, run as Lambda runs them.

use serde_json::{Value, json};
use stackgen_websocket_testing::events::Socket;
use stackgen_websocket_testing::{Function, InvocationResult, Issuer};

use crate::world::{TABLE, World, socket};

#[tokio::test]
async fn the_handler_answers_on_its_routes_and_logs_neither_texts_nor_tokens() {
    let world = World::new().await;
    let endpoint = world.management.url();
    let environment = [
        ("AWS_ENDPOINT_URL_DYNAMODB", world.database.as_str()),
        ("LOG_LEVEL", "debug"),
        ("MANAGEMENT_ENDPOINT", endpoint.as_str()),
        ("ROOMS_TABLE", TABLE),
    ];
    let binary = env!("CARGO_BIN_EXE_chat-handler");
    let mut function = Function::start(binary, &environment).await.unwrap();
    let (anna, ben) = (socket("anna"), socket("ben"));
    let say = r#"{"action":"sendMessage","room":"lobby","text":"A secret"}"#;
    let join = r#"{"action":"joinRoom","room":"lobby"}"#;
    for (event, answer) in [
        (anna.connect(&[("token", "eyJ")], &[]), Value::Null),
        (
            anna.message("joinRoom", join),
            json!({"type": "joinedRoom", "room": "lobby"}),
        ),
        (
            ben.message("joinRoom", join),
            json!({"type": "joinedRoom", "room": "lobby"}),
        ),
        (
            anna.message("sendMessage", say),
            json!({"type": "messageSent", "room": "lobby", "delivered": 1}),
        ),
        (ben.disconnect(1001, ""), Value::Null),
    ] {
        let reply = function.invoke(&event).await.unwrap().response();
        assert_eq!(reply["statusCode"], 200);
        let body = reply
            .get("body")
            .map(|body| serde_json::from_str(body.as_str().unwrap()).unwrap());
        assert_eq!(
            body.unwrap_or(Value::Null),
            answer,
            "{:#?}",
            function.logs()
        );
    }
    assert_eq!(world.received(&ben)[0]["text"], "A secret");
    let logs = function.stop().await.join("\n");
    assert!(!logs.contains("secret") && !logs.contains("eyJ"), "{logs}");
}

#[tokio::test]
async fn a_missing_variable_is_told_before_any_event() {
    let binary = env!("CARGO_BIN_EXE_chat-handler");
    let mut function = Function::start(binary, &[]).await.unwrap();
    let exited = function.exited().await;
    assert_eq!(exited.code, Some(1));
    let logs = exited.logs.join("\n");
    assert!(
        logs.contains("ROOMS_TABLE") && logs.contains("MANAGEMENT_ENDPOINT"),
        "{logs}"
    );
}

#[tokio::test]
async fn the_authorizer_lets_in_who_brings_a_token_of_the_issuer() {
    let issuer = Issuer::start().await;
    let environment = [
        ("AUTHORIZER_CALLERS", "authenticated"),
        ("JWT_AUDIENCE", Issuer::AUDIENCE),
        ("JWT_ISSUER", issuer.url()),
    ];
    let binary = env!("CARGO_BIN_EXE_chat-authorizer");
    let mut function = Function::start(binary, &environment).await.unwrap();
    let socket = Socket::new("L0SM9cOFvHcCIhw=");

    let token = issuer.token("anna").signed(&issuer.key());
    let let_in = function
        .invoke(&socket.authorize(&[("token", &token)], &[]))
        .await
        .unwrap();
    let let_in = let_in.response();
    assert_eq!(
        let_in["context"],
        json!({"userId": "anna", "tokenUse": "id"})
    );
    let statement = &let_in["policyDocument"]["Statement"][0];
    assert_eq!(statement["Resource"], json!([socket.method_arn()]));

    for query in [[("token", "forged")], [("sessionId", "none")]] {
        let refused = function
            .invoke(&socket.authorize(&query, &[]))
            .await
            .unwrap();
        let InvocationResult::Error { message, .. } = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(message, "Unauthorized");
    }
    let logs = function.stop().await.join("\n");
    assert!(
        logs.contains("Token validated") && !logs.contains(&token),
        "{logs}"
    );
}

#[tokio::test]
async fn the_authorizer_lets_in_who_brings_no_token_only_where_callers_are_mixed() {
    let issuer = Issuer::start().await;
    let binary = env!("CARGO_BIN_EXE_chat-authorizer");
    let asked = Socket::new("L0SM9cOFvHcCIhw=").authorize(&[], &[]);
    for (callers, let_in) in [("mixed", true), ("authenticated", false), ("", false)] {
        let environment = [
            ("AUTHORIZER_CALLERS", callers),
            ("JWT_AUDIENCE", Issuer::AUDIENCE),
            ("JWT_ISSUER", issuer.url()),
        ];
        let mut function = Function::start(binary, &environment).await.unwrap();
        let answer = function.invoke(&asked).await.unwrap();
        assert_eq!(
            matches!(answer, InvocationResult::Response(_)),
            let_in,
            "{callers:?}: {answer:?}"
        );
    }
}
