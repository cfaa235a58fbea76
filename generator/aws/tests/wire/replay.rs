//! A server that expects requests in order, and sends the answers of a script.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value as Json;
use stackgen_aws::{AccessKey, AccessOptions, Aws};

/// An expected request, and the answer.
pub(crate) struct Exchange {
    /// `GET /v2/apis?nextToken=x`.
    pub(crate) request: &'static str,
    /// The expected body; `Null` for none.
    pub(crate) body: Json,
    pub(crate) status: u16,
    /// `x-amzn-ErrorType`.
    pub(crate) error: Option<&'static str>,
    pub(crate) answer: String,
}

/// An exchange without a body whose answer is JSON.
pub(crate) fn get(request: &'static str, answer: Json) -> Exchange {
    sent(request, Json::Null, 200, answer)
}

pub(crate) fn sent(request: &'static str, body: Json, status: u16, answer: Json) -> Exchange {
    let answer = if answer.is_null() {
        String::new()
    } else {
        answer.to_string()
    };
    Exchange {
        request,
        body,
        status,
        error: None,
        answer,
    }
}

/// An exchange whose answer is an error of the service.
pub(crate) fn error(
    request: &'static str,
    body: Json,
    status: u16,
    code: &'static str,
    message: &str,
) -> Exchange {
    let answer = serde_json::json!({ "message": message }).to_string();
    Exchange {
        request,
        body,
        status,
        error: Some(code),
        answer,
    }
}

/// GetCallerIdentity, the first call of every description.
pub(crate) fn identity() -> Exchange {
    Exchange {
        request: "POST /",
        body: Json::from("Action=GetCallerIdentity&Version=2011-06-15"),
        status: 200,
        error: None,
        answer: "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
                 <Arn>arn:aws:sts::123456789012:assumed-role/deployer/me</Arn><UserId>AROA:me</UserId>\
                 <Account>123456789012</Account></GetCallerIdentityResult><ResponseMetadata>\
                 <RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
            .to_owned(),
    }
}

struct Script {
    left: VecDeque<Exchange>,
    unexpected: Vec<String>,
}

impl Script {
    async fn serve(
        exchanges: impl IntoIterator<Item = Exchange>,
    ) -> (SocketAddr, Arc<Mutex<Script>>) {
        let left = exchanges.into_iter().collect();
        let script = Arc::new(Mutex::new(Script {
            left,
            unexpected: Vec::new(),
        }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (address, script)
    }
}

pub(crate) struct Replay {
    pub(crate) aws: Aws,
    script: Arc<Mutex<Script>>,
}

impl Replay {
    pub(crate) async fn of(exchanges: impl IntoIterator<Item = Exchange>) -> Replay {
        let (address, script) = Script::serve(exchanges).await;
        Replay {
            aws: connect(&format!("http://{address}")).await,
            script,
        }
    }

    /// Connects with these options to a server behind them. `options` gets the server's address.
    pub(crate) async fn behind(
        exchanges: impl IntoIterator<Item = Exchange>,
        options: impl AsyncFnOnce(SocketAddr) -> AccessOptions,
    ) -> Replay {
        let (address, script) = Script::serve(exchanges).await;
        let aws = Aws::connect(&options(address).await).await.unwrap();
        Replay { aws, script }
    }

    /// Asserts that all expected requests came, and no others.
    pub(crate) fn end(self) {
        let script = self.script.lock().unwrap();
        assert_eq!(script.unexpected, Vec::<String>::new());
        let left: Vec<_> = script
            .left
            .iter()
            .map(|exchange| exchange.request)
            .collect();
        assert_eq!(left, Vec::<&str>::new(), "these did not come");
    }
}

pub(crate) async fn connect(endpoint: &str) -> Aws {
    Aws::connect(&options(endpoint)).await.unwrap()
}

pub(crate) fn options(endpoint: &str) -> AccessOptions {
    AccessOptions {
        region: Some("us-east-1".to_owned()),
        endpoint_url: Some(endpoint.to_owned()),
        access_key: Some(AccessKey {
            id: "AKID".to_owned(),
            secret: "secret".to_owned(),
        }),
        ..AccessOptions::default()
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let sent = serde_json::from_str(&text).unwrap_or(match text.as_str() {
        "" => Json::Null,
        text => Json::from(text),
    });
    let line = format!("{} {}", head.method, head.uri);
    let mut script = script.lock().unwrap();
    let next = script.left.pop_front();
    let Some(next) = next.filter(|next| next.request == line && next.body == sent) else {
        script.unexpected.push(format!("{line} {sent}"));
        return StatusCode::IM_A_TEAPOT.into_response();
    };
    assert!(
        head.headers["authorization"]
            .to_str()
            .unwrap()
            .starts_with("AWS4-HMAC-SHA256 Credential=AKID/")
    );
    let mut response = Response::builder().status(next.status);
    if let Some(error) = next.error {
        response = response.header("x-amzn-ErrorType", error);
    }
    response.body(Body::from(next.answer)).unwrap()
}
