//! JUnit XML for CI servers: one suite per file, one failure per finding.

use std::fmt::Write;

use super::{LintResults, LintedFile, UnreadableFile, property};
use crate::{Finding, Severity};

/// Returns the document. A file without findings is a suite with one passing test.
pub fn render(results: &LintResults<'_>) -> String {
    let mut suites = String::new();
    let (mut tests, mut failures, mut errors, mut skipped) = (0, 0, 0, 0);
    for file in results.linted {
        let failed = file.report.findings.len();
        let suppressed = match results.with_suppressed {
            true => file.report.suppressed.len(),
            false => 0,
        };
        let all = (failed + suppressed).max(1);
        suites.push_str(&suite(file, all, failed, suppressed));
        (tests, failures, skipped) = (tests + all, failures + failed, skipped + suppressed);
    }
    for unread in results.unread {
        suites.push_str(&unreadable_suite(unread));
        (tests, errors) = (tests + 1, errors + 1);
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"stackgen lint\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\">\n\
         {suites}</testsuites>\n"
    )
}

fn suite(file: &LintedFile, all: usize, failed: usize, suppressed: usize) -> String {
    let name = attribute(&file.file);
    let mut text = format!(
        "  <testsuite name=\"{name}\" tests=\"{all}\" failures=\"{failed}\" errors=\"0\" skipped=\"{suppressed}\">\n"
    );
    for finding in &file.report.findings {
        let _ = writeln!(text, "    <testcase {}>", case(finding, file));
        let kind = severity(finding.severity);
        let message = attribute(&finding.message);
        let body = content(&body(finding, file));
        let _ = writeln!(
            text,
            "      <failure type=\"{kind}\" message=\"{message}\">{body}</failure>\n    </testcase>"
        );
    }
    for one in file.report.suppressed.iter().take(suppressed) {
        let _ = writeln!(text, "    <testcase {}>", case(&one.finding, file));
        let reason = attribute(&one.reason);
        let _ = writeln!(
            text,
            "      <skipped message=\"{reason}\"/>\n    </testcase>"
        );
    }
    if failed + suppressed == 0 {
        let _ = writeln!(text, "    <testcase name=\"wiring\" classname=\"{name}\"/>");
    }
    text + "  </testsuite>\n"
}

fn case(finding: &Finding, file: &LintedFile) -> String {
    let mut name = format!("{} {}", finding.rule.id, finding.rule.name);
    if let Some(resource) = &finding.location.resource {
        let _ = write!(name, ": {resource}");
        if !finding.location.path.is_empty() {
            let _ = write!(name, ".{}", property(finding));
        }
    }
    let (name, class) = (attribute(&name), attribute(&file.file));
    let mut text = format!("name=\"{name}\" classname=\"{class}\" file=\"{class}\"");
    if let Some(region) = file.region(finding) {
        let _ = write!(text, " line=\"{}\"", region.line);
    }
    text
}

fn body(finding: &Finding, file: &LintedFile) -> String {
    let mut text = file.file.clone();
    if let Some(region) = file.region(finding) {
        let _ = write!(text, ":{}:{}", region.line, region.column);
    }
    let _ = write!(text, ": {}", finding.message);
    for related in &finding.related {
        if let Some(location) = file.sources.location(related.location.span) {
            let _ = write!(text, "\n{location}: {}", related.label);
        }
    }
    if let Some(hint) = &finding.hint {
        let _ = write!(text, "\nhelp: {hint}");
    }
    text
}

fn unreadable_suite(unread: &UnreadableFile) -> String {
    let name = attribute(unread.file.as_deref().unwrap_or("stackgen lint"));
    let message = attribute(&unread.message);
    let mut body = String::new();
    if let (Some(line), Some(column)) = (unread.line, unread.column) {
        let _ = write!(body, "{line}:{column}: ");
    }
    body.push_str(&unread.message);
    if let Some(hint) = &unread.hint {
        let _ = write!(body, "\nhelp: {hint}");
    }
    let body = content(&body);
    format!(
        "  <testsuite name=\"{name}\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\">\n    \
         <testcase name=\"read\" classname=\"{name}\">\n      \
         <error type=\"input\" message=\"{message}\">{body}</error>\n    \
         </testcase>\n  </testsuite>\n"
    )
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// Escapes text between tags. Characters that XML 1.0 forbids are written as Rust escapes.
fn content(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\n' | '\t' => escaped.push(c),
            '\r' => escaped.push_str("&#13;"),
            '\u{fffe}' | '\u{ffff}' => escaped.extend(c.escape_unicode()),
            c if c.is_control() => escaped.extend(c.escape_unicode()),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Escapes text between double quotes, where parsers turn unescaped line breaks into blanks.
fn attribute(text: &str) -> String {
    content(text)
        .replace('"', "&quot;")
        .replace('\n', "&#10;")
        .replace('\t', "&#9;")
}
