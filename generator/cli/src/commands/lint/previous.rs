//! Earlier revisions of templates.

use std::path::{Path, PathBuf};

use stackgen_cfn::{Node, Sources};

use super::inputs::InputTemplate;
use crate::error::CliError;
use crate::template::TemplateSource;
use crate::{file, git};

/// Earlier revision to compare with.
#[derive(Clone, Debug)]
pub(super) enum PreviousRevision {
    /// No comparison.
    None,
    /// Earlier revision of the only template.
    Template(TemplateSource),
    /// Git revision that has the same files.
    Revision(String),
}

impl PreviousRevision {
    /// Parses the value of `--previous`.
    ///
    /// # Errors
    ///
    /// If it names no revision, or one template for several files.
    pub(super) fn parse(word: Option<&str>, inputs: &[InputTemplate]) -> Result<Self, CliError> {
        let Some(word) = word else {
            return Ok(PreviousRevision::None);
        };
        let is_template = word == "-" || word.contains(':') || Path::new(word).exists();
        if !is_template {
            // Checked here, so that an unknown revision is reported once.
            git::holds(word, Path::new("."))?;
            return Ok(PreviousRevision::Revision(word.to_owned()));
        }
        match inputs {
            [one] if word != "-" || one.path != Path::new("-") => {
                Ok(PreviousRevision::Template(TemplateSource::parse(word)))
            }
            [_] => Err(CliError::input(
                "standard input cannot be both the template and its earlier revision",
            )),
            _ => {
                let message = format!(
                    "{word} is a single template and cannot be compared with {} files",
                    inputs.len()
                );
                Err(CliError::input(message)
                    .hint("name one file, or compare with a revision: `--previous main`"))
            }
        }
    }

    /// Reads the earlier revision of a file; `None` for a new file.
    pub(super) fn read(
        &self,
        input: &InputTemplate,
        sources: &mut Sources,
    ) -> Result<Option<Node>, CliError> {
        match self {
            PreviousRevision::None => Ok(None),
            PreviousRevision::Template(source) => source.read_into(sources).map(Some),
            PreviousRevision::Revision(revision) => {
                // Standard input is compared with the file that `--stdin-filename` names.
                let path = PathBuf::from(&input.name);
                let relative =
                    file::relative_path(Path::new("."), &path).map_or(path.clone(), PathBuf::from);
                if !git::holds(revision, &relative)? {
                    return Ok(None);
                }
                TemplateSource::Revision(git::object(revision, &path))
                    .read_into(sources)
                    .map(Some)
            }
        }
    }
}
