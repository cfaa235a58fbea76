use super::*;
use crate::server::client::request;

const SIGNED: &str = "authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20240209/us-east-1/execute-api/aws4_request, \
     SignedHeaders=host;x-amz-date, \
     Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\nx-amz-date: 20240209T181143Z\r\n";

async fn send(
    endpoint: &ManagementEndpoint,
    method: &str,
    id: &str,
    headers: &str,
    body: &str,
) -> u16 {
    let path = format!("/prod/@connections/{id}");
    let reply = request(endpoint.server.address(), method, &path, headers, body).await;
    reply.status
}

#[tokio::test]
async fn messages_are_recorded_in_order_under_the_decoded_id() {
    let endpoint = ManagementEndpoint::start().await;
    for body in ["one", "two"] {
        assert_eq!(send(&endpoint, "POST", "a%2Fb%3D", SIGNED, body).await, 200);
    }
    let id = ConnectionId::new("a/b=");
    assert_eq!(endpoint.messages(&id), ["one", "two"]);
    assert_eq!(endpoint.wait_for_messages(&id, 2).await.len(), 2);
    assert_eq!(endpoint.requests()[0].stage, "prod");
}

#[tokio::test]
async fn an_unsigned_request_is_refused() {
    let endpoint = ManagementEndpoint::start().await;
    let other_service = SIGNED.replace("execute-api", "dynamodb");
    let short = SIGNED.replace("0123456789abcdef0123", "0123");
    let no_host = SIGNED.replace("host;", "");
    let no_date = SIGNED.replace("x-amz-date: ", "x-date: ");
    let bearer = SIGNED.replace("AWS4-HMAC-SHA256 ", "Bearer ");
    for headers in ["", &other_service, &short, &no_host, &no_date, &bearer] {
        assert_eq!(
            send(&endpoint, "POST", "a", headers, "x").await,
            403,
            "{headers}"
        );
    }
    assert_eq!(endpoint.messages(&ConnectionId::new("a")).len(), 0);
}

#[tokio::test]
async fn an_id_that_is_encoded_twice_is_refused() {
    let endpoint = ManagementEndpoint::start().await;
    assert_eq!(send(&endpoint, "POST", "a%253D", SIGNED, "x").await, 403);
    assert_eq!(send(&endpoint, "POST", "a%3D", SIGNED, "x").await, 200);
}

#[tokio::test]
async fn a_connection_has_its_behavior_and_others_the_default() {
    let endpoint = ManagementEndpoint::start().await;
    endpoint.set(&ConnectionId::new("gone"), ConnectionBehavior::Gone);
    endpoint.set(&ConnectionId::new("large"), ConnectionBehavior::TooLarge);
    endpoint.set(
        &ConnectionId::new("busy"),
        ConnectionBehavior::Busy { times: 2 },
    );
    endpoint.set_default(ConnectionBehavior::Failing);
    for (id, status) in [
        ("gone", 410),
        ("large", 413),
        ("busy", 429),
        ("busy", 429),
        ("busy", 200),
        ("busy", 200),
        ("other", 500),
    ] {
        assert_eq!(
            send(&endpoint, "POST", id, SIGNED, "x").await,
            status,
            "{id}"
        );
    }
    endpoint.set_default(ConnectionBehavior::Forbidden);
    assert_eq!(send(&endpoint, "POST", "other", SIGNED, "x").await, 403);
    endpoint.set_default(ConnectionBehavior::Slow(Duration::from_millis(1)));
    assert_eq!(send(&endpoint, "POST", "other", SIGNED, "x").await, 200);
}

#[tokio::test]
async fn a_busy_default_counts_per_connection() {
    let endpoint = ManagementEndpoint::start().await;
    endpoint.set_default(ConnectionBehavior::Busy { times: 1 });
    for (id, status) in [("a", 429), ("b", 429), ("a", 200), ("b", 200)] {
        assert_eq!(
            send(&endpoint, "POST", id, SIGNED, "x").await,
            status,
            "{id}"
        );
    }
}

#[tokio::test]
async fn a_message_over_128_kb_is_refused() {
    let endpoint = ManagementEndpoint::start().await;
    let most = "x".repeat(MAX_MESSAGE);
    let more = "x".repeat(MAX_MESSAGE + 1);
    assert_eq!(send(&endpoint, "POST", "a", SIGNED, &most).await, 200);
    assert_eq!(send(&endpoint, "POST", "a", SIGNED, &more).await, 413);
}

#[tokio::test]
async fn get_describes_and_delete_closes() {
    let endpoint = ManagementEndpoint::start().await;
    let path = "/prod/@connections/a";
    let reply = request(endpoint.server.address(), "GET", path, SIGNED, "").await;
    assert_eq!(reply.status, 200);
    let body: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(body["identity"]["sourceIp"], "192.0.2.1");
    assert_eq!(send(&endpoint, "DELETE", "a", SIGNED, "").await, 204);
    assert_eq!(send(&endpoint, "PUT", "a", SIGNED, "").await, 403);
    assert_eq!(endpoint.deleted(), [ConnectionId::new("a")]);
}
