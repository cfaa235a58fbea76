//! Edits block YAML, in which entries have their own lines and indentation matters.

use stackgen_cfn::emit;
use stackgen_cfn::{Entry, Map, Node, Value};

use super::document::{CollectionChanges, Document, Splice};
use super::sites::{NodeSite, SiteParent};
use crate::lines;

/// Replaces the value after a key or a dash.
pub(super) fn replace(
    document: &Document<'_>,
    site: &NodeSite<'_>,
    with: &Node,
) -> Option<Vec<Splice>> {
    let text = document.text;
    let start = site.node.span.start as usize;
    let end = document.end(site.node);
    let line = document.line(&text[start..end], false, with);
    let Some(lead) = document.lead(site) else {
        return Some(vec![Splice::new(start, end, line)]);
    };
    // The span of an omitted value is before its colon, or after the comment behind its dash.
    let (start, end) = match site.node.value {
        Value::Null if site.node.span.start == site.node.span.end => (lead, lead),
        _ => (start, end),
    };
    let head = text.get(lead..start)?;
    let is_alone = lines::is_blank(lines::behind(text, end));
    let value = match is_alone && !is_text(with) {
        true => behind(document, site, with, lead),
        false => format!(" {line}"),
    };
    let trimmed = head.trim_start();
    if trimmed.is_empty() {
        let stays = !head.is_empty() && !head.contains('\n') && !value.contains('\n');
        return Some(vec![match stays {
            true => Splice::new(start, end, value.trim_start()),
            false => Splice::new(lead, end, value),
        }]);
    }
    if trimmed.starts_with(['|', '>']) && site.node.as_str().is_some() {
        let header = start - trimmed.len();
        let first_line = lines::end(text, header);
        let blank = text[header..first_line].find([' ', '\t']);
        let header_end = blank.map_or(first_line, |blank| header + blank);
        return Some(match lines::is_blank(&text[header_end..first_line]) {
            true => vec![Splice::new(lead, end, value)],
            false => vec![
                Splice::new(header, header_end, line),
                Splice::remove(first_line, end),
            ],
        });
    }
    Some(vec![Splice::new(start, end, line)])
}

/// Returns true for a value on one line. A text block would include a comment that is indented below it.
fn is_text(node: &Node) -> bool {
    match &node.value {
        Value::Call(call) => is_text(&call.argument),
        Value::List(_) | Value::Map(_) => false,
        _ => true,
    }
}

/// Formats a value on several lines.
fn behind(document: &Document<'_>, site: &NodeSite<'_>, with: &Node, lead: usize) -> String {
    let column = |at: u32| lines::before(document.text, at as usize).chars().count();
    let text = match (site.parent, &site.node.value) {
        (SiteParent::Item { .. }, _) => {
            let before = lines::before(document.text, lead);
            emit::after_dash(with, before.chars().count() + 1)
        }
        (SiteParent::Entry { .. }, Value::List(_) | Value::Map(_))
            if below(document, site).is_some() =>
        {
            emit::after_key(with, column(site.node.span.start))
        }
        (SiteParent::Entry { key }, _) => {
            emit::after_key(with, column(key.start) + document.unit.len())
        }
        (SiteParent::None, _) => format!(" {}", emit::yaml_line(with)),
    };
    text.replace('\n', document.newline)
}

