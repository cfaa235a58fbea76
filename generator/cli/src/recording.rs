//! Files with recordings of connections.

use std::path::Path;

use stackgen_probe::{Recording, RecordingProblem};

use crate::bounded;
use crate::error::CliError;
use crate::file::{self, InputFile};
use crate::ui::Ui;
use crate::write;

/// Reads a recording.
pub(crate) fn read(path: &Path) -> Result<Recording, CliError> {
    let text = file::read(path, InputFile::Recording)?;
    Recording::parse(&text).map_err(|error| {
        let problem = |RecordingProblem { line, reason }: &RecordingProblem| {
            CliError::input(format!("{}:{line}: {reason}", path.display()))
        };
        let problems = error.0.iter().map(problem).collect();
        let all = CliError::all(problems);
        all.unwrap_or_else(|| CliError::input(error.to_string()))
    })
}

/// Writes a recording in place of an older one.
pub(crate) fn write(path: &Path, recording: &Recording, ui: &Ui) -> Result<(), CliError> {
    if recording.lines.is_empty() {
        ui.note("nothing was recorded, because there was no answer", None);
        return Ok(());
    }
    check_replaceable(path)?;
    write::write_all(&[(path.to_owned(), recording.to_text())])?;
    ui.aside(&format!("recorded {}", path.display()));
    Ok(())
}

/// Refuses to replace a file that is not a recording.
pub(crate) fn check_replaceable(path: &Path) -> Result<(), CliError> {
    let is_replaceable = match bounded::read(path, InputFile::Recording.limit()) {
        Ok(bytes) => bytes.is_empty() || Recording::is_recording(&String::from_utf8_lossy(&bytes)),
        Err(error) => error.is_not_found(),
    };
    match is_replaceable {
        true => Ok(()),
        false => Err(CliError::input(format!(
            "{} exists and is not a recording; it was not replaced",
            path.display()
        ))
        .hint("name another file, or move it away")),
    }
}
