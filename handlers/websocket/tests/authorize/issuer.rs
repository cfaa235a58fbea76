//! Tests with issuers that are down, slow, wrong or different.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use stackgen_websocket::OidcKeys;
use stackgen_websocket::authorize::{KeySource, KeySourceError, TokenError, VerifyError};
use stackgen_websocket_testing::{CONFIGURATION_PATH, Issuer, IssuerMode, KEYS_PATH, SigningKey};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};

use crate::world::World;

fn configuration_url(issuer: &Issuer) -> String {
    format!("{}{CONFIGURATION_PATH}", issuer.url())
}

/// Returns the error of a fetch.
async fn failure(issuer: &Issuer) -> KeySourceError {
    let keys = OidcKeys::new(issuer.url()).unwrap();
    keys.fetch().await.map(drop).expect_err("a failure")
}

#[tokio::test]
async fn without_keys_no_token_is_reported_invalid() {
    let world = World::new().await;
    world.issuer.set_mode(IssuerMode::Down);
    let url = configuration_url(&world.issuer);
    let down = Err(VerifyError::Keys(KeySourceError::Status {
        url,
        status: 503,
    }));
    assert_eq!(world.verify(&world.good()).await, down);
    // For a second, all callers get that error, and the issuer gets no request.
    assert_eq!(world.verify(&world.good()).await, down);
    assert_eq!(world.issuer.fetches().configuration, 1);
    // Tokens that are invalid without any key are still refused as such.
    let none = world.token().header("alg", "none").unsigned();
    world.refuses(&none, TokenError::UnsupportedAlgorithm).await;
    world.issuer.set_mode(IssuerMode::Up);
    world.clock.pass(Duration::from_secs(1));
    world.accepts(&world.good()).await;
}

#[tokio::test]
async fn with_cached_keys_the_issuer_may_be_down() {
    let world = World::new().await;
    world.accepts(&world.good()).await;
    world.issuer.set_mode(IssuerMode::Down);
    for _ in 0..3 {
        world.clock.pass(Duration::from_secs(3601));
        world.accepts(&world.good()).await;
        let forged = world.token().signed(&SigningKey::ec("key-1"));
        world.refuses(&forged, TokenError::WrongSignature).await;
    }
    let unknown = world
        .token()
        .header("kid", "key-2")
        .signed(&world.issuer.key());
    world.refuses(&unknown, TokenError::UnknownKey).await;
}

#[tokio::test]
async fn a_rotated_key_is_picked_up() {
    let world = World::new().await;
    let old = world.good();
    world.accepts(&old).await;
    world.issuer.rotate(SigningKey::rsa("key-2"));
    let new = world.good();
    // The minimum time between fetches has not passed.
    world.refuses(&new, TokenError::UnknownKey).await;
    world.clock.pass(Duration::from_secs(30));
    world.accepts(&new).await;
    world.refuses(&old, TokenError::UnknownKey).await;
    // The URL of the keys was known.
    let fetches = world.issuer.fetches();
    assert_eq!((fetches.configuration, fetches.keys), (1, 2));
}

#[tokio::test]
async fn moved_keys_are_found_at_the_next_attempt() {
    let issuer = Issuer::start().await;
    let keys = OidcKeys::new(issuer.url()).unwrap();
    assert!(keys.fetch().await.is_ok());
    issuer.set_mode(IssuerMode::Down);
    let url = format!("{}{KEYS_PATH}", issuer.url());
    let error = keys.fetch().await.map(drop);
    assert_eq!(error, Err(KeySourceError::Status { url, status: 503 }));
    issuer.set_mode(IssuerMode::Up);
    assert!(keys.fetch().await.is_ok());
    assert_eq!(issuer.fetches().configuration, 2);
}

#[tokio::test]
async fn an_issuer_that_does_not_listen_is_unreachable() {
    // Bound but not listening, so that connections are refused and the port stays reserved.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let issuer = format!("http://{}", socket.local_addr().unwrap());
    let keys = OidcKeys::new(issuer.as_str()).unwrap();
    let error = keys.fetch().await.map(drop).expect_err("nobody listens");
    let KeySourceError::Unreachable { url, reason } = error else {
        panic!("another error");
    };
    assert_eq!(url, format!("{issuer}{CONFIGURATION_PATH}"));
    assert!(reason.contains("refused"), "{reason}");
}

