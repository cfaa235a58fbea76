//! The project that a gateway runs, as the console shows it. The binary knows it.

use std::fmt::Debug;

use serde_json::Value;
use stackgen_gateway_apis::apis::Snapshot;
use stackgen_gateway_common::{ApiId, ArnScope, StageName};
use stackgen_gateway_stack::StackTemplate;

/// Project of a gateway, as the console shows and redeploys it. Methods may block: they run on threads for that.
pub trait ConsoleProject: Debug + Send + Sync {
    /// Explains a row of the reference; `None` if there is no such row.
    fn explain_row(&self, id: &str) -> Option<String>;

    /// Lints the template that runs. Returns the findings as `stackgen lint --json` prints them, each with the `text` of its line,
    /// unless that may contain a secret.
    fn findings(&self, template: &StackTemplate) -> Value;

    /// Returns the digest of a snapshot, as `stackgen deployments` shows it.
    fn digest(&self, snapshot: &Snapshot, scope: &ArnScope) -> String;

    /// Returns the commit of the project's folder, with `-dirty` if files differ from it; `None` outside of git.
    fn commit(&self) -> Option<String>;

    /// Parses the description of a deployment; `None` if stackgen did not write it.
    fn record(&self, description: &str) -> Option<DeploymentRecord>;

    /// Redeploys a stage as `stackgen deploy --redeploy-stage --local` does: creates a deployment, activates it, and verifies the
    /// stage as its callers. If that fails, the stage serves the deployment before.
    ///
    /// # Errors
    ///
    /// The reason in words, with advice.
    fn redeploy(&self, request: &StageRedeploy) -> Result<(), String>;
}

/// Facts about a deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeploymentRecord {
    /// Digest of its snapshot.
    pub digest: Option<String>,
    /// Commit of the project when it was created.
    pub commit: Option<String>,
    /// The last verification in words: `verified 2026-11-30T18:00:00Z by ada`.
    pub verification: Option<String>,
}

/// A stage to redeploy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageRedeploy {
    /// API.
    pub api_id: ApiId,
    /// Stage.
    pub stage: StageName,
    /// Caller of the verification, besides the declared ones.
    pub caller: Option<StageToken>,
}

/// A caller with a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageToken {
    /// Place of the token.
    pub place: TokenPlace,
    /// Token.
    pub token: String,
}

/// Place of a token in a handshake.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "name")]
pub enum TokenPlace {
    /// Query parameter of this name.
    Query(String),
    /// The subprotocol after the first one, which is this; empty for no other one.
    Protocol(String),
}
