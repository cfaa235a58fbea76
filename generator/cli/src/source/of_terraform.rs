//! Stacks of Terraform configurations.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use stackgen_cfn::{Sources, Span, json};

use super::{PreparedStack, SourceArgs, TemplateFunctions, input};
use crate::error::CliError;
use crate::terraform;
use crate::ui::Ui;

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

/// Folders in which projects have their configuration. They are named after the project.
const GENERIC: [&str; 7] = [
    "deploy",
    "iac",
    "infra",
    "infrastructure",
    "src",
    "terraform",
    "tf",
];

/// Returns the name of a configuration's stack: that of its folder.
fn stack_name(root: &Path) -> String {
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let named = root.ancestors().find(|folder| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        !GENERIC.contains(&name.as_ref())
    });
    let name = named.unwrap_or(&root).file_name().unwrap_or_default();
    input::stack_name(&name.to_string_lossy())
}

impl SourceArgs {
    /// Reads the configuration of a root module as a template.
    pub(super) async fn of_terraform(
        &self,
        root: &Path,
        ui: &Ui,
    ) -> Result<PreparedStack, CliError> {
        let read = terraform::read(root, &self.parameters, &mut Sources::new())?;
        let configuration = read.configuration;
        if !configuration.missing.is_empty() {
            let missing = configuration.missing.into_iter().map(terraform::located);
            return Err(CliError::located(&configuration.sources, missing));
        }
        terraform::print_notes(&configuration, ui);
        let stack = stack_name(root);
        let text = json::to_json(&configuration.template).to_string();
        let found = TemplateFunctions::of(&configuration.template, &self.inputs(), root);
        let built = self.build(&found, ui).await?;
        // Paths of code are relative to the folder of this file.
        let template = self.template(stack, &root.join("main.tf"), text, found.code(&built));
        Ok(PreparedStack {
            configuration: Some(PreparedConfiguration {
                resources: terraform::resource_spans(&configuration),
                sources: configuration.sources,
                files: read.files,
                region: configuration.region,
            }),
            ..found.prepared(template)
        })
    }
}
