//! Connect tickets, from the HTTP API through the authorizer to `$connect`.

use serde_json::{Value, json};
use stackgen_websocket_testing::events::HttpRequest;
use stackgen_websocket_testing::{Function, InvocationResult};

use crate::stack::{AUTHORIZER, CONNECTION, HTTP, Stack, answer, body, socket};

async fn ticket(function: &mut Function, session: &str, user: &str, sent: Option<&str>) -> Value {
    let request = HttpRequest {
        route_key: "POST /sessions/{sessionId}/tickets",
        path: &format!("/sessions/{session}/tickets"),
        path_parameters: &[("sessionId", session)],
        body: sent,
        claims: Some(&[("sub", user)]),
        ..HttpRequest::default()
    };
    answer(function, &request.event()).await
}

fn secret(issued: &Value) -> String {
    assert_eq!(issued["statusCode"], 201, "{issued}");
    body(issued)["ticket"].as_str().unwrap().to_owned()
}

fn is_unauthorized(result: &InvocationResult) -> bool {
    matches!(result, InvocationResult::Error { message, .. } if message == "Unauthorized")
}

/// Returns the event of `$connect` that API Gateway sends after this response of the authorizer.
fn connect(id: &str, allowed: &Value, session: &str, ticket: &str) -> Value {
    let context = allowed["context"].as_object().unwrap();
    let context: Vec<_> = context
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let principal = allowed["principalId"].as_str().unwrap();
    socket(id)
        .authorized(principal, &context)
        .connect(&[("sessionId", session), ("ticket", ticket)], &[])
}

