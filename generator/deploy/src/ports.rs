//! What the engine asks of an account. Each trait is named for what it is for; one adapter implements them all.

use serde::Serialize;

use crate::account::{AccountRegion, ApiDescription};
use crate::error::AccountError;
use crate::trial::Caller;
use crate::{ApiId, DeploymentId, FunctionName, FunctionVersion, StageName, Timestamp};

type Answer<T> = Result<T, AccountError>;

/// What an API speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Protocol {
    /// WebSocket.
    #[serde(rename = "WEBSOCKET")]
    WebSocket,
    /// HTTP.
    #[serde(rename = "HTTP")]
    Http,
}

/// An API as it is found by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Api {
    /// Its id.
    pub id: ApiId,
    /// Its name, which others may have too.
    pub name: String,
    /// What it speaks.
    pub protocol: Protocol,
    /// Where it is reached, without a stage: `wss://….execute-api.….amazonaws.com`.
    pub endpoint: Option<String>,
    /// Whether only a custom domain reaches it.
    pub endpoint_disabled: bool,
}

impl Api {
    /// Where a stage of it is reached; `None` where the API tells no endpoint, or only a custom domain reaches it.
    pub fn url(&self, stage: &StageName) -> Option<String> {
        let endpoint = self
            .endpoint
            .as_deref()
            .filter(|_| !self.endpoint_disabled)?;
        let endpoint = endpoint.trim_end_matches('/');
        Some(match stage.as_str() {
            "$default" => endpoint.to_owned(),
            stage => format!("{endpoint}/{stage}"),
        })
    }
}

/// A stage: a pointer to a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    /// Its name.
    pub name: StageName,
    /// The deployment that it serves; without one it refuses everything (row C3).
    pub deployment: Option<DeploymentId>,
    /// Whether API Gateway moves it by itself (rows D4, D5).
    pub auto_deploy: bool,
}

/// An API mapping: a path of a custom domain that reaches a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainMapping {
    /// The domain's name.
    pub domain: String,
    /// The path; none for the whole domain.
    pub key: Option<String>,
    /// The stage.
    pub stage: StageName,
    /// Whether clients need a certificate.
    pub mutual_tls: bool,
}

/// What became of a deployment (row D3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DeploymentStatus {
    /// It is being made.
    Pending,
    /// It could not be made.
    Failed,
    /// It can be served.
    Deployed,
}

/// A deployment: an immutable snapshot of an API (row D1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// Its id.
    pub id: DeploymentId,
    /// What became of it.
    pub status: DeploymentStatus,
    /// Why, if it failed.
    pub message: Option<String>,
    /// What it says of itself.
    pub description: Option<String>,
    /// Whether AutoDeploy made it.
    pub auto_deployed: bool,
    /// When it was made.
    pub created: Timestamp,
}

/// Which APIs and stages there are, and how they are wired.
pub trait ApiCatalog {
    /// Which account and region this is.
    fn place(&self) -> impl Future<Output = Answer<AccountRegion>>;
    /// All APIs of API Gateway v2.
    fn apis(&self) -> impl Future<Output = Answer<Vec<Api>>>;
    /// One API.
    fn api(&self, api: &ApiId) -> impl Future<Output = Answer<Api>>;
    /// The stages of an API.
    fn stages(&self, api: &ApiId) -> impl Future<Output = Answer<Vec<Stage>>>;
    /// The custom domains that reach an API. Asked only if nothing else does.
    fn mappings(&self, api: &ApiId) -> impl Future<Output = Answer<Vec<DomainMapping>>>;
    /// Everything of an API that a deployment would snapshot at this moment (row D1).
    fn describe(&self, api: &ApiId) -> impl Future<Output = Answer<ApiDescription>>;
}

