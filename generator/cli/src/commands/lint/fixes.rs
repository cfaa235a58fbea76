//! Results of `--fix` and `--diff`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use similar::TextDiff;
use stackgen_lint::Finding;
use stackgen_lint::output::snippet::printable;

use super::output;
use super::result::{CheckedFile, FixedText};
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::style::{BOLD, GREEN, RED};
use crate::ui::Ui;
use crate::write;

/// Writes fixed files, and reports the fixes. A template from stdin goes to stdout.
pub(super) fn write(files: &[CheckedFile], ui: &Ui) -> Result<(), CliError> {
    let stdin = Path::new("-");
    let changed = files.iter().filter(|file| file.path != stdin);
    let changed = changed.filter_map(|file| {
        let change = file.fixed.as_ref()?;
        Some((file.path.clone(), change.new.clone()))
    });
    write::write_all(&changed.collect::<Vec<(PathBuf, String)>>())?;
    for file in files {
        if file.path == stdin {
            let source = file.id.and_then(|id| file.linted.sources.get(id));
            ui.result(source.map_or("", |source| source.text()))?;
        }
        for line in fixed_lines(file) {
            ui.aside(&line);
        }
    }
    Ok(())
}

/// Returns a line per fix.
fn fixed_lines(file: &CheckedFile) -> Vec<String> {
    let name = printable(&file.linted.file);
    let findings = file.fixed.iter().flat_map(|change| &change.findings);
    let line = |finding: &Finding| {
        let title = finding.fix.as_ref().map_or("", |fix| fix.title.as_str());
        let (id, title) = (finding.rule.id, printable(title));
        format!("{GREEN}fixed{GREEN:#} {name}: {id} {title}")
    };
    findings.map(line).collect()
}

/// Prints what `--fix` would change.
pub(super) fn show(
    files: &[CheckedFile],
    unread: &[CliError],
    ui: &Ui,
) -> Result<CommandOutcome, CliError> {
    for file in files {
        ui.print(&difference(file))?;
    }
    output::print_unread(unread, ui);
    let changes = files.iter().filter_map(|file| file.fixed.as_ref());
    let fixes: usize = changes.map(|change| change.findings.len()).sum();
    let remaining: usize = files
        .iter()
        .map(|file| file.linted.report.findings.len())
        .sum();
    ui.aside(&format!(
        "`--fix` would fix {fixes} of {}",
        fixes + remaining
    ));
    Ok(match (unread.is_empty(), fixes + remaining) {
        (false, _) => CommandOutcome::Unusable,
        (true, 0) => CommandOutcome::Done,
        _ => CommandOutcome::Found,
    })
}

/// Returns a unified diff; empty for a file without fixes.
fn difference(file: &CheckedFile) -> String {
    let Some(change) = &file.fixed else {
        return String::new();
    };
    let hidden = hidden_lines(change, file);
    let name = printable(&file.linted.file);
    let diff = TextDiff::from_lines(&change.old, &change.new);
    let text = diff.unified_diff().header(&name, &name).to_string();
    let paint = |(index, line): (usize, &str)| {
        let (sign, rest) = line.split_at_checked(1).unwrap_or((line, ""));
        let line = match hidden.contains(rest.trim()) {
            true => format!("{sign}  (hidden line)"),
            false => printable(line),
        };
        match sign {
            _ if index < 2 => format!("{BOLD}{line}{BOLD:#}\n"),
            "+" => format!("{GREEN}{line}{GREEN:#}\n"),
            "-" => format!("{RED}{line}{RED:#}\n"),
            _ => format!("{line}\n"),
        }
    };
    text.lines().enumerate().map(paint).collect()
}

/// Returns the lines of the new text that no report shows.
fn hidden_lines<'f>(change: &'f FixedText, file: &'f CheckedFile) -> BTreeSet<&'f str> {
    let lines: Vec<_> = change.new.lines().collect();
    let regions = file.hidden.iter();
    let hidden = regions.flat_map(|region| {
        let (first, last) = (region.line.saturating_sub(1), region.end_line);
        lines.get(first as usize..last as usize).unwrap_or_default()
    });
    hidden.map(|line| line.trim()).collect()
}