#[tokio::test]
async fn a_ticket_opens_one_connection_in_its_session_and_role() {
    let stack = Stack::start().await;
    let session = stack.session("ada").await;
    let mut http = stack.function(HTTP).await;
    let mut authorizer = stack.function(AUTHORIZER).await;
    let mut connection = stack.function(CONNECTION).await;
    for (user, sent, role) in [
        ("ada", None, "speaker"),
        ("ada", Some(r#"{"role":"listener"}"#), "listener"),
        ("bob", None, "listener"),
    ] {
        let issued = ticket(&mut http, &session, user, sent).await;
        assert_eq!(body(&issued)["role"], role);
        assert_eq!(issued["headers"]["cache-control"], "no-store");
        let secret = secret(&issued);
        let query = [("sessionId", session.as_str()), ("ticket", &secret)];
        let event = socket("YQ==").authorize(&query, &[]);
        let allowed = answer(&mut authorizer, &event).await;
        let context = json!({"userId": user, "tokenUse": "ticket", "ticketSession": session, "ticketRole": role});
        assert_eq!(allowed["context"], context);
        assert_eq!(allowed["principalId"], user);
        // Replayed, it is worthless.
        let replayed = authorizer.invoke(&event).await.unwrap();
        assert!(is_unauthorized(&replayed), "{replayed:?}");
        let event = connect(&format!("{user}-{role}="), &allowed, &session, &secret);
        let connected = answer(&mut connection, &event).await;
        assert_eq!(connected, json!({"statusCode": 200}));
    }
    let records = stack
        .database
        .scan(&stack.database.tables.connections)
        .await;
    let mut roles: Vec<_> = records
        .iter()
        .map(|record| {
            let text = |name: &str| record[name].as_s().unwrap().as_str();
            (text("connectionId"), text("role"))
        })
        .collect();
    roles.sort();
    let expected = [
        ("ada-listener=", "listener"),
        ("ada-speaker=", "speaker"),
        ("bob-listener=", "listener"),
    ];
    assert_eq!(roles, expected);
    for function in [http, authorizer, connection] {
        for line in function.stop().await {
            assert!(!line.contains("ticket\":\""), "a secret in {line}");
        }
    }
}

#[tokio::test]
async fn attacks_with_tickets_are_unauthorized() {
    let stack = Stack::start().await;
    let (mine, other) = (stack.session("ada").await, stack.session("eve").await);
    let mut http = stack.function(HTTP).await;
    let mut authorizer = stack.function(AUTHORIZER).await;
    let secret = secret(&ticket(&mut http, &mine, "ada", None).await);
    let token = stack.issuer.token("ada").signed(&stack.issuer.key());
    let (mine, other) = (mine.as_str(), other.as_str());
    let attacks: [(&str, &[(&str, &str)]); 7] = [
        (
            "other session",
            &[("sessionId", other), ("ticket", &secret)],
        ),
        ("no session", &[("ticket", &secret)]),
        (
            "malformed session",
            &[("sessionId", "x"), ("ticket", &secret)],
        ),
        (
            "two sessions",
            &[
                ("sessionId", mine),
                ("sessionId", other),
                ("ticket", &secret),
            ],
        ),
        (
            "two tickets",
            &[("sessionId", mine), ("ticket", "x"), ("ticket", &secret)],
        ),
        (
            "ticket and token",
            &[("sessionId", mine), ("ticket", &secret), ("token", &token)],
        ),
        ("guessed", &[("sessionId", mine), ("ticket", "guess")]),
    ];
    for (attack, query) in attacks {
        let event = socket("YQ==").authorize(query, &[]);
        let result = authorizer.invoke(&event).await.unwrap();
        assert!(is_unauthorized(&result), "{attack}: {result:?}");
    }
    let not_owner = ticket(&mut http, mine, "eve", Some(r#"{"role":"speaker"}"#)).await;
    assert_eq!(not_owner["statusCode"], 403);
    // None of them used the ticket up.
    let event = socket("YQ==").authorize(&[("sessionId", mine), ("ticket", &secret)], &[]);
    let allowed = answer(&mut authorizer, &event).await;
    assert_eq!(allowed["context"]["ticketRole"], "speaker");
    // An empty ticket counts as none.
    let event = socket("YQ==").authorize(&[("sessionId", mine), ("ticket", "")], &[]);
    let allowed = answer(&mut authorizer, &event).await;
    assert_eq!(allowed["principalId"], "anonymous");
}

#[tokio::test]
async fn wrong_tickets_count_to_the_addresss_limit() {
    let stack = Stack::start().await;
    let session = stack.session("ada").await;
    let mut http = stack.function(HTTP).await;
    let limit = [("WRONG_IDS_PER_HOUR", "3")];
    let mut authorizer = stack.function_with(AUTHORIZER, &limit).await;
    for _ in 0..5 {
        let query = [("sessionId", session.as_str()), ("ticket", "guess")];
        let event = socket("YQ==").authorize(&query, &[]);
        assert!(is_unauthorized(&authorizer.invoke(&event).await.unwrap()));
    }
    let secret = secret(&ticket(&mut http, &session, "ada", None).await);
    let query = [("sessionId", session.as_str()), ("ticket", &secret)];
    let event = socket("YQ==").authorize(&query, &[]);
    // Someone behind the same address has a valid one.
    let allowed = answer(&mut authorizer, &event).await;
    assert_eq!(allowed["context"]["ticketRole"], "speaker");
    let logs = authorizer.stop().await;
    let reasons = |reason: &str| logs.iter().filter(|line| line.contains(reason)).count();
    assert_eq!((reasons("\"invalid\""), reasons("\"tooOften\"")), (3, 2));
}

#[tokio::test]
async fn with_unreachable_tables_a_ticket_is_not_the_callers_fault() {
    let stack = Stack::start().await;
    let (_port, nowhere) = crate::stack::nowhere();
    let unreachable = [("AWS_ENDPOINT_URL_DYNAMODB", nowhere.as_str())];
    let mut authorizer = stack.function_with(AUTHORIZER, &unreachable).await;
    let query = [("sessionId", "a-b-100-k7dq2m9x4hw3t"), ("ticket", "x")];
    let result = authorizer
        .invoke(&socket("YQ==").authorize(&query, &[]))
        .await
        .unwrap();
    assert!(
        matches!(result, InvocationResult::Error { .. }),
        "{result:?}"
    );
    assert!(!is_unauthorized(&result));
}
