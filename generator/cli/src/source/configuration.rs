//! Terraform configurations that a local gateway runs.

use std::path::Path;

use stackgen_cfn::{Node, Sources};

use super::input;
use super::prepared::PreparedConfiguration;
use crate::error::CliError;
use crate::terraform;
use crate::ui::Ui;

/// A configuration as a template.
pub(super) struct ConfigurationTemplate {
    pub(super) template: Node,
    /// Name of the stack.
    pub(super) stack: String,
    pub(super) configuration: PreparedConfiguration,
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

/// Reads a configuration, and prints the remarks about it.
///
/// # Errors
///
/// If it cannot be read, or a value is missing without which it cannot be applied.
pub(super) fn read(
    root: &Path,
    parameters: &[(String, String)],
    ui: &Ui,
) -> Result<ConfigurationTemplate, CliError> {
    let read = terraform::read(root, parameters, &mut Sources::new())?;
    let configuration = read.configuration;
    if !configuration.missing.is_empty() {
        let missing = configuration.missing.into_iter().map(terraform::located);
        return Err(CliError::located(&configuration.sources, missing));
    }
    terraform::print_notes(&configuration, ui);
    Ok(ConfigurationTemplate {
        stack: stack_name(root),
        configuration: PreparedConfiguration {
            resources: terraform::resource_spans(&configuration),
            sources: configuration.sources,
            files: read.files,
            region: configuration.region,
        },
        template: configuration.template,
    })
}
