//! Terminal hyperlinks (OSC 8) from IDs of rows and rules to their documentation.

use std::env;
use std::fmt::Write;

use stackgen_lint::output::page;
use stackgen_lint::registry;
use supports_hyperlinks::Stream;

use crate::rows::{self, ReferenceRow};

/// An ID in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DocumentedId<'t> {
    /// Byte at which it begins.
    start: usize,
    /// `D5` or `SG102`.
    pub(crate) id: &'t str,
    pub(crate) kind: IdKind,
    url: String,
}

/// Kind of an ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdKind {
    /// Row of the API Gateway reference.
    Row,
    /// Rule of the linter.
    Rule,
}

/// Returns true if a stream shows hyperlinks: a terminal that is known to, unless NO_COLOR or `TERM=dumb` asks for plain
/// text.
pub(crate) fn are_shown_on(stream: Stream) -> bool {
    let asks_for_plain_text = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || env::var_os("TERM").is_some_and(|value| value == "dumb");
    !asks_for_plain_text && supports_hyperlinks::on(stream)
}

/// Makes each ID a hyperlink.
pub(crate) fn add(text: &str) -> String {
    let (mut linked, mut end) = (String::with_capacity(text.len()), 0);
    for DocumentedId { start, id, url, .. } in ids(text) {
        let _ = write!(
            linked,
            "{}\x1b]8;;{url}\x1b\\{id}\x1b]8;;\x1b\\",
            &text[end..start]
        );
        end = start + id.len();
    }
    linked + &text[end..]
}

/// Returns the first ID in a text that can be looked up.
pub(crate) fn first(text: &str) -> Option<DocumentedId<'_>> {
    ids(text).next()
}

/// Finds the IDs of rules, and the IDs of rows where a row is named: after `row` and `rows`, between parentheses, and at the
/// beginning of a line. Elsewhere, a letter and a number may be anything.
fn ids(text: &str) -> impl Iterator<Item = DocumentedId<'_>> {
    let mut lists_rows = false;
    words(text).filter_map(move |(start, word)| {
        let before = &text[..start];
        let after = text[start + word.len()..].chars().next();
        if let Some(rule) = rule(word, before, after) {
            return Some(DocumentedId {
                start,
                id: word,
                kind: IdKind::Rule,
                url: page::url(rule),
            });
        }
        let row = row(word);
        let begins_line = before.trim_end_matches(' ').ends_with('\n') || before.trim().is_empty();
        let is_named = lists_rows
            || before.ends_with('(') && after == Some(')')
            || begins_line && after.is_none_or(|c| c == ' ' || c == '\n');
        lists_rows = match word {
            "row" | "rows" => true,
            "and" | "or" | "to" => lists_rows,
            _ => lists_rows && row.is_some(),
        };
        row.filter(|_| is_named).map(|row| DocumentedId {
            start,
            id: word,
            kind: IdKind::Row,
            url: row.url.clone(),
        })
    })
}

/// Returns the row with this ID. The shape is checked first, because most words are no IDs.
fn row(word: &str) -> Option<&'static ReferenceRow> {
    let digits = word.strip_prefix(|c: char| c.is_ascii_uppercase())?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| rows::find(word)).flatten()
}

/// Returns the rule with this ID, unless the ID is part of an address or a file name.
fn rule(word: &str, before: &str, after: Option<char>) -> Option<&'static stackgen_lint::Rule> {
    let is_part = before.ends_with(['/', '-']) || after == Some('-');
    let is_id = word.starts_with("SG") && !is_part;
    is_id.then(|| registry::find(word)).flatten()
}

/// Returns the words of a text with their positions, without those in escape sequences.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
            if let Some(sequence) = rest.strip_prefix("\x1b[") {
                let end = sequence.find(|c: char| c.is_ascii_alphabetic());
                at += 2 + end.map_or(sequence.len(), |end| end + 1);
                continue;
            }
            let is_part = |c: char| c.is_alphanumeric() || c == '_';
            let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            let start = at;
            if length == 0 {
                at += rest.chars().next().map_or(1, char::len_utf8);
                continue;
            }
            at += length;
            return Some((start, &rest[..length]));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        ids(text).map(|found| found.id).collect()
    }

    #[test]
    fn rows_are_found_where_they_are_named() {
        for (text, expected) in [
            ("refused (row D5)", vec!["D5"]),
            ("rows D1, D11 and X2: served", vec!["D1", "D11", "X2"]),
            ("from A7 to A9 (rows A7 to A9)", vec!["A7", "A9"]),
            ("likely (rows\n  X3, M13)", vec!["X3", "M13"]),
            ("the idle limit (M13)", vec!["M13"]),
            ("  X1   1005: Why\nD5 A stage", vec!["X1", "D5"]),
            ("= note: \x1b[1mrow\x1b[0m A2 of the reference", vec!["A2"]),
            (
                "error\x1b[1m[SG102]\x1b[0m: rule; rows A1, C2",
                vec!["SG102", "A1", "C2"],
            ),
            ("row D99, rowD5, arrow 5, Row A2, ids D5, a C1", vec![]),
            ("rows of tables: D5", vec![]),
            ("https://x/docs/rules/SG102-connect.md SG1020", vec![]),
            ("row \u{1f980} müde D5", vec![]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn a_link_leads_to_the_documentation_and_changes_no_text() {
        let text = "\x1b[31merror[SG102]\x1b[0m: (row D5)\n";
        let linked = add(text);
        for (id, page) in [
            (
                "SG102",
                "docs/rules/SG102-connect-open-beside-authorizer.md",
            ),
            ("D5", "docs/reference/api-gateway-websocket.md#d5"),
        ] {
            let url = format!("{}/blob/main/{page}", env!("CARGO_PKG_REPOSITORY"));
            assert!(
                linked.contains(&format!("\x1b]8;;{url}\x1b\\{id}\x1b]8;;\x1b\\")),
                "{linked:?}"
            );
        }
        let stripped = |text: &str| anstream::adapter::strip_str(text).to_string();
        assert_eq!(stripped(&linked), stripped(text));
    }
}
