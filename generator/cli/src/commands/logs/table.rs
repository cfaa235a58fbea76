//! Connections as a table, the unhealthy first.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstyle::AnsiColor;
use stackgen_cfn::terminal::escape;
use stackgen_diagnose::logs::{
    ConnectionLife, ConnectionLives, ConnectionProblem, ProblemSeverity, duration_text,
};

use super::lines::{padded, shortened};
use super::options::LogOptions;
use super::range::{date, time_of_day};
use super::target::LogTarget;
use crate::error::CliError;
use crate::explanation::explanation_text;
use crate::style::{BOLD, DIM, GREEN, RED};
use crate::text::counted;
use crate::ui::Ui;

/// Largest number of connections that a cause names.
const MAX_NAMED: usize = 3;

/// A row of the table.
struct TableRow {
    cells: Vec<String>,
    severity: Option<ProblemSeverity>,
}

/// Prints the table, and with `--why` the causes.
pub(super) fn print(
    options: &LogOptions,
    target: &LogTarget,
    lives: &ConnectionLives,
    ui: &Ui,
) -> Result<(), CliError> {
    let selected: Vec<_> = lives.lives.iter().filter(|life| life.selected).collect();
    if selected.is_empty() {
        return ui.print(&format!(
            "no connection of {} is in the logs\n",
            target.title()
        ));
    }
    let limit = options.shown(selected.len());
    let mut text = table(&selected[..limit]);
    let hidden = selected.len() - limit;
    if hidden > 0 {
        let _ = writeln!(
            text,
            "{DIM}… and {hidden} more; `--limit 0` shows all{DIM:#}"
        );
    }
    let _ = writeln!(text, "\n{}", summary(&selected));
    let unjoined = unjoined(target, lives);
    if !unjoined.is_empty() {
        let _ = writeln!(text, "{DIM}lines without a connection: {unjoined}{DIM:#}");
    }
    if options.why {
        text += &causes(&selected);
    }
    ui.print(&text)
}

fn table(lives: &[&ConnectionLife]) -> String {
    let header = [
        "connection",
        "opened",
        "age",
        "handshake",
        "messages",
        "closed",
        "user",
        "problem",
    ];
    let rows: Vec<_> = lives.iter().map(|life| row(life)).collect();
    let mut widths: Vec<_> = header.iter().map(|name| name.len()).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(&row.cells) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[String]| {
        let (last, first) = cells.split_last().expect("a row has cells");
        let padded = first
            .iter()
            .zip(&widths)
            .map(|(cell, width)| padded(cell, *width));
        let mut text = padded.collect::<Vec<_>>().join("  ");
        text.push_str("  ");
        (text, last.clone())
    };
    let header: Vec<_> = header.iter().map(|name| (*name).to_owned()).collect();
    let (first, last) = line(&header);
    let mut text = format!("{DIM}{first}{last}{DIM:#}\n");
    for row in &rows {
        let cells: Vec<_> = row
            .cells
            .iter()
            .map(|cell| escape(cell).into_owned())
            .collect();
        let (first, problem) = line(&cells);
        let (first, style) = (first.trim_end(), style(row.severity));
        let gap = widths.iter().take(7).map(|width| width + 2).sum::<usize>();
        let pad = gap.saturating_sub(first.chars().count());
        match problem.is_empty() {
            true => {
                let _ = writeln!(text, "{first}");
            }
            false => {
                let _ = writeln!(text, "{first}{:pad$}{style}{problem}{style:#}", "");
            }
        }
    }
    text
}

fn row(life: &ConnectionLife) -> TableRow {
    let opened = life.opened_at.unwrap_or(life.first_at);
    let handshake = life.handshake();
    let status = handshake.and_then(|step| step.status);
    let authorizer = handshake.and_then(|step| step.authorizer.as_ref()?.latency_ms);
    let handshake = match (status, authorizer) {
        (None, _) => String::new(),
        (Some(status), None) => status.to_string(),
        (Some(status), Some(ms)) => format!("{status}, auth {ms} ms"),
    };
    let messages = life.messages().count();
    let failed = life.messages().filter(|step| step.is_failure()).count();
    let messages = match failed {
        0 => messages.to_string(),
        failed => format!("{messages}, {failed} failed"),
    };
    let closed = match &life.close {
        Some(close) => close
            .code
            .map_or_else(|| "yes".to_owned(), |code| code.to_string()),
        None => String::new(),
    };
    let user = [&life.user, &life.session].into_iter().flatten();
    let user = user
        .map(|text| shortened(text, 24))
        .collect::<Vec<_>>()
        .join(" ");
    let is_refused = life
        .handshake()
        .is_some_and(stackgen_diagnose::logs::RequestStep::is_failure);
    let age = life.age_ms().filter(|_| !is_refused);
    let problem = life.problems.first().map(|problem| problem.summary.clone());
    let others = match life.problems.len() {
        0 | 1 => String::new(),
        count => format!(" (+{})", count - 1),
    };
    TableRow {
        cells: vec![
            life.id.clone(),
            format!("{} {}", &date(opened)[5..], &time_of_day(opened)[..8]),
            age.map(duration_text).unwrap_or_default(),
            handshake,
            messages,
            closed,
            user,
            format!("{}{others}", problem.unwrap_or_default()),
        ],
        severity: life.problems.first().map(|problem| problem.severity),
    }
}

