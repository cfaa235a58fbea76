//! Templates to apply, and the results of applying them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::EmulatedResource;

/// Template to apply, with its stack's name, parameters and code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StackTemplate {
    /// Name of the stack. Physical IDs are derived from it and from logical IDs, so that URLs are the same in every run.
    pub stack: String,
    /// File of the template, for messages and for relative paths.
    pub file: String,
    /// Text of a CloudFormation, SAM or CDK template, as YAML or JSON.
    pub text: String,
    /// Values of parameters.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Code of functions by logical ID. It takes precedence over the code that the template names.
    #[serde(default)]
    pub code: BTreeMap<String, StackCode>,
    /// Part of the template to apply.
    #[serde(default)]
    pub apply: ApplyMode,
}

/// Location of a function's code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StackCode {
    /// Program that uses the Runtime API.
    Program(PathBuf),
    /// Folder with the unpacked code.
    Folder(PathBuf),
    /// Zip archive.
    Zip(PathBuf),
    /// Missing code, with advice. Invocations of the function fail with this text.
    Missing(String),
}

/// Part of a template to apply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ApplyMode {
    /// The whole template, as CloudFormation does.
    #[default]
    Everything,
    /// Everything but deployments. Stages keep serving their deployment, without the changed wiring (row D1). Resources
    /// that the old deployment may call are not deleted.
    WithoutDeployments,
}

/// Result of applying a template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplyResult {
    /// Changes in the order in which they happened.
    pub changes: Vec<ResourceChange>,
    /// Resources that the gateway does not run, with the reasons.
    pub not_run: Vec<NotRun>,
    /// Resources that exist at the endpoint for services that do not run here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emulated: Vec<EmulatedResource>,
    /// Remarks about the code of functions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Names of functions that only custom resources call, which do not run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custom_resource_functions: Vec<String>,
    /// Logical IDs of the deployments that [`ApplyMode::WithoutDeployments`] skipped.
    pub undeployed: Vec<String>,
}

/// Change of a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceChange {
    /// Action on the resource.
    #[serde(rename = "what")]
    pub action: ChangeAction,
    /// Logical ID.
    pub logical_id: String,
    /// Resource type.
    pub kind: String,
    /// Physical ID.
    pub physical_id: String,
}

/// Action on a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeAction {
    /// The resource was created.
    Created,
    /// The resource was updated in place.
    Updated,
    /// The code of a function changed.
    Code,
    /// The resource was deleted.
    Deleted,
    /// The resource left the template but stays in the account (`DeletionPolicy: Retain`).
    Retained,
}

/// Resource of the template that the gateway does not run, fully or in part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotRun {
    /// Logical ID; empty if the entry is not about one resource.
    pub logical_id: String,
    /// Resource type.
    pub kind: String,
    /// Reason in words.
    pub reason: String,
}

/// Problem that prevents a template from being applied, with its location.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[error("{message}")]
pub struct TemplateProblem {
    /// Description, as a sentence without a full stop.
    pub message: String,
    /// Advice.
    pub hint: Option<String>,
    /// Row of the reference that documents the problem.
    pub row: Option<String>,
    /// Byte range in the template's text, start and end; `None` if the problem has no location.
    #[serde(rename = "place")]
    pub byte_range: Option<(u32, u32)>,
    /// Line of the location, counted from 1.
    pub line: Option<u32>,
    /// Column of the location, counted from 1.
    pub column: Option<u32>,
}
