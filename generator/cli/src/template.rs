//! Templates, from a file, from standard input or from a revision in git.

use std::path::{Path, PathBuf};

use stackgen_cfn::{Node, Sources, Span};
use stackgen_synth::Problem;

use crate::error::CliError;
use crate::file::{self, Input};
use crate::git;

/// Where a template is.
#[derive(Clone, Debug)]
pub(crate) enum TemplateSource {
    /// In a file, or on standard input when it is `-`.
    File(PathBuf),
    /// In a revision: `REV:PATH`, as `git show` takes it.
    Revision(String),
}

impl TemplateSource {
    /// What the user means: a file that exists is one, whatever it is called.
    pub(crate) fn of(text: &str) -> TemplateSource {
        match text.contains(':') && !Path::new(text).exists() {
            true => TemplateSource::Revision(text.to_owned()),
            false => TemplateSource::File(PathBuf::from(text)),
        }
    }

    /// For messages.
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

    /// The same, with its text kept, so that places in it can be shown.
    pub(crate) fn read_into(&self, sources: &mut Sources) -> Result<Node, CliError> {
        let text = match self {
            TemplateSource::File(path) => file::read(path, Input::Template)?,
            TemplateSource::Revision(object) => {
                let path = Path::new(object);
                let bytes = git::show(object, Input::Template.limit())?;
                let bytes = bytes.ok_or_else(|| file::too_long(path, Input::Template))?;
                file::text(bytes, path, Input::Template)?
            }
        };
        parse(sources, self.name(), text)
    }
}

/// A template, whose text is added to the sources.
pub(crate) fn parse(sources: &mut Sources, name: String, text: String) -> Result<Node, CliError> {
    let parsed = stackgen_cfn::parse(sources.add(name, text));
    let template = parsed.map_err(|errors| CliError::located(sources, errors))?;
    match template.get("Resources").and_then(Node::as_map) {
        Some(_) => Ok(template),
        None => Err(no_template(sources, &template)),
    }
}

/// Whether a file is a template, and not a stackgen.yaml.
pub(crate) fn is_template(path: &Path) -> bool {
    TemplateSource::File(path.to_owned()).read().is_ok()
}

fn no_template(sources: &Sources, root: &Node) -> CliError {
    let first = root.as_map().and_then(|map| map.entries().next());
    let span = first.map_or(root.span, |(_, entry)| entry.key_span);
    let hint = match root.get("websocket").or(root.get("functions")) {
        Some(_) => "this is a stackgen.yaml: `--file` takes it, and `stackgen synth` renders it",
        None => "a template has a mapping called `Resources`",
    };
    let span = if span == Span::default() {
        root.span
    } else {
        span
    };
    let problem = Problem::new(span, "this is no CloudFormation template").hint(hint);
    CliError::located(sources, [problem])
}