/// Changes the entries of a mapping or the elements of a list.
pub(super) fn change(
    document: &Document<'_>,
    site: &NodeSite<'_>,
    changes: &CollectionChanges<'_>,
) -> Option<Vec<Splice>> {
    match &site.node.value {
        Value::Map(map) => entries(document, site, map, changes),
        Value::List(items) => Some(vec![append(document, items.last()?, changes)?]),
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
    let is_removed = |entry: &Entry| changes.removed.contains(&entry.key_span);
    let entries: Vec<&Entry> = map.entries().map(|(_, entry)| entry).collect();
    let mut splices = Vec::new();
    let mut gone = entries.as_slice();
    match entries.iter().rfind(|entry| !is_removed(entry)) {
        Some(_) if changes.inserted.is_empty() => {}
        Some(existing) => splices.push(insert(document, existing, changes)?),
        None if changes.inserted.is_empty() => match below(document, site) {
            Some(lead) => splices.push(Splice::insert(lead, " {}")),
            None => return replace(document, site, &Node::from(Map::new())),
        },
        None => {
            let (first, others) = entries.split_first()?;
            let end = document.end(&first.node);
            let is_alone = lines::is_blank(lines::behind(text, end));
            let with = written(document, first, changes, is_alone);
            let with = with.join(&separator(document, first));
            splices.push(Splice::new(first.key_span.start as usize, end, with));
            gone = others;
        }
    }
    let mut is_after_dash = false;
    for entry in gone {
        let start = entry.key_span.start as usize;
        is_after_dash |= !lines::is_blank(lines::before(text, start));
        match is_removed(entry) {
            true => splices.push(remove(document, entry, is_after_dash)?),
            false => is_after_dash = false,
        }
    }
    Some(splices)
}

/// Returns the end of the key or dash, if the collection begins on a later line.
fn below(document: &Document<'_>, site: &NodeSite<'_>) -> Option<usize> {
    let lead = document.lead(site)?;
    let head = document.text.get(lead..site.node.span.start as usize)?;
    head.contains('\n').then_some(lead)
}

/// Inserts entries on new lines.
fn insert(
    document: &Document<'_>,
    existing: &Entry,
    changes: &CollectionChanges<'_>,
) -> Option<Splice> {
    let text = document.text;
    let end = document.end(&existing.node);
    if !lines::is_blank_or_comment(lines::behind(text, end)) {
        return None;
    }
    let separator = separator(document, existing);
    let with = written(document, existing, changes, true).into_iter();
    let with: String = with.map(|entry| format!("{separator}{entry}")).collect();
    Some(Splice::insert(lines::end(text, end), with))
}

/// Removes the lines of an entry with its comment, and the comments below that are indented deeper than its key. After
/// a dash, the next entry moves up.
fn remove(document: &Document<'_>, entry: &Entry, is_after_dash: bool) -> Option<Splice> {
    let text = document.text;
    let start = entry.key_span.start as usize;
    let end = document.end(&entry.node);
    if !lines::is_blank_or_comment(lines::behind(text, end)) {
        return None;
    }
    let column = lines::before(text, start).chars().count();
    let mut next = lines::next(text, end);
    while let Some(after) = comment_deeper_than(text, next, column) {
        next = after;
    }
    if is_after_dash {
        let blanks = text[next..].len() - text[next..].trim_start_matches(' ').len();
        return Some(Splice::remove(start, next + blanks));
    }
    let begin = lines::start(text, start);
    // If the last line has no line break, the break before it is removed.
    let ends_file = next == text.len() && !text.ends_with('\n') && begin > 0;
    Some(match ends_file {
        true => Splice::remove(lines::end(text, begin - 1), next),
        false => Splice::remove(begin, next),
    })
}

/// Returns the end of a line that is a comment with deeper indentation.
fn comment_deeper_than(text: &str, line: usize, column: usize) -> Option<usize> {
    let blanks = text[line..].len() - text[line..].trim_start_matches(' ').len();
    let is_deeper = blanks > column && text[line + blanks..].starts_with('#');
    is_deeper.then(|| lines::next(text, line))
}

/// Returns the text between a new entry and the one above it.
fn separator(document: &Document<'_>, entry: &Entry) -> String {
    let indent = lines::indent(document.text, entry.key_span.start as usize);
    format!("{}{indent}", document.newline)
}

/// Formats the new entries next to an existing one, without the text before the first.
fn written(
    document: &Document<'_>,
    beside: &Entry,
    changes: &CollectionChanges<'_>,
    is_alone: bool,
) -> Vec<String> {
    let start = beside.key_span.start as usize;
    let column = lines::before(document.text, start).chars().count();
    let like = &document.text[start..beside.key_span.end as usize];
    let one = |(key, value): &(&str, &Node)| {
        let key = document.line(like, false, &Node::from(*key));
        let value = match is_alone && !is_text(value) {
            true => emit::after_key(value, column + document.unit.len()),
            false => format!(" {}", document.line("", false, value)),
        };
        format!("{key}:{}", value.replace('\n', document.newline))
    };
    changes.inserted.iter().map(one).collect()
}

/// Appends elements on new lines.
fn append(document: &Document<'_>, last: &Node, changes: &CollectionChanges<'_>) -> Option<Splice> {
    let text = document.text;
    let lead = document.lead_of(last)?;
    let end = document.end(last);
    if !lines::is_blank_or_comment(lines::behind(text, end)) {
        return None;
    }
    let indent = lines::indent(text, lead - 1);
    let column = indent.chars().count() + 2;
    let one = |value: &&Node| {
        let value = match is_text(value) {
            true => format!(" {}", document.line("", false, value)),
            false => emit::after_dash(value, column).replace('\n', document.newline),
        };
        format!("{}{indent}-{value}", document.newline)
    };
    let with: String = changes.appended.iter().map(one).collect();
    Some(Splice::insert(lines::end(text, end), with))
}
