//! Templates from files, standard input and git revisions.

use std::path::{Path, PathBuf};

use stackgen_cfn::{Node, Sources, Span};
use stackgen_synth::LocatedError;

use crate::error::CliError;
use crate::file::{self, InputFile};
use crate::git;
use crate::other_tools::{self, TemplateUse};
use crate::terraform;

/// Source of a template.
#[derive(Clone, Debug)]
pub(crate) enum TemplateSource {
    /// A file; `-` is standard input.
    File(PathBuf),
    /// A file in a revision: `REV:PATH`, as for `git show`.
    Revision(String),
}

impl TemplateSource {
    /// Parses an argument. A file that exists takes precedence over a revision.
    pub(crate) fn parse(text: &str) -> TemplateSource {
        match text.contains(':') && !Path::new(text).exists() {
            true => TemplateSource::Revision(text.to_owned()),
            false => TemplateSource::File(PathBuf::from(text)),
        }
    }

    /// Returns the name for messages.
    pub(crate) fn name(&self) -> String {
        match self {
            TemplateSource::File(path) => file::name(path),
            TemplateSource::Revision(object) => object.clone(),
        }
    }

    /// Reads the template.
    pub(crate) fn read(&self) -> Result<Node, CliError> {
        self.read_into(&mut Sources::new())
    }

    /// Reads the template, and adds its text to the sources, so that messages can show lines of it.
    pub(crate) fn read_into(&self, sources: &mut Sources) -> Result<Node, CliError> {
        if let TemplateSource::File(path) = self
            && let Some(root) = terraform::root(path)
        {
            let read = terraform::read(&root, &[], sources)?;
            return Ok(read.configuration.template);
        }
        let text = match self {
            TemplateSource::File(path) => file::read(path, InputFile::Template)?,
            TemplateSource::Revision(object) => {
                let path = Path::new(object);
                let bytes = git::show(object, InputFile::Template.limit())?;
                let bytes = bytes.ok_or_else(|| file::too_long(path, InputFile::Template))?;
                file::text(bytes, path, InputFile::Template)?
            }
        };
        parse(sources, self.name(), text)
    }
}

/// Parses a template, and adds its text to the sources.
pub(crate) fn parse(sources: &mut Sources, name: String, text: String) -> Result<Node, CliError> {
    let parsed = stackgen_cfn::parse(sources.add(name.as_str(), text.as_str()));
    let template = parsed.map_err(|errors| {
        other_tools::error(&name, &text, None, TemplateUse::Read)
            .unwrap_or_else(|| CliError::located(sources, errors))
    })?;
    match template.get("Resources").and_then(Node::as_map) {
        Some(_) => Ok(template),
        None => Err(
            other_tools::error(&name, &text, Some(&template), TemplateUse::Read)
                .unwrap_or_else(|| no_template(sources, &template)),
        ),
    }
}

/// Returns true if a file is a template, and not a project file.
pub(crate) fn is_template(path: &Path) -> bool {
    other_tools::is_output(path)
        || terraform::root(path).is_some()
        || TemplateSource::File(path.to_owned()).read().is_ok()
}

fn no_template(sources: &Sources, root: &Node) -> CliError {
    let first = root.as_map().and_then(|map| map.entries().next());
    let span = first.map_or(root.span, |(_, entry)| entry.key_span);
    let hint = match root.get("websocket").or(root.get("functions")) {
        Some(_) => {
            "this is a stackgen.yaml: name it with `--file`, or render it with `stackgen synth`"
        }
        None => "add a mapping named `Resources`",
    };
    let span = if span == Span::default() {
        root.span
    } else {
        span
    };
    let problem = LocatedError::new(span, "this is not a CloudFormation template").hint(hint);
    CliError::located(sources, [problem])
}
