//! Edits values within brackets: JSON and YAML in flow style.

use stackgen_cfn::emit;
use stackgen_cfn::{Entry, Map, Node, Value};

use super::document::{CollectionChanges, Document, Splice};
use super::sites::{NodeSite, SiteParent};
use crate::lines;

/// Replaces a value.
pub(super) fn replace(
    document: &Document<'_>,
    site: &NodeSite<'_>,
    with: &Node,
) -> Option<Vec<Splice>> {
    let text = document.text;
    let lead = document.lead(site).unwrap_or_default();
    let start = lead.max(site.node.span.start as usize);
    let end = document.end(site.node);
    let begin = match site.parent {
        SiteParent::Entry { key } => key.start as usize,
        _ => start,
    };
    let indent = lines::before(text, begin);
    let indent = lines::is_blank(indent).then_some(indent);
    let value = written(document, &text[start..end], with, indent);
    let blank = if start == end { " " } else { "" };
    Some(vec![Splice::new(start, end, format!("{blank}{value}"))])
}

/// Formats a value within brackets. In JSON with line breaks it has its own lines, if their indentation is given.
fn written(document: &Document<'_>, like: &str, node: &Node, indent: Option<&str>) -> String {
    let has_inside = !matches!(&node.value, Value::List(items) if items.is_empty())
        && !matches!(&node.value, Value::Map(map) if map.is_empty())
        && matches!(node.value, Value::List(_) | Value::Map(_) | Value::Call(_));
    match indent {
        Some(indent) if document.is_json && has_inside && document.text.trim().contains('\n') => {
            let json = emit::json(node);
            let lines = json.trim_end().lines().map(|line| {
                let rest = line.trim_start_matches(' ');
                format!(
                    "{}{rest}",
                    document.unit.repeat((line.len() - rest.len()) / 2)
                )
            });
            lines
                .collect::<Vec<_>>()
                .join(&format!("{}{indent}", document.newline))
        }
        _ => document.line(like, true, node),
    }
}

/// An entry of a mapping or an element of a list.
#[derive(Clone, Copy)]
struct FlowMember {
    start: usize,
    end: usize,
    /// Offset of its comma.
    comma: Option<usize>,
    is_removed: bool,
}

impl FlowMember {
    fn new(document: &Document<'_>, start: u32, value: &Node, is_removed: bool) -> Self {
        let end = document.end(value);
        let token = lines::token(document.text, end);
        FlowMember {
            start: start as usize,
            end,
            comma: document.text[token..].starts_with(',').then_some(token),
            is_removed,
        }
    }

    /// Returns its end including the comma.
    fn after(&self) -> usize {
        self.comma.map_or(self.end, |comma| comma + 1)
    }

    /// Returns true if its lines contain nothing else but a comment.
    fn is_alone(&self, text: &str) -> bool {
        lines::is_blank(lines::before(text, self.start))
            && lines::is_blank_or_comment(lines::behind(text, self.after()))
    }

    fn remove(&self, text: &str) -> Splice {
        let after = self.after();
        let rest = lines::behind(text, after);
        if self.is_alone(text) {
            return Splice::remove(lines::start(text, self.start), lines::next(text, after));
        }
        if self.comma.is_some() && !lines::is_blank_or_comment(rest) {
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            return Splice::remove(self.start, after + blanks);
        }
        let before = lines::before(text, self.start);
        let blanks = before.len() - before.trim_end_matches([' ', '\t']).len();
        Splice::remove(self.start - blanks, after)
    }
}

/// Changes the entries of a mapping or the elements of a list.
pub(super) fn change(
    document: &Document<'_>,
    site: &NodeSite<'_>,
    changes: &CollectionChanges<'_>,
) -> Option<Vec<Splice>> {
    match &site.node.value {
        Value::Map(map) => entries(document, site, map, changes),
        Value::List(items) => {
            let member = |item: &Node| FlowMember::new(document, item.span.start, item, false);
            let members: Vec<_> = items.iter().map(member).collect();
            let with = |indent: Option<&str>| {
                let items = changes.appended.iter();
                items
                    .map(|item| written(document, "", item, indent))
                    .collect()
            };
            insert(document, members.last()?, members.last()?, with)
        }
        _ => None,
    }
}

