//! What is applied, and what came of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A template to apply, as text: a stack's name, what it is made of, and where its code is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Template {
    /// The stack's name. Physical ids follow from it and from logical ids, so that URLs stay the same between runs.
    pub stack: String,
    /// The template's file, for messages.
    pub file: String,
    /// CloudFormation, SAM or what CDK synthesised, as YAML or JSON.
    pub text: String,
    /// Values of parameters.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Where the code of functions is, by their logical ids. Wins over what the template says; what is relative in the
    /// template is relative to its file.
    #[serde(default)]
    pub code: BTreeMap<String, StackCode>,
    /// How much of it is applied.
    #[serde(default)]
    pub apply: Apply,
}

/// Where the code of a function is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StackCode {
    /// A program that speaks the Runtime API.
    Program(PathBuf),
    /// A folder, as Lambda unpacks it.
    Folder(PathBuf),
    /// A zip archive.
    Zip(PathBuf),
    /// There is none on this machine, with what to do about it. Calling the function says so.
    Missing(String),
}

/// How much of a template is applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Apply {
    /// All of it, as CloudFormation does.
    #[default]
    Everything,
    /// Wiring and code change in the account, and stages keep the deployment that they serve: what was not deployed is
    /// not there (row D1). What the old deployment still calls is not deleted.
    WithoutDeployments,
}

/// What applying a template did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// What changed, in the order in which it did.
    pub changes: Vec<Change>,
    /// What this machine does not run, with the reason.
    pub not_run: Vec<NotRun>,
    /// Deployments of the template that [`Apply::WithoutDeployments`] left out, by logical id.
    pub undeployed: Vec<String>,
}

/// What happened to one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// What was done.
    pub what: What,
    /// Its key in the template.
    pub logical_id: String,
    /// Its type.
    pub kind: String,
    /// Its id in the account.
    pub physical_id: String,
}

/// What was done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum What {
    /// It is new.
    Created,
    /// It changed in place.
    Updated,
    /// A function's code changed: a digest that is not the one before.
    Code,
    /// It is gone.
    Deleted,
    /// It left the template and stays in the account (`DeletionPolicy: Retain`).
    Retained,
}

/// A resource that is in the template and not on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotRun {
    /// Its key in the template.
    pub logical_id: String,
    /// Its type.
    pub kind: String,
    /// Why.
    pub reason: String,
}

/// Something that keeps a template from being applied, with its place.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[error("{message}")]
pub struct Problem {
    /// What is wrong, as a sentence without its full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The row of the reference that it rests on.
    pub row: Option<String>,
    /// Bytes of the template's text from the first to past the last; `None` when it is about no place.
    pub place: Option<(u32, u32)>,
    /// The line of the place, from 1.
    pub line: Option<u32>,
    /// The column of the place, from 1.
    pub column: Option<u32>,
}
