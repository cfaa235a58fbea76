//! Posts to connections through API Gateway's management API.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use bytes::Bytes;
use stackgen_websocket::aws::AwsSettings;
use stackgen_websocket::{
    Broadcaster, ConnectionId, ConnectionProbe, Environment, FanOutOptions, ManagementApi,
    PostError, fan_out,
};
use stackgen_websocket_testing::{ConnectionBehavior, ManagementEndpoint};

fn api(url: &str) -> ManagementApi {
    let mut environment = Environment::new(|name: &str| match name {
        "AWS_REGION" => Some("us-east-1".to_owned()),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("nobody's".to_owned()),
        // The endpoint of all other services; the management API has its own.
        "AWS_ENDPOINT_URL" => Some("http://127.0.0.1:9".to_owned()),
        _ => None,
    });
    let settings = AwsSettings::read(&mut environment);
    let settings = environment.finish(settings).unwrap();
    ManagementApi::new(&settings.sdk_config(), url)
}

async fn post(endpoint: &ManagementEndpoint, id: &str) -> Result<(), PostError> {
    let message = Bytes::from_static(b"hello");
    api(&endpoint.url())
        .post(&ConnectionId::new(id), message)
        .await
}

#[tokio::test]
async fn a_message_reaches_its_connection_signed_and_with_its_id_encoded_once() {
    let endpoint = ManagementEndpoint::start().await;
    for id in ["L0SM9cOFvHcCIhw=", "a/b+c=", "a b%3D"] {
        let posted = post(&endpoint, id).await;
        // API Gateway's IDs contain no `%`, so the endpoint refuses it as a second encoding.
        assert_eq!(posted.is_ok(), !id.contains('%'), "{id}");
        let request = endpoint.requests().pop().unwrap();
        assert_eq!(request.connection_id.as_str(), id);
        assert_eq!(request.stage, "prod");
        assert_eq!(request.body, "hello");
    }
}

#[tokio::test]
async fn a_probe_finds_out_whether_a_connection_is_open() {
    let endpoint = ManagementEndpoint::start().await;
    for (answering, expected) in [
        (ConnectionBehavior::Ok, Ok(())),
        (ConnectionBehavior::Gone, Err(PostError::Gone)),
        (ConnectionBehavior::Busy { times: 1 }, Err(PostError::Busy)),
        (
            ConnectionBehavior::Forbidden,
            Err(PostError::Failed("ForbiddenException (403)".to_owned())),
        ),
    ] {
        let id = ConnectionId::new("c=");
        endpoint.set(&id, answering);
        assert_eq!(api(&endpoint.url()).probe(&id).await, expected);
        let request = endpoint.requests().pop().unwrap();
        assert_eq!((request.method.as_str(), request.body.len()), ("GET", 0));
    }
}

#[tokio::test]
async fn every_status_maps_to_its_error_without_retries() {
    let endpoint = ManagementEndpoint::start().await;
    for (answering, expected) in [
        (ConnectionBehavior::Ok, Ok(())),
        (ConnectionBehavior::Gone, Err(PostError::Gone)),
        (ConnectionBehavior::Busy { times: 1 }, Err(PostError::Busy)),
        (ConnectionBehavior::TooLarge, Err(PostError::TooLarge)),
        (
            ConnectionBehavior::Forbidden,
            Err(PostError::Failed("ForbiddenException (403)".to_owned())),
        ),
        (
            ConnectionBehavior::Failing,
            Err(PostError::Failed(
                "InternalServerErrorException (500)".to_owned(),
            )),
        ),
    ] {
        let before = endpoint.requests().len();
        endpoint.set(&ConnectionId::new("c="), answering);
        assert_eq!(post(&endpoint, "c=").await, expected, "{answering:?}");
        assert_eq!(endpoint.requests().len(), before + 1, "{answering:?}");
    }
}

#[tokio::test]
async fn a_connection_is_closed_once() {
    let endpoint = ManagementEndpoint::start().await;
    let id = ConnectionId::new("c=");
    let api = api(&endpoint.url());
    assert_eq!(api.close(&id).await, Ok(()));
    assert_eq!(endpoint.deleted(), vec![id.clone()]);
    endpoint.set(&id, ConnectionBehavior::Gone);
    assert_eq!(api.close(&id).await, Err(PostError::Gone));
}

#[tokio::test]
async fn an_unreachable_endpoint_has_a_short_error() {
    let endpoint = ManagementEndpoint::start().await;
    let url = endpoint.url();
    drop(endpoint);
    // The port is free as soon as the server has stopped.
    while tokio::net::TcpStream::connect(url["http://".len()..].trim_end_matches("/prod"))
        .await
        .is_ok()
    {
        tokio::task::yield_now().await;
    }
    let posted = api(&url).post(&ConnectionId::new("c="), Bytes::new()).await;
    let Err(PostError::Failed(reason)) = posted else {
        panic!("a failure, not {posted:?}");
    };
    assert!(reason.starts_with("Connection refused"), "{reason}");
}

#[tokio::test]
async fn a_fan_out_reports_reached_and_gone_connections() {
    let endpoint = ManagementEndpoint::start().await;
    let audience: Vec<_> = (0..20)
        .map(|number| ConnectionId::new(format!("{number}=")))
        .collect();
    endpoint.set(&audience[7], ConnectionBehavior::Gone);
    endpoint.set(&audience[8], ConnectionBehavior::Busy { times: 2 });
    endpoint.set(&audience[9], ConnectionBehavior::TooLarge);
    endpoint.set(&audience[10], ConnectionBehavior::Forbidden);
    // No timeout, even on a slow machine.
    let options = FanOutOptions {
        post_timeout: Duration::from_secs(60),
        deadline: Duration::from_secs(60),
        jitter: |_| Duration::ZERO,
        ..FanOutOptions::default()
    };
    let api = api(&endpoint.url());
    let report = fan_out(&api, &audience, Bytes::from_static(b"hello"), &options).await;
    assert_eq!(report.sent, 17);
    assert_eq!(report.gone, [audience[7].clone()]);
    let mut failed = report.failed;
    failed.sort_by(|(one, _), (other, _)| one.cmp(other));
    assert_eq!(
        failed,
        [
            (
                audience[10].clone(),
                PostError::Failed("ForbiddenException (403)".to_owned())
            ),
            (audience[9].clone(), PostError::TooLarge),
        ]
    );
    assert_eq!(endpoint.messages(&audience[8]), ["hello"]);
}
