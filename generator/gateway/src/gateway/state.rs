//! State of a running gateway, as private routes return it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use stackgen_gateway_apis::apis::ProtocolType;
use stackgen_gateway_common::{ApiId, DeploymentId, StageName};

use crate::schedule_times::ScheduleState;

/// Endpoints and stages of a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayState {
    /// Stack that was applied last.
    pub stack: Option<String>,
    /// Control endpoint for AWS clients (`AWS_ENDPOINT_URL`): `http://127.0.0.1:{port}`.
    pub endpoint: String,
    /// URL of the token issuer.
    pub issuer: String,
    /// URL of the stack's web page.
    #[serde(default)]
    pub page: Option<String>,
    /// Audiences that the stack accepts.
    pub audiences: Vec<String>,
    /// Certificate of the authority that clients must trust for `https` and `wss`.
    #[serde(default)]
    pub certificate: PathBuf,
    /// Endpoint of DynamoDB.
    pub dynamodb: String,
    /// Endpoint for services that do not run in the gateway.
    #[serde(default)]
    pub services: Option<String>,
    /// Account of AWS for services that do not run in the gateway.
    #[serde(default)]
    pub aws: Option<String>,
    /// Partition: `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// Region, such as `us-east-1`.
    pub region: String,
    /// Account ID: twelve digits.
    pub account: String,
    /// APIs.
    pub apis: Vec<ApiEndpoint>,
    /// IDs of the identity pools whose identities get credentials at the control endpoint.
    #[serde(default)]
    pub identity_pools: Vec<String>,
    /// Schedules that invoke functions.
    #[serde(default)]
    pub schedules: Vec<ScheduleState>,
    /// API keys that open connections.
    #[serde(default)]
    pub api_keys: Vec<UsableApiKey>,
}

/// An API key that opens connections to a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsableApiKey {
    /// Name.
    pub name: String,
    /// Value, if the gateway generated it. A value of the template may be a secret.
    pub value: Option<String>,
    /// Name of the API.
    pub api: String,
    /// Stage name.
    pub stage: StageName,
}

/// An API and its endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiEndpoint {
    /// API ID.
    pub api_id: ApiId,
    /// Name.
    pub name: String,
    /// Protocol.
    pub protocol_type: ProtocolType,
    /// Endpoint: `ws://127.0.0.1:{port}` or `http://127.0.0.1:{port}`.
    pub endpoint: String,
    /// Stages.
    pub stages: Vec<StageEndpoint>,
}

/// A stage and its URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StageEndpoint {
    /// Stage name.
    pub name: StageName,
    /// URL for clients: `ws://127.0.0.1:{port}/{stage}`. The URL of an HTTP API's `$default` stage has no stage name.
    pub url: String,
    /// Deployment that the stage serves.
    pub deployment_id: Option<DeploymentId>,
}

impl GatewayState {
    /// Returns the API with this ID.
    pub fn api(&self, id: &str) -> Option<&ApiEndpoint> {
        self.apis.iter().find(|api| api.api_id == id)
    }
}
