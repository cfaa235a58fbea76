//! Errors of calls.

use serde_json::json;
use stackgen_deploy::{
    Account, AccountError, AccountErrorKind as Kind, ApiId, DeploymentId, FunctionName, StageName,
};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket};

use crate::replay::{Replay, connect, error};

async fn create_error(status: u16, code: &'static str, message: &str) -> AccountError {
    let exchange = error(
        "POST /v2/apis/a1/deployments",
        json!({ "description": "d" }),
        status,
        code,
        message,
    );
    let replay = Replay::of([exchange]).await;
    let failure = replay
        .aws
        .create_deployment(&ApiId::new("a1"), "d")
        .await
        .unwrap_err();
    replay.end();
    failure
}

#[tokio::test]
async fn service_errors_map_to_kinds() {
    let cases = [
        (409, "ConflictException", Kind::Conflict),
        (429, "TooManyRequestsException", Kind::TooManyRequests),
        (404, "NotFoundException", Kind::NotFound),
        (400, "BadRequestException", Kind::Refused),
        (403, "AccessDeniedException", Kind::AccessDenied),
        (403, "ExpiredTokenException", Kind::ExpiredCredentials),
        (403, "UnrecognizedClientException", Kind::NoCredentials),
        (500, "InternalServerErrorException", Kind::Unclear),
        (503, "ServiceUnavailableException", Kind::Unclear),
    ];
    for (status, code, kind) in cases {
        let failure = create_error(status, code, "words").await;
        assert_eq!(
            (failure.kind, failure.to_string().as_str()),
            (kind, "CreateDeployment: words"),
            "{code}"
        );
    }
}

#[tokio::test]
async fn access_denied_names_the_missing_permission() {
    let failure = create_error(
        403,
        "AccessDeniedException",
        "not authorized to perform this",
    )
    .await;
    assert_eq!(
        failure.hint().unwrap(),
        "the caller needs apigateway:POST on /apis/a1/deployments"
    );
    let path = "GET /2015-03-31/functions/f/configuration";
    let denied = error(path, json!(null), 403, "AccessDeniedException", "no");
    let replay = Replay::of([denied]).await;
    let failure = replay
        .aws
        .function(&FunctionName::new("f"), None)
        .await
        .unwrap_err();
    assert_eq!(
        failure.hint().unwrap(),
        "the caller needs lambda:GetFunctionConfiguration on function f"
    );
}

#[tokio::test]
async fn row_d15_the_sdk_repeats_no_throttled_read() {
    let throttled = error(
        "GET /v2/apis",
        json!(null),
        429,
        "TooManyRequestsException",
        "slow down",
    );
    let replay = Replay::of([throttled]).await;
    let failure = replay.aws.apis().await.unwrap_err();
    assert_eq!(failure.kind, Kind::TooManyRequests);
    replay.end();
}

/// Starts a server that closes each connection after the request, and counts requests.
async fn closing_server() -> (String, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            if stream.read(&mut [0; 1024]).await.unwrap_or_default() > 0 {
                counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            }
        }
    });
    (endpoint, count)
}

#[tokio::test]
async fn a_lost_answer_is_unclear_and_the_sdk_repeats_no_call() {
    let (endpoint, count) = closing_server().await;
    let aws = connect(&endpoint).await;
    let failure = aws
        .create_deployment(&ApiId::new("a1"), "d")
        .await
        .unwrap_err();
    assert_eq!(failure.kind, Kind::Unclear, "{failure}");
    let id = DeploymentId::new("d1");
    let failure = aws
        .activate(&ApiId::new("a1"), &StageName::new("s"), &id)
        .await
        .unwrap_err();
    assert_eq!(failure.kind, Kind::Unclear, "{failure}");
    let failure = aws.apis().await.unwrap_err();
    assert_eq!(failure.kind, Kind::Unclear, "{failure}");
    assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_refused_connection_is_unreachable() {
    // Bound but not listening, so that no other process gets the port.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let endpoint = format!("http://{}", socket.local_addr().unwrap());
    let failure = connect(&endpoint)
        .await
        .create_deployment(&ApiId::new("a1"), "d")
        .await
        .unwrap_err();
    assert_eq!(failure.kind, Kind::Unreachable, "{failure}");
}
