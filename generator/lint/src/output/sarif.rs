//! SARIF 2.1.0 for code scanning and editors.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use stackgen_cfn::{Node, Source};

use super::{LintResults, LintedFile, Region, UnreadableFile, page, property};
use crate::fix::apply;
use crate::{Confidence, Finding, Fix, Location, Rule, Severity, SuppressedFinding};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Base of relative URIs: the folder in which the linter ran.
const ROOT: &str = "%SRCROOT%";

/// Returns the log and a line break. It describes only rules with results.
pub fn render(results: &LintResults<'_>) -> String {
    let mut rules = RuleIndex::default();
    let mut all_results = Vec::new();
    for file in results.linted {
        all_results.extend(file_results(file, results, &mut rules));
    }
    let notifications: Vec<_> = results.unread.iter().map(notification).collect();
    let rules: Vec<_> = rules.0.iter().map(|rule| descriptor(rule)).collect();
    super::pretty(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "stackgen",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {
                ROOT: { "description": { "text": "The folder that stackgen lint was run in" } },
            },
            "invocations": [{
                "executionSuccessful": results.unread.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": all_results,
        }],
    }))
}

/// Rules with results, in the order of their first result.
#[derive(Default)]
struct RuleIndex(Vec<&'static Rule>);

impl RuleIndex {
    fn index(&mut self, rule: &'static Rule) -> usize {
        let known = self.0.iter().position(|known| known.id == rule.id);
        known.unwrap_or_else(|| {
            self.0.push(rule);
            self.0.len() - 1
        })
    }
}

fn file_results(file: &LintedFile, results: &LintResults<'_>, rules: &mut RuleIndex) -> Vec<Json> {
    let report = &file.report;
    let suppressed = report.suppressed.iter().filter(|_| results.with_suppressed);
    let all = report.findings.iter().map(|finding| (finding, None));
    let all = all.chain(suppressed.map(|entry| (&entry.finding, Some(entry))));
    let template = FixableTemplate::of(file);
    let mut times = BTreeMap::new();
    let mut fixes_left = template.as_ref().map_or(0, FixableTemplate::max_fixes);
    all.map(|(finding, suppressed)| {
        let mut entry = result(finding, suppressed, file, rules.index(finding.rule));
        entry["partialFingerprints"] =
            json!({ "stackgenWiring/v1": fingerprint(finding, &mut times) });
        if results.has_baseline && suppressed.is_none() {
            entry["baselineState"] = json!("new");
        }
        let fix = finding.fix.as_ref();
        let fix = fix.filter(|_| !finding.location.hidden && fixes_left > 0);
        fixes_left -= usize::from(fix.is_some());
        if let Some(fix) = fix.and_then(|fix| template.as_ref()?.fix_json(fix, file)) {
            entry["fixes"] = json!([fix]);
        }
        entry
    })
    .collect()
}

fn result(
    finding: &Finding,
    suppressed: Option<&SuppressedFinding>,
    file: &LintedFile,
    rule_index: usize,
) -> Json {
    let mut text = finding.message.clone();
    if let Some(hint) = &finding.hint {
        text = format!("{text}\n{hint}");
    }
    let related = finding.related.iter().enumerate().map(|(id, related)| {
        let mut location = location(&related.location, file);
        location["id"] = json!(id);
        location["message"] = json!({ "text": related.label });
        location
    });
    let related: Vec<_> = related.collect();
    let mut entry = json!({
        "ruleId": finding.rule.id,
        "ruleIndex": rule_index,
        "level": level(finding.severity),
        "message": { "text": text },
        "locations": [location(&finding.location, file)],
        "properties": { "confidence": finding.confidence },
    });
    if !related.is_empty() {
        entry["relatedLocations"] = json!(related);
    }
    if let Some(suppressed) = suppressed {
        let mut suppression = json!({ "kind": "inSource" });
        if !suppressed.reason.is_empty() {
            suppression["justification"] = json!(suppressed.reason);
        }
        entry["suppressions"] = json!([suppression]);
    }
    entry
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// Returns an identifier that stays the same if lines move: the rule, the resource, the property, and a counter.
fn fingerprint(finding: &Finding, times: &mut BTreeMap<String, usize>) -> String {
    let resource = finding.location.resource.as_ref();
    let resource = resource.map_or("", |id| id.as_str());
    let key = format!("{}/{resource}/{}", finding.rule.id, property(finding));
    let time = times.entry(key.clone()).or_default();
    *time += 1;
    format!("{key}/{time}")
}

fn location(place: &Location, file: &LintedFile) -> Json {
    let named = file.sources.location(place.span);
    let name = named.map_or(file.file.as_str(), |location| location.file);
    let mut physical = json!({ "artifactLocation": artifact(name) });
    if let Some(region) = Region::of(place.span, &file.sources) {
        physical["region"] = region_json(region);
    }
    let mut location = json!({ "physicalLocation": physical });
    if let Some(resource) = &place.resource {
        let mut path = vec![resource.as_str()];
        path.extend(place.path.iter().map(String::as_str));
        location["logicalLocations"] = json!([{
            "name": resource.as_str(),
            "fullyQualifiedName": path.join("."),
            "kind": "resource",
        }]);
    }
    location
}

fn region_json(region: Region) -> Json {
    json!({
        "startLine": region.line,
        "startColumn": region.column,
        "endLine": region.end_line,
        "endColumn": region.end_column,
    })
}

/// Returns a file's name as a URI; a relative one is relative to the root.
fn artifact(name: &str) -> Json {
    let portable = match cfg!(windows) {
        true => name.replace('\\', "/"),
        false => name.to_owned(),
    };
    let has_drive = cfg!(windows) && portable.as_bytes().get(1) == Some(&b':');
    match portable.strip_prefix('/') {
        Some(rest) => json!({ "uri": format!("file:///{}", encoded(rest)) }),
        None if has_drive => json!({ "uri": format!("file:///{}", encoded(&portable)) }),
        None => json!({ "uri": encoded(&portable), "uriBaseId": ROOT }),
    }
}

/// Percent-encodes every byte that is special in URIs.
fn encoded(path: &str) -> String {
    let mut encoded = String::new();
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte));
            }
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn descriptor(rule: &Rule) -> Json {
    let text = page::text(rule);
    let precision = match rule.confidence {
        Confidence::High => "very-high",
        Confidence::Medium => "high",
        Confidence::Low => "low",
    };
    let problem = match rule.severity {
        Severity::Note => "recommendation",
        severity => level(severity),
    };
    json!({
        "id": rule.id,
        "name": rule.name,
        "shortDescription": { "text": rule.title() },
        "fullDescription": { "text": rule.title() },
        "help": { "text": text, "markdown": page::markdown(rule) },
        "helpUri": page::url(rule),
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": {
            "tags": ["api-gateway", "cloudformation", "websocket"],
            "precision": precision,
            "problem.severity": problem,
            "rows": rule.rows,
        },
    })
}

