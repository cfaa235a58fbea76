//! Rendered templates.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;
use stackgen_cfn::{Node, emit};
use stackgen_lint::output::LintedFile;
use stackgen_synth::{Dialect, Notice};

use crate::error::CliError;
use crate::file;
use crate::lint_gate;
use crate::project::Project;
use crate::ui::Ui;

/// Format of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TemplateFormat {
    /// CloudFormation as YAML: template.yaml
    CfnYaml,
    /// CloudFormation as JSON: template.json
    CfnJson,
    /// SAM as YAML: sam.yaml
    Sam,
}

impl TemplateFormat {
    pub(super) fn file_name(self) -> &'static str {
        match self {
            TemplateFormat::CfnYaml => "template.yaml",
            TemplateFormat::CfnJson => "template.json",
            TemplateFormat::Sam => "sam.yaml",
        }
    }

    fn dialect(self) -> Dialect {
        match self {
            TemplateFormat::CfnYaml | TemplateFormat::CfnJson => Dialect::CloudFormation,
            TemplateFormat::Sam => Dialect::Sam,
        }
    }

    fn emit(self, template: &Node) -> String {
        match self {
            TemplateFormat::CfnYaml | TemplateFormat::Sam => emit::yaml(template),
            TemplateFormat::CfnJson => emit::json(template),
        }
    }
}

/// All rendered templates, and folders of undeclared environments.
pub(super) struct SynthRun<'a> {
    pub(super) templates: &'a [RenderedTemplate<'a>],
    pub(super) undeclared: &'a [PathBuf],
}

/// A rendered template, without its text: together, the texts may be large.
pub(super) struct RenderedTemplate<'a> {
    /// Name of the stack.
    pub(super) stack: &'a str,
    pub(super) environment: &'a str,
    pub(super) format: TemplateFormat,
    /// File to write.
    pub(super) path: PathBuf,
    pub(super) resources: usize,
    pub(super) notices: Vec<Notice>,
    /// Findings of the linter, if any.
    pub(super) linted: Option<LintedFile>,
}

/// Renders and lints a template. Returns it with its text.
pub(super) fn render<'a>(
    project: &'a Project,
    environment: &'a str,
    format: TemplateFormat,
    folder: &Path,
    ui: &Ui,
) -> Result<(RenderedTemplate<'a>, String), CliError> {
    let rendered = project.render(environment, format.dialect(), folder, ui)?;
    let resources = rendered.template.get("Resources").and_then(Node::as_map);
    let text = format.emit(&rendered.template);
    let path = file::within(folder, format.file_name());
    let name = path.display().to_string();
    let template = RenderedTemplate {
        stack: project.name(),
        environment,
        format,
        path: folder.join(format.file_name()),
        resources: resources.map_or(0, stackgen_cfn::Map::len),
        linted: lint_gate::lint_rendered(&name, &rendered.template, &text)?,
        notices: rendered.notices,
    };
    Ok((template, text))
}

impl RenderedTemplate<'_> {
    /// Returns true if the linter finds an error.
    pub(super) fn has_errors(&self) -> bool {
        self.linted.as_ref().is_some_and(lint_gate::has_errors)
    }
}

impl SynthRun<'_> {
    /// Returns true if the linter finds an error in a template.
    pub(super) fn has_errors(&self) -> bool {
        self.templates.iter().any(RenderedTemplate::has_errors)
    }
}
