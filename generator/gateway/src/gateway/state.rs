//! What a running gateway says of itself.

use serde::{Deserialize, Serialize};
use stackgen_gateway_apis::apis::ProtocolType;
use stackgen_gateway_common::{ApiId, DeploymentId, StageName};

/// Where everything is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// The stack that was applied last.
    pub stack: Option<String>,
    /// Where AWS clients are pointed to (`AWS_ENDPOINT_URL`): `http://127.0.0.1:{port}`.
    pub endpoint: String,
    /// The issuer of local tokens.
    pub issuer: String,
    /// Whom tokens of the stack are for.
    pub audiences: Vec<String>,
    /// Where DynamoDB is.
    pub dynamodb: String,
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
    /// `us-east-1`.
    pub region: String,
    /// Twelve digits.
    pub account: String,
    /// The apis.
    pub apis: Vec<ApiState>,
}

/// An api, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiState {
    /// Its id.
    pub api_id: ApiId,
    /// Its name.
    pub name: String,
    /// What it speaks.
    pub protocol_type: ProtocolType,
    /// `ws://127.0.0.1:{port}` or `http://127.0.0.1:{port}`.
    pub endpoint: String,
    /// Its stages.
    pub stages: Vec<StageState>,
}

/// A stage, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StageState {
    /// Its name.
    pub name: StageName,
    /// Where clients connect: `ws://127.0.0.1:{port}/{stage}`; of an HTTP API's `$default` stage without the stage.
    pub url: String,
    /// The deployment that it serves.
    pub deployment_id: Option<DeploymentId>,
}

impl State {
    /// The api of that id.
    pub fn api(&self, id: &str) -> Option<&ApiState> {
        self.apis.iter().find(|api| api.api_id == id)
    }
}
