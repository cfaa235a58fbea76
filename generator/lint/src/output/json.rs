//! For programs: one document, whose fields stay what they are. What may be absent is `null`; fields may be added.

use serde::Serialize;
use stackgen_cfn::Sources;

use super::{Linted, Region, Results, Summary, Unread};
use crate::{Confidence, Finding, Place, Severity};

/// Grows when a field changes its meaning or goes.
const VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    version: u32,
    findings: Findings<'a>,
    suppressed: Vec<Meant<'a>>,
    errors: &'a [Unread],
    summary: &'a Summary,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct One<'a> {
    rule: &'static str,
    name: &'static str,
    severity: Severity,
    confidence: Confidence,
    message: &'a str,
    #[serde(flatten)]
    place: At<'a>,
    related: Vec<Beside<'a>>,
    hint: Option<&'a str>,
    rows: &'static [&'static str],
    fix: Option<&'a str>,
}

/// A place. Without a region when the template implies what stands there.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct At<'a> {
    file: &'a str,
    line: Option<u32>,
    column: Option<u32>,
    end_line: Option<u32>,
    end_column: Option<u32>,
    resource: Option<&'a str>,
    path: &'a [String],
}

#[derive(Serialize)]
struct Beside<'a> {
    message: &'a str,
    #[serde(flatten)]
    place: At<'a>,
}

#[derive(Serialize)]
struct Meant<'a> {
    reason: &'a str,
    #[serde(flatten)]
    finding: One<'a>,
}

/// The findings of files as a part of a document: the documents of other commands have them, too.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Findings<'a>(Vec<One<'a>>);

impl<'a> Findings<'a> {
    /// In the order of the files.
    pub fn of(linted: impl IntoIterator<Item = &'a Linted>) -> Self {
        let findings = linted.into_iter().flat_map(|file| {
            let findings = file.report.findings.iter();
            findings.map(|finding| One::new(finding, file))
        });
        Findings(findings.collect())
    }
}

/// The document, and a line break.
pub fn render(results: &Results<'_>) -> String {
    let linted = results.linted.iter();
    let findings = Findings::of(results.linted);
    let suppressed = linted.flat_map(|file| {
        let suppressed = file.report.suppressed.iter();
        suppressed.map(|one| Meant {
            reason: &one.reason,
            finding: One::new(&one.finding, file),
        })
    });
    let document = Document {
        version: VERSION,
        findings,
        suppressed: suppressed.collect(),
        errors: results.unread,
        summary: results.summary,
    };
    super::pretty(&document)
}

impl<'a> One<'a> {
    fn new(finding: &'a Finding, file: &'a Linted) -> Self {
        let related = finding.related.iter().map(|related| Beside {
            message: &related.label,
            place: At::new(&related.place, &file.file, &file.sources),
        });
        One {
            rule: finding.rule.id,
            name: finding.rule.name,
            severity: finding.severity,
            confidence: finding.confidence,
            message: &finding.message,
            place: At::new(&finding.place, &file.file, &file.sources),
            related: related.collect(),
            hint: finding.hint.as_deref(),
            rows: finding.rule.rows,
            fix: finding.fix.as_ref().map(|fix| fix.title.as_str()),
        }
    }
}

impl<'a> At<'a> {
    fn new(place: &'a Place, file: &'a str, sources: &'a Sources) -> Self {
        let region = Region::of(place.span, sources);
        // A place in the earlier revision names that.
        let named = sources.location(place.span).map(|location| location.file);
        At {
            file: named.unwrap_or(file),
            line: region.map(|region| region.line),
            column: region.map(|region| region.column),
            end_line: region.map(|region| region.end_line),
            end_column: region.map(|region| region.end_column),
            resource: place.resource.as_ref().map(|id| id.as_str()),
            path: &place.path,
        }
    }
}
