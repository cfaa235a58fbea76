//! The earlier revision of a template.

use std::path::{Path, PathBuf};

use stackgen_cfn::{Node, Sources};

use super::inputs::LintInput;
use crate::error::CliError;
use crate::template::TemplateSource;
use crate::{file, git};

/// What `--previous` names.
#[derive(Clone, Debug)]
pub(super) enum Previous {
    /// Nothing.
    None,
    /// The earlier revision of the one template.
    Of(TemplateSource),
    /// A revision in which every file is looked up.
    In(String),
}

impl Previous {
    /// # Errors
    ///
    /// If it names no revision, or one template where there are several.
    pub(super) fn of(word: Option<&str>, inputs: &[LintInput]) -> Result<Previous, CliError> {
        let Some(word) = word else {
            return Ok(Previous::None);
        };
        let place = word == "-" || word.contains(':') || Path::new(word).exists();
        if !place {
            // Asked once, so that a revision which nobody knows is told once.
            git::holds(word, Path::new("."))?;
            return Ok(Previous::In(word.to_owned()));
        }
        match inputs {
            [one] if word != "-" || one.path != Path::new("-") => {
                Ok(Previous::Of(TemplateSource::of(word)))
            }
            [_] => Err(CliError::input(
                "stdin is the template, and cannot be its earlier revision too",
            )),
            _ => {
                let message = format!(
                    "{word} is one template, and it is held against {} files",
                    inputs.len()
                );
                Err(CliError::input(message)
                    .hint("name one file, or a revision: `--previous main`"))
            }
        }
    }

    /// The earlier revision of a file; `None` for a new one.
    pub(super) fn read(
        &self,
        of: &LintInput,
        sources: &mut Sources,
    ) -> Result<Option<Node>, CliError> {
        match self {
            Previous::None => Ok(None),
            Previous::Of(place) => place.read_into(sources).map(Some),
            Previous::In(revision) => {
                // What came from stdin is a file of the revision under its own name.
                let path = PathBuf::from(&of.name);
                let from_here =
                    file::way(Path::new("."), &path).map_or(path.clone(), PathBuf::from);
                if !git::holds(revision, &from_here)? {
                    return Ok(None);
                }
                TemplateSource::Revision(git::object(revision, &path))
                    .read_into(sources)
                    .map(Some)
            }
        }
    }
}
