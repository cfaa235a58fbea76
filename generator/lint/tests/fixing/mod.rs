//! Fixes of the fixtures: they remove the finding and keep comments.

use stackgen_cfn::{Entry, Node, Sources, Span};
use stackgen_lint::{Edit, Finding, Fix, LintInput, Rule, Severity, apply, lint};

/// A parsed and linted text.
struct LintedText {
    sources: Sources,
    template: Node,
    findings: Vec<Finding>,
}

fn linted(text: &str, previous: Option<&str>) -> LintedText {
    let mut sources = Sources::new();
    let previous = previous.map(|text| stackgen_cfn::parse(sources.add("previous", text)).unwrap());
    let source = sources.add("template", text);
    let template =
        stackgen_cfn::parse(source).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let report = lint(&LintInput {
        template: &template,
        source: Some(source),
        previous: previous.as_ref(),
    });
    let findings = report.findings;
    LintedText {
        sources,
        template,
        findings,
    }
}

impl LintedText {
    fn fixes(&self, rule: &Rule) -> Vec<&Fix> {
        let of_rule = self
            .findings
            .iter()
            .filter(|finding| finding.rule.id == rule.id);
        of_rule.filter_map(|finding| finding.fix.as_ref()).collect()
    }

    /// Returns the text with all fixes of a rule.
    fn fixed(&self, text: &str, rule: &Rule, about: &str) -> String {
        let file = self.template.span.file.unwrap();
        let fixes = self.fixes(rule);
        let applied = apply(self.sources.get(file).unwrap(), &self.template, &fixes);
        let left: Vec<_> = applied.left.iter().map(|&index| fixes[index]).collect();
        assert!(
            left.is_empty(),
            "{about}: {left:?} cannot be done to\n{text}"
        );
        applied.text
    }

    /// Returns the number of a rule's findings, and the errors and warnings of other rules.
    fn findings(&self, rule: &Rule) -> (usize, Vec<&str>) {
        let (of_rule, others): (Vec<_>, Vec<_>) = self
            .findings
            .iter()
            .partition(|finding| finding.rule.id == rule.id);
        let loud = others
            .into_iter()
            .filter(|finding| finding.severity > Severity::Note);
        (
            of_rule.len(),
            loud.map(|finding| finding.message.as_str()).collect(),
        )
    }
}

/// Fixes a text with a mistake, and again with a comment on every line. No finding with a fix may remain, and no new
/// one may appear. Returns true if there is a fix.
pub(crate) fn check(about: &str, rule: &Rule, text: &str, previous: Option<&str>) -> bool {
    let bad = linted(text, previous);
    let fixes = bad.fixes(rule).len();
    if fixes == 0 {
        return false;
    }
    let fixed = bad.fixed(text, rule, about);
    let cured = linted(&fixed, previous);
    assert!(
        cured.fixes(rule).is_empty(),
        "{about} is not cured by its fix:\n{fixed}"
    );
    let (before, (after, others)) = (bad.findings(rule).0, cured.findings(rule));
    assert!(
        after + fixes <= before,
        "{about}: {after} of {before} findings are left:\n{fixed}"
    );
    assert!(
        others.is_empty(),
        "{about}: {others:?} after the fix:\n{fixed}"
    );
    if !text.starts_with('{') {
        comments_stay(about, rule, text, previous);
    }
    true
}

fn comments_stay(about: &str, rule: &Rule, text: &str, previous: Option<&str>) {
    let commented = with_comments(text);
    let bad = linted(&commented, previous);
    let removed = removed_lines(&bad, rule, &commented);
    let fixed = bad.fixed(&commented, rule, about);
    for (index, line) in commented.lines().enumerate() {
        let comment = format!(" # line {index}.");
        let is_kept =
            fixed.contains(&comment) || removed.contains(&index) || !line.ends_with(&comment);
        assert!(
            is_kept,
            "{about}: the comment of line {} is lost:\n{fixed}",
            index + 1
        );
    }
}

/// Returns the text with a comment on every line outside multi-line strings.
fn with_comments(text: &str) -> String {
    let commented = |line: (usize, &str)| format!("{} # line {}.\n", line.1, line.0);
    let all: String = text.lines().enumerate().map(commented).collect();
    let parse = |text: &str| stackgen_cfn::parse(Sources::new().add("t", text));
    if parse(&all) == parse(text) {
        return all;
    }
    let mut lines: Vec<_> = text.lines().map(|line| format!("{line}\n")).collect();
    for (index, line) in text.lines().enumerate() {
        let bare = std::mem::replace(&mut lines[index], commented((index, line)));
        if parse(&lines.concat()) != parse(text) {
            lines[index] = bare;
        }
    }
    lines.concat()
}

/// Returns the lines of the entries that the fixes remove.
fn removed_lines(bad: &LintedText, rule: &Rule, text: &str) -> Vec<usize> {
    fn of_key(node: &Node, key: Span) -> Option<Span> {
        let children: Vec<&Node> = match (node.as_map(), node.as_list(), node.as_call()) {
            (Some(map), ..) => {
                let mut entries = map.entries().map(|(_, entry)| entry);
                let is_it = |entry: &&Entry| [entry.key_span, entry.node.span].contains(&key);
                if let Some(entry) = entries.find(is_it) {
                    return Some(entry.key_span.to(entry.node.span));
                }
                map.iter().map(|(_, node)| node).collect()
            }
            (_, Some(items), _) => items.iter().collect(),
            (.., Some(call)) => vec![&call.argument],
            _ => Vec::new(),
        };
        children.into_iter().find_map(|child| of_key(child, key))
    }
    let edits = bad.fixes(rule).into_iter().flat_map(|fix| &fix.edits);
    let spans = edits.filter_map(|edit| match edit {
        Edit::Remove { key } => of_key(&bad.template, *key),
        Edit::Replace { value, .. }
            if text[value.start as usize..value.end as usize].contains('\n') =>
        {
            Some(*value)
        }
        _ => None,
    });
    let line = |offset: u32| text[..offset as usize].matches('\n').count();
    spans
        .flat_map(|span| line(span.start)..=line(span.end))
        .collect()
}
