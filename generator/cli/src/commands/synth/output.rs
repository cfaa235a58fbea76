//! Destinations of rendered texts. Each text is written or compared at once, so that it need not stay in memory.

use std::path::Path;

use super::rendered::RenderedTemplate;
use super::report::{self, FileStatus};
use crate::error::CliError;
use crate::ui::Ui;
use crate::write::{self, Staged};

/// Destination of rendered texts.
pub(super) enum SynthOutput {
    /// Texts are compared with the files.
    Check(Vec<ComparedFile>),
    /// Texts are written beside the files that they replace, until all are rendered; or the first error.
    Write(Result<Staged, CliError>),
}

/// A file compared with the text that it should hold.
pub(super) struct ComparedFile {
    pub(super) status: FileStatus,
    /// Unified diff; empty if there is no difference.
    pub(super) difference: String,
}

impl SynthOutput {
    pub(super) fn new(check: bool) -> Self {
        match check {
            true => SynthOutput::Check(Vec::new()),
            false => SynthOutput::Write(Ok(Staged::default())),
        }
    }

    /// Writes or compares a text.
    pub(super) fn add(&mut self, template: &RenderedTemplate<'_>, text: &str, ui: &Ui) {
        match self {
            SynthOutput::Check(compared) => compared.push(compare(&template.path, text, ui)),
            SynthOutput::Write(written) => {
                // Errors of later templates take precedence over this one.
                if let Ok(staged) = written
                    && let Err(error) = staged.add(template.path.clone(), text.as_bytes())
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