#[tokio::test]
async fn an_interrupted_response_is_a_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let keys = OidcKeys::new(issuer.as_str()).unwrap();
    let breaking_off = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _request = stream.read(&mut [0; 1024]).await.unwrap();
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{";
        stream.write_all(head).await.unwrap();
    };
    let (fetched, ()) = tokio::join!(keys.fetch(), breaking_off);
    let error = fetched.map(drop).expect_err("99 bytes are missing");
    assert!(
        matches!(error, KeySourceError::Unreachable { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn an_issuer_that_does_not_speak_tls_is_unreachable() {
    let issuer = Issuer::start().await;
    let https = issuer.url().replace("http://", "https://");
    let keys = OidcKeys::new(https).unwrap();
    let error = keys.fetch().await.map(drop).expect_err("no TLS there");
    assert!(
        matches!(error, KeySourceError::Unreachable { .. }),
        "{error}"
    );
    assert_eq!(issuer.fetches().configuration, 0);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_hangs_times_out_after_three_seconds() {
    let issuer = Issuer::start().await;
    issuer.set_mode(IssuerMode::Silent);
    let error = failure(&issuer).await;
    let expected = KeySourceError::TimedOut {
        issuer: issuer.url().to_owned(),
        milliseconds: 3000,
    };
    assert_eq!(error, expected);
}

#[tokio::test]
async fn an_invocation_that_ends_during_a_fetch_blocks_nobody() {
    let world = World::new().await;
    world.issuer.set_mode(IssuerMode::Silent);
    let good = world.good();
    tokio::select! {
        _ = world.verify(&good) => unreachable!("the issuer is silent"),
        () = world.issuer.asked(1) => {}
    }
    world.issuer.set_mode(IssuerMode::Up);
    let given_up = Err(VerifyError::Keys(KeySourceError::Canceled));
    assert_eq!(world.verify(&good).await, given_up);
    world.clock.pass(Duration::from_secs(1));
    world.accepts(&good).await;
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let issuer = Issuer::start().await;
    let elsewhere = Issuer::start().await;
    issuer.set_mode(IssuerMode::Redirecting(configuration_url(&elsewhere)));
    let url = configuration_url(&issuer);
    let status = 302;
    assert_eq!(
        failure(&issuer).await,
        KeySourceError::Status { url, status }
    );
    assert_eq!(elsewhere.fetches().configuration, 0);
}

#[tokio::test]
async fn only_a_200_is_an_answer() {
    let issuer = Issuer::start().await;
    let configuration = json!({"issuer": issuer.url(), "jwks_uri": issuer.url()}).to_string();
    for status in [StatusCode::CREATED, StatusCode::NOT_FOUND] {
        issuer.set_mode(IssuerMode::Answers(status, configuration.clone()));
        let url = configuration_url(&issuer);
        let status = status.as_u16();
        assert_eq!(
            failure(&issuer).await,
            KeySourceError::Status { url, status }
        );
    }
}

#[tokio::test]
async fn an_answer_over_512_kb_is_not_read() {
    let issuer = Issuer::start().await;
    let padded = |length: usize| {
        let text = json!({"issuer": "https://other.example", "jwks_uri": "x"}).to_string();
        let padding = " ".repeat(length - text.len());
        IssuerMode::Answers(StatusCode::OK, text + &padding)
    };
    let (url, limit) = (configuration_url(&issuer), 512 * 1024);
    issuer.set_mode(padded(limit));
    assert!(matches!(
        failure(&issuer).await,
        KeySourceError::Invalid { .. }
    ));
    issuer.set_mode(padded(limit + 1));
    assert_eq!(
        failure(&issuer).await,
        KeySourceError::TooLarge { url, limit }
    );
}

async fn invalid(issuer: &Issuer, path: &str, hint: &str) {
    let KeySourceError::Invalid { url, reason } = failure(issuer).await else {
        panic!("another error");
    };
    assert_eq!(url, format!("{}{path}", issuer.url()));
    assert!(reason.contains(hint), "{reason}");
}

#[tokio::test]
async fn an_invalid_configuration_is_refused() {
    let issuer = Issuer::start().await;
    for text in [
        "<html>",
        "",
        "{}",
        "[]",
        r#"{"issuer": 7, "jwks_uri": "x"}"#,
    ] {
        issuer.set_mode(IssuerMode::Answers(StatusCode::OK, text.to_owned()));
        invalid(&issuer, CONFIGURATION_PATH, "not an OIDC configuration").await;
    }
}

#[tokio::test]
async fn a_configuration_for_another_issuer_is_refused() {
    let issuer = Issuer::start().await;
    let url = issuer.url();
    for other in ["https://other.example", "", &format!("{url}/")] {
        issuer.configure(json!({"issuer": other, "jwks_uri": format!("{url}{KEYS_PATH}")}));
        invalid(&issuer, CONFIGURATION_PATH, "the configuration is for").await;
    }
    assert_eq!(issuer.fetches().keys, 0);
}

#[tokio::test]
async fn keys_are_fetched_over_https_or_from_loopback() {
    let issuer = Issuer::start().await;
    for jwks_uri in [
        "http://issuer.example/keys",
        "file:///etc/passwd",
        "/keys",
        "",
        "a b",
    ] {
        issuer.configure(json!({"issuer": issuer.url(), "jwks_uri": jwks_uri}));
        invalid(&issuer, CONFIGURATION_PATH, "is not https").await;
    }
    assert_eq!(issuer.fetches().keys, 0);
}

#[tokio::test]
async fn garbage_is_no_key_set() {
    let issuer = Issuer::start().await;
    issuer.publish(json!({"error": "none"}));
    invalid(&issuer, KEYS_PATH, "not a JSON Web Key Set").await;
    issuer.publish(json!({"keys": []}));
    invalid(&issuer, KEYS_PATH, "no signing key").await;
    issuer.publish(json!({"keys": [{"kty": "oct", "kid": "key-1", "k": "c2VjcmV0"}]}));
    invalid(&issuer, KEYS_PATH, "no signing key").await;
}

#[tokio::test]
async fn an_invalid_response_does_not_replace_cached_keys() {
    let world = World::new().await;
    world.accepts(&world.good()).await;
    world.issuer.publish(json!({"keys": []}));
    world.clock.pass(Duration::from_secs(3601));
    world.accepts(&world.good()).await;
    assert_eq!(world.issuer.fetches().keys, 2);
}

#[tokio::test]
async fn a_trailing_slash_of_the_issuer_is_not_doubled() {
    let issuer = Issuer::start().await;
    let slashed = format!("{}/", issuer.url());
    issuer.configure(json!({
        "issuer": slashed,
        "jwks_uri": format!("{}{KEYS_PATH}", issuer.url()),
    }));
    let keys = OidcKeys::new(slashed).unwrap();
    assert!(keys.fetch().await.is_ok());
}
