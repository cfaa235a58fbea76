//! Interfaces to an AWS account and to the clients of a stage. `stackgen-aws` implements the first, the CLI the second.

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;

use crate::account::{AccountRegion, ApiPart, ApiPartKind, Properties};
use crate::error::AccountResult;
use crate::evidence::CallerProfile;
use crate::{ApiId, CalledVersion, DeploymentId, FunctionName, FunctionVersion, StageName};

pub use crate::evidence::HandshakeAnswer;

/// The protocol of an API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ApiProtocol {
    /// WebSocket.
    #[serde(rename = "WEBSOCKET")]
    WebSocket,
    /// HTTP.
    #[serde(rename = "HTTP")]
    Http,
}

/// An API of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiInfo {
    /// The API's ID.
    pub id: ApiId,
    /// The name. Several APIs may share it.
    pub name: String,
    /// The protocol.
    pub protocol: ApiProtocol,
    /// The URL without a stage: `wss://….execute-api.….amazonaws.com`.
    pub endpoint: Option<String>,
    /// True if only a custom domain name leads to it.
    pub endpoint_disabled: bool,
    /// The tags. CloudFormation adds its own to every API of a stack.
    #[serde(skip)]
    pub tags: BTreeMap<String, String>,
}

impl ApiInfo {
    /// Returns the URL of a stage; `None` without an endpoint, or if only a custom domain name leads to the API.
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

    /// Returns the address of the management API of a stage (row K5); `None` if only a custom domain name leads to the API.
    pub fn management_endpoint(&self, stage: &StageName) -> Option<String> {
        let url = self.url(stage)?;
        let (scheme, rest) = url.split_once("://")?;
        let scheme = match scheme {
            "wss" | "https" => "https",
            _ => "http",
        };
        Some(format!("{scheme}://{rest}"))
    }
}

/// A stage of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StageInfo {
    /// The name.
    pub name: StageName,
    /// The deployment that it serves. Without one it refuses everything (row C3).
    pub deployment: Option<DeploymentId>,
    /// True if API Gateway activates deployments by itself (rows D4, D5).
    pub auto_deploy: bool,
    /// API Gateway's message about the last deployment of a stage under AutoDeploy: `Deployment attempt failed: …`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_deployment_status_message: Option<String>,
}

impl StageInfo {
    /// Returns the message of the last automatic deployment if that failed. A message that reports neither success nor
    /// failure is about a deployment in progress.
    pub fn auto_deploy_failure(&self) -> Option<&str> {
        let message = self.last_deployment_status_message.as_deref()?;
        let is_failure =
            !message.starts_with("Successfully") && message.to_lowercase().contains("failed");
        (self.auto_deploy && is_failure).then_some(message)
    }
}

/// A custom domain name of API Gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomDomain {
    /// The domain name.
    pub name: String,
    /// True if clients need a certificate.
    pub mutual_tls: bool,
}

/// An API mapping: a path of a custom domain name that leads to a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainMapping {
    /// The path; `None` for the whole domain.
    pub key: Option<String>,
    /// The stage.
    pub stage: StageName,
}

/// The status of a deployment (row D3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DeploymentState {
    /// API Gateway creates it.
    Pending,
    /// It could not be created.
    Failed,
    /// A stage can serve it.
    Deployed,
}

/// A deployment of an account: an immutable snapshot of an API (row D1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentInfo {
    /// The deployment's ID.
    pub id: DeploymentId,
    /// The status.
    pub status: DeploymentState,
    /// The reason of a failure.
    pub message: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// True if AutoDeploy created it.
    pub auto_deployed: bool,
    /// The time of its creation, in whole seconds as API Gateway reports it.
    #[serde(serialize_with = "crate::timestamp::serialize")]
    pub created: OffsetDateTime,
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
    /// Lambda's ID of this state (`RevisionId`).
    pub revision: Option<String>,
}

