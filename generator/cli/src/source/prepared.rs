//! Stacks that are ready to be applied.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use stackgen_cfn::{Sources, Span};
use stackgen_gateway::stack::{StackTemplate, code_files};
use stackgen_model::Model;

/// A template that is ready to be applied, and its model.
#[derive(Clone, Debug)]
pub(crate) struct PreparedStack {
    pub(crate) template: StackTemplate,
    /// Model before code was built, so that new code is no change of the wiring.
    pub(crate) model: Model,
    /// Folders of the functions' sources.
    pub(crate) folders: BTreeSet<PathBuf>,
    /// Folder of the web page, if the stack has one.
    pub(crate) page: Option<PathBuf>,
    /// The Terraform configuration that the template was read from.
    pub(crate) configuration: Option<PreparedConfiguration>,
}

impl PreparedStack {
    /// Returns archives and folders with code of functions that are not built here.
    pub(crate) fn code(&self) -> Vec<PathBuf> {
        code_files(&self.template, &self.model)
    }
}

/// The configuration of a prepared stack.
#[derive(Clone, Debug)]
pub(crate) struct PreparedConfiguration {
    /// Its files.
    pub(crate) sources: Sources,
    /// Spans of the resources, by logical ID.
    pub(crate) resources: BTreeMap<String, Span>,
    /// Files and folders that it was read from, absolute.
    pub(crate) files: BTreeSet<PathBuf>,
    /// Region of the AWS provider.
    pub(crate) region: Option<String>,
}
