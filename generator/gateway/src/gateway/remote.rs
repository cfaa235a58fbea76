//! Client for the private routes of a running gateway.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use stackgen_gateway_common::FailureRecord;
use stackgen_gateway_stack::{ApplyResult, StackTemplate, TemplateProblem};
use thiserror::Error;
use tokio::net::TcpStream;

use super::GatewayState;
use super::requests::{FailureLookup, KEY_HEADER, KeyRotation, ScheduleRun, TokenRequest};

/// A gateway that runs in another process.
#[derive(Clone)]
pub struct RemoteGateway {
    authority: String,
    key: String,
}

/// Reason why a call to a running gateway failed.
#[derive(Debug, Error)]
pub enum RemoteError {
    /// The gateway does not answer.
    #[error("the local gateway at {0} does not answer: {1}")]
    NoAnswer(String, String),
    /// The gateway refuses the call, with a message.
    #[error("the local gateway refuses: {0}")]
    Refused(String),
    /// The template has problems.
    #[error("the template cannot be applied")]
    Problems(Vec<TemplateProblem>),
}

impl RemoteGateway {
    /// Creates a client for a control endpoint, `http://127.0.0.1:{port}`, and its key.
    pub fn new(endpoint: &str, key: impl Into<String>) -> Self {
        let authority = endpoint.strip_prefix("http://").unwrap_or(endpoint);
        RemoteGateway {
            authority: authority.to_owned(),
            key: key.into(),
        }
    }

    /// Returns the endpoints and stages of all APIs.
    ///
    /// # Errors
    ///
    /// If the gateway does not answer.
    pub async fn state(&self) -> Result<GatewayState, RemoteError> {
        self.call(Method::GET, "/_stackgen/state", &()).await
    }

    /// Makes the gateway's account match a template.
    ///
    /// # Errors
    ///
    /// If the gateway does not answer, or all problems of the template.
    pub async fn apply(&self, template: &StackTemplate) -> Result<ApplyResult, RemoteError> {
        self.call(Method::POST, "/_stackgen/apply", template).await
    }

    /// Mints a token.
    ///
    /// # Errors
    ///
    /// If the gateway does not answer, or has no key.
    pub async fn mint(&self, tokens: &TokenRequest) -> Result<String, RemoteError> {
        let minted: Json = self.call(Method::POST, "/_stackgen/tokens", tokens).await?;
        Ok(minted["token"].as_str().unwrap_or_default().to_owned())
    }

    /// Creates a new key for tokens and returns its ID. Tokens of the old key stay valid for an hour, or become invalid
    /// at once.
    ///
    /// # Errors
    ///
    /// If the gateway does not answer, or cannot create a key.
    pub async fn rotate(&self, at_once: bool) -> Result<String, RemoteError> {
        let rotation = KeyRotation { at_once };
        let rotated: Json = self
            .call(Method::POST, "/_stackgen/keys", &rotation)
            .await?;
        Ok(rotated["keyId"].as_str().unwrap_or_default().to_owned())
    }

    /// Creates a link that opens the console in a browser, once.
    ///
    /// # Errors
    ///
    /// If the gateway does not answer.
    pub async fn console_link(&self) -> Result<String, RemoteError> {
        let created: Json = self
            .call(Method::POST, "/_stackgen/console/links", &())
            .await?;
        Ok(created["link"].as_str().unwrap_or_default().to_owned())
    }

    /// Runs a schedule now, without waiting for its functions.
    ///
    /// # Errors
    ///
    /// If the gateway does not answer, or has no schedule with this name.
    pub async fn run_schedule(&self, name: &str) -> Result<(), RemoteError> {
        let run = ScheduleRun {
            name: name.to_owned(),
        };
        let _: Json = self
            .call(Method::POST, "/_stackgen/schedules", &run)
            .await?;
        Ok(())
    }

    /// Returns the latest failures of a request, of a connection, or of the connection that began with a handshake's
    /// request, oldest first.
    ///
    /// # Errors
    ///
    /// If the gateway does not answer.
    pub async fn failures(&self, id: &str) -> Result<Vec<FailureRecord>, RemoteError> {
        let lookup = FailureLookup { id: id.to_owned() };
        self.call(Method::POST, "/_stackgen/failures", &lookup)
            .await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, RemoteError> {
        let (status, body) = self
            .exchange(method, path, body)
            .await
            .map_err(|error| RemoteError::NoAnswer(self.authority.clone(), error.to_string()))?;
        if status.is_success() {
            let read = serde_json::from_slice(&body);
            return read.map_err(|error| RemoteError::Refused(error.to_string()));
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct ErrorBody {
            message: String,
            problems: Vec<TemplateProblem>,
        }
        let error: ErrorBody = serde_json::from_slice(&body).unwrap_or_else(|_| ErrorBody {
            message: String::from_utf8_lossy(&body).into_owned(),
            ..ErrorBody::default()
        });
        Err(match status {
            StatusCode::UNPROCESSABLE_ENTITY if !error.problems.is_empty() => {
                RemoteError::Problems(error.problems)
            }
            _ => RemoteError::Refused(error.message),
        })
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<(StatusCode, Bytes), Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(&self.authority).await?;
        let (mut sender, connection) =
            http1::handshake::<_, Full<Bytes>>(TokioIo::new(stream)).await?;
        let driven = tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::HOST, &self.authority)
            .header(http::header::CONTENT_TYPE, "application/json")
            .header(KEY_HEADER, &self.key)
            .body(Full::from(serde_json::to_vec(body)?))?;
        let response: http::Response<Incoming> = sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        driven.abort();
        Ok((status, body))
    }
}

/// Leaves out the key.
impl std::fmt::Debug for RemoteGateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote")
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}