pub(super) fn style(severity: Option<ProblemSeverity>) -> anstyle::Style {
    match severity {
        Some(ProblemSeverity::Error) => RED,
        Some(ProblemSeverity::Warning) => AnsiColor::Yellow.on_default(),
        Some(ProblemSeverity::Note) => DIM,
        None => GREEN,
    }
}

/// Returns the numbers of connections by health and by close code.
fn summary(lives: &[&ConnectionLife]) -> String {
    let count = |wanted: Option<ProblemSeverity>| {
        let worst =
            |life: &&&ConnectionLife| life.problems.first().map(|one| one.severity) == wanted;
        lives.iter().filter(worst).count()
    };
    let healthy = count(None) + count(Some(ProblemSeverity::Note));
    let mut parts = Vec::new();
    let mut add = |number: usize, style: anstyle::Style, words: &str| {
        if number > 0 {
            parts.push(format!("{style}{number} {words}{style:#}"));
        }
    };
    let error = Some(ProblemSeverity::Error);
    let warning = Some(ProblemSeverity::Warning);
    add(count(error), style(error), "refused or failed");
    add(count(warning), style(warning), "with a warning");
    add(healthy, GREEN, "healthy");
    let total = counted(lives.len(), "connection");
    let mut codes: BTreeMap<u16, usize> = BTreeMap::new();
    let mut unknown = 0;
    for close in lives.iter().filter_map(|life| life.close.as_ref()) {
        match close.code {
            Some(code) => *codes.entry(code).or_default() += 1,
            None => unknown += 1,
        }
    }
    let mut closed: Vec<_> = codes
        .iter()
        .map(|(code, count)| format!("{code} ×{count}"))
        .collect();
    if unknown > 0 {
        closed.push(format!("unknown ×{unknown}"));
    }
    let closed = match closed.as_slice() {
        [] => String::new(),
        closed => format!("; closed with {}", closed.join(", ")),
    };
    format!("{BOLD}{total}{BOLD:#}: {}{closed}", parts.join(", "))
}

/// Returns the numbers of lines that belong to no connection.
fn unjoined(target: &LogTarget, lives: &ConnectionLives) -> String {
    let counts = target.sources.iter().zip(&lives.unjoined);
    let counts = counts.filter(|(_, count)| **count > 0);
    counts
        .map(|(source, count)| format!("{} {count}", source.name))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Returns the causes of problems, each once with the connections that have it.
fn causes(lives: &[&ConnectionLife]) -> String {
    let mut groups: Vec<(&ConnectionProblem, Vec<&str>)> = Vec::new();
    for life in lives {
        for problem in &life.problems {
            let Some(cause) = problem.causes.first() else {
                continue;
            };
            let same = |known: &&mut (&ConnectionProblem, Vec<&str>)| {
                known.0.causes[0].rows == cause.rows
                    && known.0.severity == problem.severity
                    && known.0.causes[0].evidence == cause.evidence
            };
            match groups.iter_mut().find(same) {
                Some((_, ids)) => ids.push(&life.id),
                None => groups.push((problem, vec![&life.id])),
            }
        }
    }
    groups.sort_by_key(|(problem, ids)| std::cmp::Reverse((problem.severity, ids.len())));
    let mut text = String::new();
    for (problem, ids) in groups {
        let style = style(Some(problem.severity));
        let named = ids
            .iter()
            .take(MAX_NAMED)
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        let more = match ids.len().saturating_sub(MAX_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let _ = write!(
            text,
            "\n{style}{}{style:#} {DIM}{}{more}{DIM:#}",
            escape(&problem.summary),
            escape(&named)
        );
        text += &problem_text(problem);
    }
    text
}

/// Returns the causes of a problem.
pub(super) fn problem_text(problem: &ConnectionProblem) -> String {
    let mut seen = Vec::new();
    let causes = problem.causes.iter();
    causes
        .map(|cause| explanation_text(cause, &mut seen))
        .collect()
}
