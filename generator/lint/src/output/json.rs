//! JSON for programs: one document with stable fields. Absent values are `null`; new fields may be added.

use serde::Serialize;
use stackgen_cfn::Sources;

use super::{LintResults, LintedFile, Region, Summary, UnreadableFile};
use crate::{Confidence, Finding, Location, Severity};

/// Increases if a field changes its meaning or is removed.
const VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonReport<'a> {
    version: u32,
    findings: Findings<'a>,
    suppressed: Vec<JsonSuppressed<'a>>,
    errors: &'a [UnreadableFile],
    summary: &'a Summary,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonFinding<'a> {
    rule: &'static str,
    name: &'static str,
    severity: Severity,
    confidence: Confidence,
    message: &'a str,
    #[serde(flatten)]
    location: JsonLocation<'a>,
    related: Vec<JsonRelated<'a>>,
    hint: Option<&'a str>,
    rows: &'static [&'static str],
    fix: Option<&'a str>,
}

/// A location. Has no region if SAM generates the resource.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonLocation<'a> {
    file: &'a str,
    line: Option<u32>,
    column: Option<u32>,
    end_line: Option<u32>,
    end_column: Option<u32>,
    resource: Option<&'a str>,
    path: &'a [String],
}

#[derive(Serialize)]
struct JsonRelated<'a> {
    message: &'a str,
    #[serde(flatten)]
    location: JsonLocation<'a>,
}

#[derive(Serialize)]
struct JsonSuppressed<'a> {
    reason: &'a str,
    #[serde(flatten)]
    finding: JsonFinding<'a>,
}

/// Findings of files, which are also part of the documents of other commands.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Findings<'a>(Vec<JsonFinding<'a>>);

impl<'a> Findings<'a> {
    /// Returns the findings in the order of the files.
    pub fn of(linted: impl IntoIterator<Item = &'a LintedFile>) -> Self {
        let findings = linted.into_iter().flat_map(|file| {
            let findings = file.report.findings.iter();
            findings.map(|finding| JsonFinding::new(finding, file))
        });
        Findings(findings.collect())
    }
}

/// Returns the document and a line break.
pub fn render(results: &LintResults<'_>) -> String {
    let linted = results.linted.iter();
    let findings = Findings::of(results.linted);
    let suppressed = linted.flat_map(|file| {
        let suppressed = file.report.suppressed.iter();
        suppressed.map(|one| JsonSuppressed {
            reason: &one.reason,
            finding: JsonFinding::new(&one.finding, file),
        })
    });
    let document = JsonReport {
        version: VERSION,
        findings,
        suppressed: suppressed.collect(),
        errors: results.unread,
        summary: results.summary,
    };
    super::pretty(&document)
}

impl<'a> JsonFinding<'a> {
    fn new(finding: &'a Finding, file: &'a LintedFile) -> Self {
        let related = finding.related.iter().map(|related| JsonRelated {
            message: &related.label,
            location: JsonLocation::new(&related.location, &file.file, &file.sources),
        });
        JsonFinding {
            rule: finding.rule.id,
            name: finding.rule.name,
            severity: finding.severity,
            confidence: finding.confidence,
            message: &finding.message,
            location: JsonLocation::new(&finding.location, &file.file, &file.sources),
            related: related.collect(),
            hint: finding.hint.as_deref(),
            rows: finding.rule.rows,
            fix: finding.fix.as_ref().map(|fix| fix.title.as_str()),
        }
    }
}

impl<'a> JsonLocation<'a> {
    fn new(location: &'a Location, file: &'a str, sources: &'a Sources) -> Self {
        let region = Region::of(location.span, sources);
        // A location in the earlier revision names that file.
        let named = sources
            .location(location.span)
            .map(|location| location.file);
        JsonLocation {
            file: named.unwrap_or(file),
            line: region.map(|region| region.line),
            column: region.map(|region| region.column),
            end_line: region.map(|region| region.end_line),
            end_column: region.map(|region| region.end_column),
            resource: location.resource.as_ref().map(|id| id.as_str()),
            path: &location.path,
        }
    }
}
