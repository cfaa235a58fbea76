//! The report for people.

use std::fmt::Write;

use serde_json::json;
use stackgen_cfn::terminal::escape;
use stackgen_deploy::DeployError;
use stackgen_diagnose::doctor::{
    CheckSummary, DoctorFinding, DoctorReport, DoctorSeverity, UnreadReason,
};

use crate::style::{BOLD, CYAN, DIM, GREEN, RED};
use crate::text::counted;

/// Returns the report: the worst first, everything healthy in one line.
pub(super) fn text(report: &DoctorReport) -> String {
    let mut text = format!(
        "{BOLD}{}{BOLD:#} ({}), stage {}: {}\n",
        escape(&report.api.name),
        report.api.id,
        report.stage,
        verdict(report)
    );
    if let Some(symptom) = report.symptom {
        let rows = rows(symptom.rows);
        let _ = writeln!(
            text,
            "  {DIM}symptom{DIM:#}    {}{rows}: {}",
            symptom.name, symptom.meaning
        );
    }
    for finding in &report.findings {
        text.push('\n');
        text.push_str(&finding_text(finding));
    }
    text.push('\n');
    if !report.healthy.is_empty() {
        let _ = writeln!(
            text,
            "{GREEN}healthy{GREEN:#}      {}: {}",
            counted(report.healthy.len(), "check"),
            ids(&report.healthy)
        );
    }
    add_unread(&mut text, report);
    text
}

fn finding_text(finding: &DoctorFinding) -> String {
    let style = match finding.severity {
        DoctorSeverity::Problem | DoctorSeverity::Warning => RED,
        DoctorSeverity::Note => CYAN,
    };
    let mut text = format!(
        "{style}{}{style:#} {BOLD}{}{BOLD:#} {} ({}){}\n",
        finding.severity.name(),
        finding.id,
        escape(&finding.title),
        finding.confidence.name(),
        rows(&finding.rows)
    );
    for (word, value) in [
        ("looked at", &finding.looked_at),
        ("found", &finding.found),
        ("next", &finding.next_step),
    ] {
        let _ = writeln!(text, "  {DIM}{word:<10}{DIM:#} {}", escape(value));
    }
    text
}

/// Returns rows in words: ` (rows A2, A6)`.
fn rows(rows: &[&str]) -> String {
    match rows {
        [] => String::new(),
        [row] => format!(" (row {row})"),
        rows => format!(" (rows {})", rows.join(", ")),
    }
}

fn verdict(report: &DoctorReport) -> String {
    let count = |severity| {
        report
            .findings
            .iter()
            .filter(|one| one.severity == severity)
            .count()
    };
    let counts = [
        (RED, count(DoctorSeverity::Problem), "problem"),
        (RED, count(DoctorSeverity::Warning), "warning"),
        (CYAN, count(DoctorSeverity::Note), "note"),
    ];
    let counts = counts.into_iter().filter(|(_, count, _)| *count > 0);
    let counts: Vec<_> = counts
        .map(|(style, count, word)| format!("{style}{}{style:#}", counted(count, word)))
        .collect();
    match (counts.is_empty(), report.incomplete.is_empty()) {
        (false, _) => counts.join(", "),
        (true, true) => format!("{GREEN}healthy{GREEN:#}"),
        (true, false) => format!("{GREEN}nothing found{GREEN:#} in what could be read"),
    }
}

fn ids<'a>(checks: impl IntoIterator<Item = &'a CheckSummary>) -> String {
    let ids = checks.into_iter().map(|check| check.id);
    ids.collect::<Vec<_>>().join(" ")
}

fn add_unread(text: &mut String, report: &DoctorReport) {
    for (question, checks) in report.open_questions() {
        let _ = writeln!(
            text,
            "{CYAN}not known{CYAN:#}    {}: {}; {DIM}needed:{DIM:#} {}",
            checks.join(" "),
            escape(&question.unknown),
            escape(&question.remedy)
        );
    }
    if report.unread.is_empty() {
        return;
    }
    let unread = report
        .incomplete
        .iter()
        .filter(|one| !one.unread.is_empty());
    let _ = writeln!(
        text,
        "{CYAN}not read{CYAN:#}     needed by {}:",
        ids(unread)
    );
    for permission in report.missing_permissions() {
        let _ = writeln!(
            text,
            "  {DIM}denied{DIM:#}     the caller needs {}",
            escape(permission)
        );
    }
    let mut absent: Vec<_> = Vec::new();
    for one in &report.unread {
        match one.reason {
            UnreadReason::Denied => {}
            UnreadReason::NoService => absent.push(one.part.name()),
            UnreadReason::Failed => {
                let message = escape(&one.message);
                let _ = writeln!(
                    text,
                    "  {DIM}failed{DIM:#}     {}: {message}",
                    one.part.name()
                );
            }
        }
    }
    absent.dedup();
    if !absent.is_empty() {
        let _ = writeln!(
            text,
            "  {DIM}not here{DIM:#}   this endpoint does not have: {}",
            absent.join(", ")
        );
    }
}

/// Returns the text for an API that could not be read.
pub(super) fn denied(error: &DeployError) -> String {
    let hint = error.hint().unwrap_or_default();
    format!(
        "{CYAN}not read{CYAN:#}     the API and its stage, which every check needs: {}\n  {DIM}denied{DIM:#}     {}\n",
        escape(&error.to_string()),
        escape(&hint)
    )
}

/// Returns the same for programs.
pub(super) fn denied_json(error: &DeployError) -> serde_json::Value {
    let permission = match error {
        DeployError::Account(error) => Some(error.permission.as_str()),
        _ => None,
    };
    json!({ "reason": "denied", "permission": permission, "message": error.to_string() })
}