/// A version that Lambda holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedVersion {
    /// The version.
    pub version: FunctionVersion,
    /// The time at which it was published.
    pub published: OffsetDateTime,
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
/// Each method sends one AWS operation once; a list sends it once per page. Retries are up to the caller, see
/// [`RetryPolicy`](crate::RetryPolicy).
pub trait Account {
    /// Returns the account and region.
    fn account_region(&self) -> impl Future<Output = AccountResult<AccountRegion>>;

    /// Returns all APIs of API Gateway v2.
    fn apis(&self) -> impl Future<Output = AccountResult<Vec<ApiInfo>>>;

    /// Returns one API.
    fn api(&self, api: &ApiId) -> impl Future<Output = AccountResult<ApiInfo>>;

    /// Returns an API's own properties, as far as a deployment snapshots them (row D1).
    fn api_properties(&self, api: &ApiId) -> impl Future<Output = AccountResult<Properties>>;

    /// Returns the parts of one kind. Route responses are those of the route `parent`, and integration responses those of
    /// the integration `parent`.
    fn parts(
        &self,
        api: &ApiId,
        kind: ApiPartKind,
        parent: Option<&str>,
    ) -> impl Future<Output = AccountResult<Vec<ApiPart>>>;

    /// Returns all custom domain names of the region.
    fn custom_domains(&self) -> impl Future<Output = AccountResult<Vec<CustomDomain>>>;

    /// Returns the API mappings of a custom domain name that lead to an API.
    fn mappings(
        &self,
        domain: &str,
        api: &ApiId,
    ) -> impl Future<Output = AccountResult<Vec<DomainMapping>>>;

    /// Returns the stages of an API.
    fn stages(&self, api: &ApiId) -> impl Future<Output = AccountResult<Vec<StageInfo>>>;

    /// Returns one stage.
    fn stage(
        &self,
        api: &ApiId,
        name: &StageName,
    ) -> impl Future<Output = AccountResult<StageInfo>>;

    /// Points a stage at a deployment (row D11). The stage's settings stay (row D12).
    fn activate(
        &self,
        api: &ApiId,
        name: &StageName,
        deployment: &DeploymentId,
    ) -> impl Future<Output = AccountResult<()>>;

    /// Returns all deployments of an API.
    fn deployments(&self, api: &ApiId) -> impl Future<Output = AccountResult<Vec<DeploymentInfo>>>;

    /// Returns one deployment.
    fn deployment(
        &self,
        api: &ApiId,
        id: &DeploymentId,
    ) -> impl Future<Output = AccountResult<DeploymentInfo>>;

    /// Creates a deployment of the API as it is. The call names no stage, so no stage moves.
    fn create_deployment(
        &self,
        api: &ApiId,
        description: &str,
    ) -> impl Future<Output = AccountResult<DeploymentInfo>>;

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

    /// Replaces the code of a function with a zip file. Fails with [`AccountErrorKind::Outdated`](crate::AccountErrorKind) if
    /// the function has another revision than this one.
    fn update_code(
        &self,
        name: &FunctionName,
        revision: Option<&str>,
        zip: &[u8],
    ) -> impl Future<Output = AccountResult<()>>;

    /// Publishes code and configuration as a version. Returns the latest version if nothing changed since (row D17).
    /// Fails if the code has another digest.
    fn publish_version(
        &self,
        name: &FunctionName,
        code_sha256: &str,
    ) -> impl Future<Output = AccountResult<FunctionVersion>>;

    /// Returns the published versions of a function.
    fn versions(
        &self,
        name: &FunctionName,
    ) -> impl Future<Output = AccountResult<Vec<PublishedVersion>>>;

    /// Deletes a version of a function. Fails if an alias or an event source uses it.
    fn delete_version(&self, version: &CalledVersion) -> impl Future<Output = AccountResult<()>>;

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

/// A client of stages.
pub trait StageClient {
    /// Opens a WebSocket on the URL of a stage as a caller, exchanges the messages that the caller declares, and closes it.
    /// For an HTTP API, makes one request. It invokes the integration of `$connect`.
    fn attempt(
        &self,
        url: &str,
        protocol: ApiProtocol,
        caller: &CallerProfile,
    ) -> impl Future<Output = HandshakeAnswer>;
}