fn entries(
    document: &Document<'_>,
    site: &NodeSite<'_>,
    map: &Map,
    changes: &CollectionChanges<'_>,
) -> Option<Vec<Splice>> {
    let text = document.text;
    let member = |(_, entry): (&str, &Entry)| {
        let is_removed = changes.removed.contains(&entry.key_span);
        FlowMember::new(document, entry.key_span.start, &entry.node, is_removed)
    };
    let members: Vec<_> = map.entries().map(member).collect();
    let (_, beside) = map.entries().next()?;
    let with = |indent: Option<&str>| new_entries(document, beside, changes, indent);
    let (first, last) = (members.first()?, members.last()?);
    let removals = members.iter().filter(|member| member.is_removed);
    match members.iter().rfind(|member| !member.is_removed) {
        None if changes.inserted.is_empty() => Some(empty(document, site, &members)),
        None => {
            let mut splices = vec![Splice::new(first.start, first.end, with(None).join(", "))];
            splices.extend(removals.skip(1).map(|member| member.remove(text)));
            // The first member keeps its comma only if the last one had one.
            if let (Some(comma), None, true) = (first.comma, last.comma, members.len() > 1) {
                splices.push(Splice::remove(comma, comma + 1));
            }
            Some(splices)
        }
        Some(existing) => {
            let mut splices: Vec<_> = removals.map(|member| member.remove(text)).collect();
            if !changes.inserted.is_empty() {
                splices.extend(insert(document, existing, last, with)?);
            } else if let (Some(comma), None, true) = (existing.comma, last.comma, last.is_removed)
            {
                splices.push(Splice::remove(comma, comma + 1));
            }
            Some(splices)
        }
    }
}

/// Empties a mapping, but keeps its comments.
fn empty(document: &Document<'_>, site: &NodeSite<'_>, members: &[FlowMember]) -> Vec<Splice> {
    let text = document.text;
    let begin = lines::content(text, site.node.span.start as usize);
    let end = site.node.span.end as usize;
    let ends = members.iter().map(FlowMember::after);
    let starts = members.iter().map(|member| member.start).chain([end - 1]);
    let mut gaps = std::iter::once(begin + 1).chain(ends).zip(starts);
    let has_comments =
        gaps.any(|(from, to)| text.get(from..to).is_none_or(|gap| !gap.trim().is_empty()));
    match has_comments {
        true => members.iter().map(|member| member.remove(text)).collect(),
        false => vec![Splice::new(begin, end, "{}")],
    }
}

/// Inserts members after an existing one, on new lines if that one has its own line.
fn insert(
    document: &Document<'_>,
    existing: &FlowMember,
    last: &FlowMember,
    with: impl Fn(Option<&str>) -> Vec<String>,
) -> Option<Vec<Splice>> {
    let text = document.text;
    let mut splices = Vec::new();
    if existing.comma.is_none() {
        splices.push(Splice::insert(existing.end, ","));
    }
    let after = existing.after();
    let end = if last.comma.is_some() { "," } else { "" };
    let (at, separator, members) = match existing.is_alone(text) {
        true => {
            let indent = lines::before(text, existing.start);
            let separator = format!("{}{indent}", document.newline);
            (lines::end(text, after), separator, with(Some(indent)))
        }
        false => (after, document.blank().to_owned(), with(None)),
    };
    let members = members.join(&format!(",{separator}"));
    splices.push(Splice::insert(at, format!("{separator}{members}{end}")));
    Some(splices)
}

fn new_entries(
    document: &Document<'_>,
    beside: &Entry,
    changes: &CollectionChanges<'_>,
    indent: Option<&str>,
) -> Vec<String> {
    let like = &document.text[beside.key_span.start as usize..beside.key_span.end as usize];
    let one = |(key, value): &(&str, &Node)| {
        let key = document.line(like, true, &Node::from(*key));
        let value = written(document, "", value, indent);
        format!("{key}:{}{value}", document.blank())
    };
    changes.inserted.iter().map(one).collect()
}
