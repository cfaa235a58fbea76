//! Input and output of rendering.

use std::collections::BTreeMap;

use stackgen_cfn::Node;

use crate::Notice;

/// What to render.
#[derive(Clone, Debug)]
pub struct RenderOptions<'a> {
    /// One of [`Stack::environments`].
    pub environment: &'a str,
    /// CloudFormation or SAM.
    pub dialect: Dialect,
    /// The path from the folder of the template to the folder of stackgen.yaml, with `/`: `.` or `../..`.
    pub project_path: &'a str,
    /// The digests of the code that is built.
    pub artifacts: &'a Artifacts,
}

/// The kind of template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `AWS::Lambda::Function` with a local path that `aws cloudformation package` uploads.
    CloudFormation,
    /// `AWS::Serverless::Function` that `sam build` builds.
    Sam,
}

/// SHA-256 of built code, in lower-case hex, by the artefact's path.
pub type Artifacts = BTreeMap<String, String>;

/// A template and what to know about it.
#[derive(Debug)]
pub struct Rendered {
    /// The template.
    pub template: Node,
    /// Worth a line on stderr each.
    pub notices: Vec<Notice>,
}
