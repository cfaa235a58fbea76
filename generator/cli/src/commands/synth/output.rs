//! What `synth` does with a text as soon as it is rendered, so that no text is kept.

use std::path::Path;

use super::rendered::RenderedTemplate;
use super::report::{self, FileStatus};
use crate::error::CliError;
use crate::ui::Ui;
use crate::write::{self, Staged};

/// Where texts go, one after the other.
pub(super) enum SynthOutput {
    /// Nowhere: they are compared with the files.
    Check(Vec<ComparedFile>),
    /// Beside the files that they replace, until all are rendered; or why that fails.
    Write(Result<Staged, CliError>),
}

/// A file compared with the text that it should hold.
pub(super) struct ComparedFile {
    pub(super) status: FileStatus,
    /// The difference as people read it; empty when there is none.
    pub(super) difference: String,
}

impl SynthOutput {
    pub(super) fn new(check: bool) -> Self {
        match check {
            true => SynthOutput::Check(Vec::new()),
            false => SynthOutput::Write(Ok(Staged::default())),
        }
    }

    pub(super) fn add(&mut self, template: &RenderedTemplate<'_>, text: &str, ui: &Ui) {
        match self {
            SynthOutput::Check(compared) => compared.push(compare(&template.path, text, ui)),
            SynthOutput::Write(written) => {
                // Errors in templates that follow are reported rather than this one.
                if let Ok(staged) = written
                    && let Err(error) = staged.add(template.path.clone(), text)
                {
                    *written = Err(error);
                }
            }
        }
    }
}

fn compare(path: &Path, text: &str, ui: &Ui) -> ComparedFile {
    let old = write::current(path);
    let status = match &old {
        None => FileStatus::Missing,
        Some(old) if old == text.as_bytes() => FileStatus::Unchanged,
        Some(_) => FileStatus::Stale,
    };
    let old = old.map(|old| String::from_utf8_lossy(&old).into_owned());
    let difference = match ui.wants_json() || status == FileStatus::Unchanged {
        true => String::new(),
        false => report::difference(path, old.as_deref(), text),
    };
    ComparedFile { status, difference }
}