/// Deployments of an API.
pub trait DeploymentStore {
    /// All of them.
    fn deployments(&self, api: &ApiId) -> impl Future<Output = Answer<Vec<Deployment>>>;
    /// One of them.
    fn deployment(
        &self,
        api: &ApiId,
        id: &DeploymentId,
    ) -> impl Future<Output = Answer<Deployment>>;
    /// Snapshots the API. No stage is named, so nothing moves.
    fn create(&self, api: &ApiId, description: &str) -> impl Future<Output = Answer<Deployment>>;
    /// Replaces the description of a deployment. What it snapshots and who serves it stay.
    fn update_description(
        &self,
        api: &ApiId,
        id: &DeploymentId,
        description: &str,
    ) -> impl Future<Output = Answer<()>>;
    /// Deletes a deployment that no stage uses (row D6).
    fn delete(&self, api: &ApiId, id: &DeploymentId) -> impl Future<Output = Answer<()>>;
}

/// The pointer of a stage.
pub trait StageActivator {
    /// The stage as it is.
    fn stage(&self, api: &ApiId, name: &StageName) -> impl Future<Output = Answer<Stage>>;
    /// Moves the pointer (row D11). All settings stay (row D12).
    fn activate(
        &self,
        api: &ApiId,
        name: &StageName,
        deployment: &DeploymentId,
    ) -> impl Future<Output = Answer<()>>;
}

/// A function, or one of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionState {
    /// SHA-256 of its zip file in base64: what Lambda calls `CodeSha256`.
    pub code_sha256: String,
    /// A number that all else makes that freezes in a version, to tell whether publishing would make a new one.
    pub configuration: u64,
    /// What became of the last change of it.
    pub update: UpdateStatus,
}

/// What became of the last change of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateStatus {
    /// It is being made, or the function is being set up.
    InProgress,
    /// It is live.
    Successful,
    /// It failed, with Lambda's reason.
    Failed(String),
}

/// Code of functions.
pub trait CodeStore {
    /// A function; with a version, that version of it.
    fn function(
        &self,
        name: &FunctionName,
        version: Option<&FunctionVersion>,
    ) -> impl Future<Output = Answer<FunctionState>>;
    /// Replaces the code of a function by a zip file.
    fn update_code(
        &self,
        name: &FunctionName,
        zip: &[u8],
    ) -> impl Future<Output = Answer<FunctionState>>;
    /// Publishes code and configuration as a version, or names the latest one if nothing changed since (row D17).
    /// Refused when the code is not of that digest.
    fn publish(
        &self,
        name: &FunctionName,
        code_sha256: &str,
    ) -> impl Future<Output = Answer<FunctionVersion>>;
}

/// Which functions an API calls. What is written here is served only by a deployment (row D1).
pub trait CallTarget {
    /// Lets an integration call another invocation URI.
    fn retarget_integration(
        &self,
        api: &ApiId,
        integration: &str,
        uri: &str,
    ) -> impl Future<Output = Answer<()>>;
    /// Lets an authorizer call another invocation URI.
    fn retarget_authorizer(
        &self,
        api: &ApiId,
        authorizer: &str,
        uri: &str,
    ) -> impl Future<Output = Answer<()>>;
}

/// All that the engine asks of an account.
pub trait Account: ApiCatalog + DeploymentStore + StageActivator + CodeStore + CallTarget {}

impl<T: ApiCatalog + DeploymentStore + StageActivator + CodeStore + CallTarget> Account for T {}

/// The answer to a handshake with a WebSocket API, or to a request to an HTTP API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Handshake {
    /// The status of the answer: 101 when a WebSocket was opened.
    Answered(u16),
    /// No answer came, and why.
    Unanswered(String),
    /// A WebSocket was opened, and the message that should have come after it did not come.
    Unmet(String),
}

/// Tries a stage as a client would.
pub trait Verify {
    /// Opens a WebSocket on the URL of a stage, exchanges what the caller declares, and closes it again; of an HTTP API,
    /// makes one request. Calls what `$connect` calls.
    fn attempt(
        &self,
        url: &str,
        protocol: Protocol,
        caller: &Caller,
    ) -> impl Future<Output = Handshake>;
}
