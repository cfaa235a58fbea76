//! Input and output of rendering.

use std::collections::BTreeMap;

use stackgen_cfn::Node;

use crate::Notice;

/// Options of [`ProjectFile::render`](crate::ProjectFile::render).
#[derive(Clone, Debug)]
pub struct RenderOptions<'a> {
    /// Name of the environment, one of [`ProjectFile::environments`](crate::ProjectFile::environments).
    pub environment: &'a str,
    /// Kind of the template.
    pub dialect: Dialect,
    /// Path from the folder of the template to the folder of stackgen.yaml, with `/`: `.` or `../..`.
    pub project_path: &'a str,
    /// Digests of the code that is built.
    pub artifacts: &'a Artifacts,
}

/// Kind of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// CloudFormation: `AWS::Lambda::Function` with a local path that `aws cloudformation package` uploads.
    CloudFormation,
    /// SAM: `AWS::Serverless::Function` that `sam build` builds.
    Sam,
}

/// SHA-256 digests of built code, in lower-case hex, by the path of the artifact.
pub type Artifacts = BTreeMap<String, String>;

/// Rendered template with notices about it.
#[derive(Debug)]
pub struct Rendered {
    /// The template.
    pub template: Node,
    /// Notices about the template.
    pub notices: Vec<Notice>,
}
