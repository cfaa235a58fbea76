//! Interfaces to an AWS account and to clients of a stage. `stackgen-aws` implements the first, the CLI the second.

use serde::Serialize;

use crate::account::{AccountRegion, Part, PartKind, Properties};
use crate::error::AccountResult;
use crate::trial::Caller;
use crate::{ApiId, DeploymentId, FunctionName, FunctionVersion, StageName, Timestamp};

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

/// An API mapping: a path of a custom domain name that leads to a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainMapping {
    /// The path; `None` for the whole domain.
    pub key: Option<String>,
    /// The stage.
    pub stage: StageName,
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

/// A custom domain name of API Gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomDomain {
    /// The domain's name.
    pub name: String,
    /// True if clients need a certificate.
    pub mutual_tls: bool,
}

/// State of a function, or of one of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionState {
    /// SHA-256 of the zip file in base64: Lambda's `CodeSha256`.
    pub code_sha256: String,
    /// Hash of the configuration that a version freezes. It differs if publishing would create a new version.
    pub configuration: u64,
    /// Status of the last update.
    pub update: UpdateStatus,
}

/// Status of the last update of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateStatus {
    /// Lambda applies the update, or sets up the function.
    InProgress,
    /// The update is live.
    Successful,
    /// The update failed, with Lambda's reason.
    Failed(String),
}

/// Calls to an AWS account in one region.
///
/// Every method is one AWS operation, and sends it once: a list that has pages sends it once per page. Retries are up to
/// the caller, see [`OperationContext::call`](crate::OperationContext::call).
pub trait Account {
    /// Returns the account and region.
    fn account_region(&self) -> impl Future<Output = AccountResult<AccountRegion>>;

    /// Returns all APIs of API Gateway v2.
    fn apis(&self) -> impl Future<Output = AccountResult<Vec<Api>>>;

    /// Returns one API.
    fn api(&self, api: &ApiId) -> impl Future<Output = AccountResult<Api>>;

    /// Returns an API's own properties, as far as a deployment snapshots them (row D1).
    fn api_properties(&self, api: &ApiId) -> impl Future<Output = AccountResult<Properties>>;

    /// Returns the parts of one kind. Route responses are those of the route `parent`, and integration responses those of
    /// the integration `parent`.
    fn parts(
        &self,
        api: &ApiId,
        kind: PartKind,
        parent: Option<&str>,
    ) -> impl Future<Output = AccountResult<Vec<Part>>>;

    /// Returns all custom domain names of the region.
    fn custom_domains(&self) -> impl Future<Output = AccountResult<Vec<CustomDomain>>>;

    /// Returns the API mappings of a custom domain name that lead to an API.
    fn mappings(
        &self,
        domain: &str,
        api: &ApiId,
    ) -> impl Future<Output = AccountResult<Vec<DomainMapping>>>;

    /// Returns the stages of an API.
    fn stages(&self, api: &ApiId) -> impl Future<Output = AccountResult<Vec<Stage>>>;

    /// Returns one stage.
    fn stage(&self, api: &ApiId, name: &StageName) -> impl Future<Output = AccountResult<Stage>>;

    /// Points a stage at a deployment (row D11). The stage's settings stay (row D12).
    fn activate(
        &self,
        api: &ApiId,
        name: &StageName,
        deployment: &DeploymentId,
    ) -> impl Future<Output = AccountResult<()>>;

    /// Returns all deployments of an API.
    fn deployments(&self, api: &ApiId) -> impl Future<Output = AccountResult<Vec<Deployment>>>;

    /// Returns one deployment.
    fn deployment(
        &self,
        api: &ApiId,
        id: &DeploymentId,
    ) -> impl Future<Output = AccountResult<Deployment>>;

    /// Creates a deployment of the API as it is. The call names no stage, so no stage moves.
    fn create_deployment(
        &self,
        api: &ApiId,
        description: &str,
    ) -> impl Future<Output = AccountResult<Deployment>>;

    /// Replaces the description of a deployment. Its snapshot stays, and so do the stages that serve it.
    fn update_description(
        &self,
        api: &ApiId,
        id: &DeploymentId,
        description: &str,
    ) -> impl Future<Output = AccountResult<()>>;

    /// Deletes a deployment that no stage serves (row D6).
    fn delete_deployment(
        &self,
        api: &ApiId,
        id: &DeploymentId,
    ) -> impl Future<Output = AccountResult<()>>;

    /// Returns the state of a function, or of one of its versions.
    fn function(
        &self,
        name: &FunctionName,
        version: Option<&FunctionVersion>,
    ) -> impl Future<Output = AccountResult<FunctionState>>;

    /// Replaces the code of a function with a zip file.
    fn update_code(
        &self,
        name: &FunctionName,
        zip: &[u8],
    ) -> impl Future<Output = AccountResult<()>>;

    /// Publishes code and configuration as a version. Returns the latest version if nothing changed since (row D17).
    /// Fails if the code has another digest.
    fn publish_version(
        &self,
        name: &FunctionName,
        code_sha256: &str,
    ) -> impl Future<Output = AccountResult<FunctionVersion>>;

    /// Sets the URI that an integration invokes. A stage serves the change with the next deployment (row D1).
    fn set_integration_uri(
        &self,
        api: &ApiId,
        integration: &str,
        uri: &str,
    ) -> impl Future<Output = AccountResult<()>>;

    /// Sets the URI that an authorizer invokes. A stage serves the change with the next deployment (row D1).
    fn set_authorizer_uri(
        &self,
        api: &ApiId,
        authorizer: &str,
        uri: &str,
    ) -> impl Future<Output = AccountResult<()>>;
}

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
