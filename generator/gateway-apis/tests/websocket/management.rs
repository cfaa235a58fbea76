//! The management API over plain HTTP (rows K1 to K7 and C11). `tests/http` uses the AWS SDK.

use serde_json::Value;
use stackgen_gateway_common::StageName;

use crate::support::{Client, Reply, Response, Stack, World, signature};

const ROUTES: &[&str] = &["$connect", "$default", "$disconnect"];

/// Sends a request to the management API.
async fn ask(world: &World, method: &str, path: &str, body: &[u8]) -> Response {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\nContent-Length: {}\r\n\r\n",
        signature("ANYBODY"),
        body.len()
    );
    world.raw(&[head.as_bytes(), body].concat()).await
}

/// Connects a client, and returns it with its path in the management API.
async fn connect(world: &World) -> (Client, String) {
    let client = world.connect().await;
    let path = path("prod", &world.functions.event("connect").await);
    (client, path)
}

fn path(stage: &str, event: &Value) -> String {
    let id = event["requestContext"]["connectionId"].as_str().unwrap();
    format!("/{stage}/@connections/{}", id.replace('=', "%3D"))
}

/// Returns the status and the error type of a response.
fn kind(response: &Response) -> (u16, Option<&str>) {
    (response.status, response.header("x-amzn-errortype"))
}

#[tokio::test]
async fn row_k1_a_post_reaches_the_client_as_a_text_message() {
    let world = Stack::with(ROUTES).start().await;
    let (mut client, path) = connect(&world).await;
    assert_eq!(
        ask(&world, "POST", &path, "hör".as_bytes()).await.status,
        200
    );
    assert_eq!(client.text().await, "hör");
    assert_eq!(ask(&world, "POST", &path, b"").await.status, 200);
    assert_eq!(client.text().await, "");
}

#[tokio::test]
async fn row_k2_a_connection_says_since_when_and_for_whom_it_is() {
    let world = Stack::with(ROUTES).start().await;
    let (_client, path) = connect(&world).await;
    let found = ask(&world, "GET", &path, b"").await;
    assert_eq!(found.status, 200);
    let found = found.json();
    for key in ["connectedAt", "lastActiveAt"] {
        let at = found[key].as_str().unwrap();
        assert!(at.contains('T') && at.ends_with('Z'), "{at}");
    }
    assert_eq!(found["identity"]["sourceIp"], "127.0.0.1");
}

#[tokio::test]
async fn row_k3_a_delete_closes_the_client() {
    let mut world = Stack::with(ROUTES).start().await;
    let (mut client, path) = connect(&world).await;
    assert_eq!(ask(&world, "DELETE", &path, b"").await.status, 204);
    let told = client.closed().await;
    assert_eq!(told, Some((1000, "Connection Closed Normally".to_owned())));
    drop(client);
    assert_eq!(world.closed().await.2, "M15");
}

#[tokio::test]
async fn row_k4_a_client_that_left_is_gone() {
    let world = Stack::with(ROUTES).start().await;
    let (mut client, path) = connect(&world).await;
    client.close(None).await;
    world.functions.event("disconnect").await;
    for method in ["POST", "GET", "DELETE"] {
        let gone = ask(&world, method, &path, b"").await;
        assert_eq!(kind(&gone), (410, Some("GoneException")), "{method}");
    }
    let never = ask(
        &world,
        "POST",
        "/prod/@connections/L0SM9cOFvHcCIhw%3D",
        b"x",
    )
    .await;
    assert_eq!(kind(&never), (410, Some("GoneException")));
}

#[tokio::test]
async fn row_k5_another_stage_and_an_id_that_is_encoded_twice_are_forbidden() {
    let stack = Stack::with(ROUTES);
    let world = stack.clone().start().await;
    stack
        .change_stage(|it| it.stage_name = StageName::new("dev"))
        .serve(&world.plane);
    let (mut client, path) = connect(&world).await;
    for wrong in [
        path.replace("/prod/", "/dev/"),
        path.replace("/prod/", "/nosuch/"),
        path.replace("%3D", "%253D"),
    ] {
        let refused = ask(&world, "POST", &wrong, b"x").await;
        assert_eq!(kind(&refused), (403, Some("ForbiddenException")), "{wrong}");
    }
    client.ping().await;
}

#[tokio::test]
async fn row_k6_128_kilobytes_reach_the_client_and_a_byte_more_is_too_large() {
    let world = Stack::with(ROUTES).start().await;
    let (mut client, path) = connect(&world).await;
    let most = vec![b'x'; 128 * 1024];
    assert_eq!(ask(&world, "POST", &path, &most).await.status, 200);
    assert_eq!(client.text().await.len(), most.len());
    let refused = ask(&world, "POST", &path, &[&most[..], b"x"].concat()).await;
    assert_eq!(kind(&refused), (413, Some("PayloadTooLargeException")));
}

#[tokio::test]
async fn row_k7_posts_to_a_client_that_does_not_read_are_refused_until_it_does() {
    let world = Stack::with(ROUTES)
        .start_with(|it| it.limits.client_buffer = 256 * 1024)
        .await;
    let (mut client, path) = connect(&world).await;
    let post = vec![b'x'; 64 * 1024];
    let mut posted = 0;
    let refused = loop {
        let answer = ask(&world, "POST", &path, &post).await;
        if answer.status != 200 {
            break answer;
        }
        posted += 1;
        assert!(posted < 1024, "the buffer has no limit");
    };
    assert_eq!(kind(&refused), (429, Some("LimitExceededException")));
    for _ in 0..posted {
        assert_eq!(client.text().await.len(), post.len());
    }
    assert_eq!(ask(&world, "POST", &path, b"more").await.status, 200);
    assert_eq!(client.text().await, "more");
}

#[tokio::test]
async fn row_c11_a_post_inside_connect_finds_the_connection_gone_and_one_after_it_does_not() {
    let world = Stack::with(ROUTES).start().await;
    let held = Reply::Held(serde_json::json!({"statusCode": 200}));
    world.functions.always("connect", held);
    let (mut client, path) = tokio::join!(world.connect(), async {
        let path = path("prod", &world.functions.event("connect").await);
        let gone = ask(&world, "POST", &path, b"too early").await;
        assert_eq!(kind(&gone), (410, Some("GoneException")));
        world.functions.release(1);
        path
    });
    assert_eq!(ask(&world, "POST", &path, b"in time").await.status, 200);
    assert_eq!(client.text().await, "in time");
}
