//! Tests of the HTTP API.

use serde_json::{Value, json};
use stackgen_websocket_testing::Function;
use stackgen_websocket_testing::events::HttpRequest;

use crate::stack::{HTTP, Stack, answer, body};

async fn create(function: &mut Function, sent: &str) -> Value {
    let request = HttpRequest {
        route_key: "POST /sessions",
        path: "/sessions",
        body: Some(sent),
        claims: Some(&[("sub", "ada")]),
        ..HttpRequest::default()
    };
    answer(function, &request.event()).await
}

async fn ask(
    function: &mut Function,
    method: &str,
    id: &str,
    user: Option<&str>,
    sent: Option<&str>,
) -> Value {
    let claims = user.map(|user| [("sub", user)]);
    let request = HttpRequest {
        route_key: &format!("{method} /sessions/{{sessionId}}"),
        path: &format!("/sessions/{id}"),
        path_parameters: &[("sessionId", id)],
        body: sent,
        claims: claims.as_ref().map(|claims| &claims[..]),
        ..HttpRequest::default()
    };
    answer(function, &request.event()).await
}

#[tokio::test]
async fn a_session_is_created_shown_paused_resumed_and_ended() {
    let stack = Stack::start().await;
    let mut function = stack.function(HTTP).await;
    let created = create(
        &mut function,
        r#"{"sourceLanguage":"en","qualityTier":"premium"}"#,
    )
    .await;
    assert_eq!(created["statusCode"], 201);
    assert_eq!(created["headers"]["content-type"], "application/json");
    let id = body(&created)["sessionId"].as_str().unwrap().to_owned();
    let public =
        json!({"sessionId": id, "sourceLanguage": "en", "status": "active", "listenerCount": 0});
    assert_eq!(
        body(&ask(&mut function, "GET", &id, None, None).await),
        public
    );
    for status in ["paused", "active", "active"] {
        let sent = json!({"status": status}).to_string();
        let changed = ask(&mut function, "PATCH", &id, Some("ada"), Some(&sent)).await;
        assert_eq!(
            (&changed["statusCode"], &body(&changed)["status"]),
            (&json!(200), &json!(status))
        );
    }
    for _ in 0..2 {
        assert_eq!(
            ask(&mut function, "DELETE", &id, Some("ada"), None).await["statusCode"],
            204
        );
    }
    assert_eq!(
        body(&ask(&mut function, "GET", &id, None, None).await)["status"],
        "ended"
    );
    let reopened = ask(
        &mut function,
        "PATCH",
        &id,
        Some("ada"),
        Some(r#"{"status":"active"}"#),
    )
    .await;
    assert_eq!(
        (&reopened["statusCode"], &body(&reopened)["error"]["code"]),
        (&json!(409), &json!("SESSION_NOT_ACTIVE"))
    );
}

#[tokio::test]
async fn only_the_owner_changes_a_session() {
    let stack = Stack::start().await;
    let id = stack.session("ada").await;
    let mut function = stack.function(HTTP).await;
    for (method, sent) in [("PATCH", Some(r#"{"status":"paused"}"#)), ("DELETE", None)] {
        let refused = ask(&mut function, method, &id, Some("eve"), sent).await;
        assert_eq!(
            (&refused["statusCode"], &body(&refused)["error"]["code"]),
            (&json!(403), &json!("NOT_OWNER"))
        );
        let nobody = ask(&mut function, method, &id, None, sent).await;
        assert_eq!(nobody["statusCode"], 401);
        let missing = ask(
            &mut function,
            method,
            "no-where-100-k7dq2m9x4hw3t",
            Some("ada"),
            sent,
        )
        .await;
        assert_eq!(missing["statusCode"], 404);
    }
    assert_eq!(
        body(&ask(&mut function, "GET", &id, None, None).await)["status"],
        "active"
    );
}

#[tokio::test]
async fn invalid_requests_are_explained() {
    let stack = Stack::start().await;
    let id = stack.session("ada").await;
    let mut function = stack.function(HTTP).await;
    let long = format!(r#"{{"sourceLanguage":"en","x":"{}"}}"#, "x".repeat(5000));
    let wrong = [
        ("", 400),
        ("{", 400),
        ("{}", 400),
        (r#"{"sourceLanguage":"English"}"#, 400),
        (r#"{"sourceLanguage":"en","qualityTier":"best"}"#, 400),
        (r#"{"sourceLanguage":"en","more":1}"#, 400),
        (long.as_str(), 413),
    ];
    for (sent, status) in wrong {
        let refused = create(&mut function, sent).await;
        assert_eq!(refused["statusCode"], status, "{sent}");
        assert!(body(&refused)["error"]["message"].is_string());
    }
    let refused = ask(
        &mut function,
        "PATCH",
        &id,
        Some("ada"),
        Some(r#"{"status":"ended"}"#),
    )
    .await;
    assert_eq!(refused["statusCode"], 400);
    for id in ["no-where-100-k7dq2m9x4hw3t", "not-an-id", "%2e%2e"] {
        assert_eq!(
            ask(&mut function, "GET", id, None, None).await["statusCode"],
            404
        );
    }
    let lost = HttpRequest {
        route_key: "GET /elsewhere",
        path: "/elsewhere",
        ..HttpRequest::default()
    };
    assert_eq!(
        answer(&mut function, &lost.event()).await["statusCode"],
        404
    );
    let health = answer(&mut function, &HttpRequest::default().event()).await;
    assert_eq!(
        (&health["statusCode"], body(&health)),
        (&json!(200), json!({"status": "ok"}))
    );
}

#[tokio::test]
async fn the_fifty_first_session_in_an_hour_is_429() {
    let stack = Stack::start().await;
    let mut function = stack.function(HTTP).await;
    let sent = r#"{"sourceLanguage":"en"}"#;
    let mut created = 0;
    let refused = loop {
        let answer = create(&mut function, sent).await;
        if answer["statusCode"] != 201 {
            break answer;
        }
        created += 1;
        // There is another token every 72 seconds.
        assert!(created < 60);
    };
    assert_eq!(refused["statusCode"], 429);
    assert!(created >= 50, "{created}");
    let after: u64 = refused["headers"]["retry-after"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=72).contains(&after), "{after}");
}

#[tokio::test]
async fn while_the_rate_limit_table_fails_sessions_are_created_only_if_set() {
    let stack = Stack::start().await;
    let missing = ("RATE_LIMITS_TABLE", "there-is-no-such-table");
    let sent = r#"{"sourceLanguage":"en"}"#;
    let mut closed = stack.function_with(HTTP, &[missing]).await;
    let refused = create(&mut closed, sent).await;
    assert_eq!(
        (&refused["statusCode"], &refused["headers"]["retry-after"]),
        (&json!(503), &json!("1"))
    );
    let mut open = stack
        .function_with(HTTP, &[missing, ("RATE_LIMIT_FAILURE", "open")])
        .await;
    assert_eq!(create(&mut open, sent).await["statusCode"], 201);
}

#[tokio::test]
async fn guessing_session_ids_over_http_is_stopped_at_the_limit() {
    let stack = Stack::start().await;
    let id = stack.session("ada").await;
    let few = [("WRONG_IDS_PER_HOUR", "5")];
    let mut function = stack.function_with(HTTP, &few).await;
    for _ in 0..5 {
        let missing = ask(
            &mut function,
            "GET",
            "no-where-100-k7dq2m9x4hw3t",
            None,
            None,
        )
        .await;
        assert_eq!(missing["statusCode"], 404);
    }
    for id in ["no-where-100-k7dq2m9x4hw3t", id.as_str()] {
        let refused = ask(&mut function, "GET", id, None, None).await;
        assert_eq!(refused["statusCode"], 429, "{id}");
        assert!(refused["headers"]["retry-after"].is_string());
    }
    let counted = function.stop().await;
    let wrong = counted
        .iter()
        .filter(|line| line.contains("\"WrongIds\":1"));
    assert_eq!(wrong.count(), 5);
}

#[tokio::test]
async fn tokens_of_the_kind_that_connections_refuse_are_refused() {
    let stack = Stack::start().await;
    // Headers of tokens that API Gateway has verified: {"alg":"RS256","typ":"at+jwt"}, {"alg":"RS256"}, and one with the type
    // "logout+jwt".
    let access = "Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2ln";
    let unspecified = "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln";
    let neither = "Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6ImxvZ291dCtqd3QifQ.e30.c2ln";
    type Case = (&'static str, Option<&'static str>, &'static str, u16);
    let cases: [Case; 10] = [
        ("id", Some("access"), unspecified, 401),
        ("id", Some("id"), unspecified, 201),
        ("id", None, access, 401),
        ("id", None, unspecified, 201),
        ("access", Some("id"), unspecified, 401),
        ("access", Some("access"), unspecified, 201),
        ("access", None, access, 201),
        ("access", None, unspecified, 201),
        ("id", None, neither, 401),
        ("access", Some("access"), neither, 401),
    ];
    for (expected, token_use, authorization, status) in cases {
        let other = [("JWT_TOKEN_USE", expected)];
        let mut function = stack.function_with(HTTP, &other).await;
        let mut claims = vec![("sub", "ada")];
        claims.extend(token_use.map(|token_use| ("token_use", token_use)));
        let request = HttpRequest {
            route_key: "POST /sessions",
            path: "/sessions",
            headers: &[("authorization", authorization)],
            body: Some(r#"{"sourceLanguage":"en"}"#),
            claims: Some(&claims),
            ..HttpRequest::default()
        };
        let answer = answer(&mut function, &request.event()).await;
        assert_eq!(
            answer["statusCode"], status,
            "{expected} {token_use:?}: {answer}"
        );
        if status == 401 {
            assert_eq!(body(&answer)["error"]["code"], "WRONG_TOKEN_USE");
        }
    }
}

#[tokio::test]
async fn a_repeated_request_with_a_key_creates_one_session() {
    let stack = Stack::start().await;
    let mut function = stack.function(HTTP).await;
    let mut create = async |key: &str, sent: &str| {
        let request = HttpRequest {
            route_key: "POST /sessions",
            path: "/sessions",
            headers: &[("idempotency-key", key)],
            body: Some(sent),
            claims: Some(&[("sub", "ada")]),
            ..HttpRequest::default()
        };
        answer(&mut function, &request.event()).await
    };
    let (english, german) = (r#"{"sourceLanguage":"en"}"#, r#"{"sourceLanguage":"de"}"#);
    let first = create("k1", english).await;
    assert_eq!(first["statusCode"], 201);
    assert_eq!(body(&create("k1", english).await), body(&first));
    let other = create("k2", english).await;
    assert_ne!(body(&other)["sessionId"], body(&first)["sessionId"]);
    let reused = create("k1", german).await;
    let code = &body(&reused)["error"]["code"];
    assert_eq!(
        (&reused["statusCode"], code),
        (&json!(409), &json!("KEY_REUSED"))
    );
    for key in ["", "with space", &"x".repeat(129)] {
        assert_eq!(create(key, english).await["statusCode"], 400, "{key}");
    }
    let sessions = stack.database.scan(&stack.database.tables.sessions).await;
    assert_eq!(sessions.len(), 2);
}