fn notification(unread: &UnreadableFile) -> Json {
    let mut text = unread.message.clone();
    if let Some(hint) = &unread.hint {
        text = format!("{text}\n{hint}");
    }
    let mut notification = json!({ "level": "error", "message": { "text": text } });
    if let Some(file) = &unread.file {
        let mut physical = json!({ "artifactLocation": artifact(file) });
        if let (Some(line), Some(column)) = (unread.line, unread.column) {
            physical["region"] = json!({ "startLine": line, "startColumn": column });
        }
        notification["locations"] = json!([{ "physicalLocation": physical }]);
    }
    notification
}

/// A file with fixable findings.
struct FixableTemplate<'a> {
    source: &'a Source,
    node: Node,
}

impl<'a> FixableTemplate<'a> {
    /// Returns `None` if nothing can be fixed.
    fn of(file: &'a LintedFile) -> Option<Self> {
        let mut findings = file.report.findings.iter();
        let fixable = findings.find(|finding| finding.fix.is_some())?;
        let source = file.sources.get(fixable.location.span.file?)?;
        let node = stackgen_cfn::parse(source).ok()?;
        Some(FixableTemplate { source, node })
    }

    /// Returns the maximum number of fixes in the log. Each one requires writing and parsing the whole text.
    fn max_fixes(&self) -> usize {
        const MAX_BYTES: usize = 4 << 20;
        MAX_BYTES / self.source.text().len().max(1)
    }

    /// Returns the changed range of a fix, or `None` if the fix cannot be applied.
    fn fix_json(&self, fix: &Fix, file: &LintedFile) -> Option<Json> {
        let old = self.source.text();
        let new = apply(self.source, &self.node, &[fix]).text;
        if new == old {
            return None;
        }
        let same = |(a, b): &(char, char)| a == b;
        let start: usize = old
            .chars()
            .zip(new.chars())
            .take_while(same)
            .map(|(c, _)| c.len_utf8())
            .sum();
        let (rest, others) = (old.get(start..)?, new.get(start..)?);
        let end: usize = rest
            .chars()
            .rev()
            .zip(others.chars().rev())
            .take_while(same)
            .map(|(c, _)| c.len_utf8())
            .sum();
        let inserted = others.get(..others.len() - end)?;
        let deleted = between(old, start, old.len() - end);
        Some(json!({
            "description": { "text": fix.title },
            "artifactChanges": [{
                "artifactLocation": artifact(&file.file),
                "replacements": [{
                    "deletedRegion": region_json(deleted),
                    "insertedContent": { "text": inserted },
                }],
            }],
        }))
    }
}

/// Returns the region of a range.
fn between(text: &str, start: usize, end: usize) -> Region {
    let place = |at: usize| {
        let before = &text[..at];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        (
            number(before.matches('\n').count() + 1),
            number(before[line_start..].chars().count() + 1),
        )
    };
    let ((line, column), (end_line, end_column)) = (place(start), place(end));
    Region {
        line,
        column,
        end_line,
        end_column,
    }
}
