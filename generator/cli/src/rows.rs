//! Rows of the API Gateway reference, which is embedded from `docs/reference/api-gateway-websocket.md`.

use std::sync::LazyLock;

use serde::Serialize;

/// The page that holds the rows.
const PAGE: &str = include_str!("../sources/rows.md");

/// Address of the page.
const URL: &str = concat!(
    env!("CARGO_PKG_REPOSITORY"),
    "/blob/main/docs/reference/api-gateway-websocket.md"
);

static REFERENCE: LazyLock<Reference> = LazyLock::new(|| parse(PAGE));

/// A row of the reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReferenceRow {
    /// `D5`.
    pub(crate) id: String,
    /// Title of the section that holds the row.
    pub(crate) section: String,
    /// First column: the case that the row is about.
    pub(crate) subject: String,
    /// Columns with the behaviour, in Markdown.
    pub(crate) facts: Vec<RowFact>,
    /// Sources in words.
    pub(crate) sources: Vec<String>,
    /// Doubts in words, if there are any.
    pub(crate) doubts: Vec<String>,
    /// Address of the row.
    pub(crate) url: String,
}

/// A column of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RowFact {
    /// Heading of the column: `What happens`.
    pub(crate) heading: String,
    /// Text of the column, in Markdown.
    pub(crate) text: String,
}

/// Returns all rows, in the order of the page.
pub(crate) fn all() -> &'static [ReferenceRow] {
    &REFERENCE.rows
}

/// Finds a row by its ID, in any case.
pub(crate) fn find(id: &str) -> Option<&'static ReferenceRow> {
    let mut rows = REFERENCE.rows.iter();
    rows.find(|row| row.id.eq_ignore_ascii_case(id))
}

/// Returns a row in plain words, without Markdown.
pub(crate) fn explanation(id: &str) -> Option<String> {
    let row = find(id)?;
    let facts = row.facts.iter().map(|fact| fact.text.as_str());
    let texts: Vec<_> = std::iter::once(row.subject.as_str()).chain(facts).collect();
    Some(without_markdown(&texts.join(". ")))
}

/// Removes code marks, emphasis, and the targets of links.
fn without_markdown(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        plain += before;
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    plain += rest;
    plain.replace(['`', '['], "").replace("**", "")
}

/// Returns the address of a row.
pub(crate) fn url(id: &str) -> String {
    format!("{URL}#{}", id.to_ascii_lowercase())
}

#[derive(Debug, Default)]
struct Reference {
    rows: Vec<ReferenceRow>,
    /// Marks of sources and doubts with their meanings, from the tables at the top of the page.
    marks: Vec<(String, String)>,
}

/// Parses the tables of the page. The tables of marks come first, so that their meanings are known for the rows.
fn parse(page: &str) -> Reference {
    let mut reference = Reference::default();
    let (mut section, mut headings) = ("", Vec::new());
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section =
                title.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ' ');
        }
        let Some(cells) = cells(line) else {
            headings.clear();
            continue;
        };
        if headings.is_empty() {
            headings = cells;
        } else if headings[0] == "Mark" {
            let mark = cells[0].trim_matches(['[', ']']);
            reference.marks.push((mark.to_owned(), cells[1].to_owned()));
        } else if let Some(id) = row_id(cells[0]) {
            let row = row(id, section, &headings, &cells, &reference.marks);
            reference.rows.push(row);
        }
    }
    reference
}

/// Returns the cells of a line of a table.
fn cells(line: &str) -> Option<Vec<&str>> {
    let line = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(line.split('|').map(str::trim).collect())
}

/// Returns the ID in `<a id="d5"></a>D5`.
fn row_id(cell: &str) -> Option<&str> {
    let (anchor, id) = cell.strip_prefix("<a id=\"")?.split_once("\"></a>")?;
    anchor.eq_ignore_ascii_case(id).then_some(id)
}

fn row(
    id: &str,
    section: &str,
    headings: &[&str],
    cells: &[&str],
    marks: &[(String, String)],
) -> ReferenceRow {
    let mut row = ReferenceRow {
        id: id.to_owned(),
        section: section.to_owned(),
        subject: cells.get(1).copied().unwrap_or_default().to_owned(),
        facts: Vec::new(),
        sources: Vec::new(),
        doubts: Vec::new(),
        url: url(id),
    };
    for (heading, text) in headings.iter().zip(cells).skip(2) {
        if *heading == "Source" {
            (row.sources, row.doubts) = provenance(text, marks);
        } else if !text.is_empty() {
            row.facts.push(RowFact {
                heading: (*heading).to_owned(),
                text: (*text).to_owned(),
            });
        }
    }
    row
}

/// Returns the sources and the doubts of a cell such as `DG, ISS [F for the invalid response]`.
fn provenance(cell: &str, marks: &[(String, String)]) -> (Vec<String>, Vec<String>) {
    let (mut sources, mut doubts) = (Vec::new(), Vec::new());
    let mut rest = cell;
    while let Some((before, after)) = rest.split_once('[') {
        let (mark, after) = after.split_once(']').unwrap_or((after, ""));
        sources.push(before);
        rest = match after.strip_prefix(" for ") {
            // `[F] for the code` limits the doubt, as `[F for the code]` does.
            Some(limit) => {
                doubts.push(in_words(&format!("{mark} for {limit}"), marks));
                ""
            }
            None => {
                doubts.push(in_words(mark, marks));
                after
            }
        };
    }
    sources.push(rest);
    let sources = sources.iter().flat_map(|part| part.split(','));
    let sources = sources.map(str::trim).filter(|source| !source.is_empty());
    let sources = sources.map(|source| in_words(source, marks));
    (sources.collect(), doubts)
}

/// Replaces marks with their meanings.
fn in_words(text: &str, marks: &[(String, String)]) -> String {
    let words = text.split(' ').map(|word| {
        let known = marks.iter().find(|(mark, _)| mark == word);
        known.map_or(word, |(_, meaning)| meaning.as_str())
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_anchor_of_the_page_is_a_row_and_every_row_has_an_anchor() {
        let anchors = PAGE.split("<a id=\"").skip(1);
        let anchors = anchors.map(|rest| rest.split('"').next().unwrap().to_uppercase());
        let anchors: Vec<_> = anchors.collect();
        let ids: Vec<_> = all().iter().map(|row| row.id.clone()).collect();
        assert_eq!(ids, anchors);
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    }

    #[test]
    fn no_part_of_a_row_is_lost() {
        for row in all() {
            let line = format!("</a>{} |", row.id);
            let line = PAGE.lines().find(|text| text.contains(&line)).unwrap();
            assert!(
                line.contains(&row.subject) && !row.subject.is_empty(),
                "{row:?}"
            );
            assert!(!row.section.is_empty() && !row.facts.is_empty(), "{row:?}");
            let texts: usize = row.facts.iter().map(|fact| fact.text.len()).sum();
            let has_source = row.id.starts_with(['A', 'C', 'D', 'M']);
            let names_one = !row.sources.is_empty() || !row.doubts.is_empty();
            assert_eq!(names_one, has_source, "{row:?}");
            assert!(line.len() - texts - row.subject.len() < 80, "{row:?}");
        }
    }

    #[test]
    fn every_row_has_an_explanation_without_markdown() {
        for row in all() {
            let text = explanation(&row.id.to_lowercase()).unwrap();
            assert!(
                text.len() > 20 && !text.contains('`') && !text.contains("]("),
                "{text}"
            );
        }
        assert_eq!(explanation("Z9"), None);
        assert_eq!(without_markdown("a [b `c`](d#e) **f**"), "a b c f");
    }

    #[test]
    fn sources_and_doubts_are_put_into_words() {
        let d14 = find("d14").unwrap();
        assert_eq!(d14.subject, "A route key or stage name already exists");
        assert_eq!(d14.section, "Deployments and stages");
        assert_eq!(d14.sources, ["public issue threads"]);
        assert_eq!(d14.doubts, Vec::<String>::new());
        assert!(
            d14.url
                .ends_with("/docs/reference/api-gateway-websocket.md#d14")
        );
        let doubts = |id: &str| find(id).unwrap().doubts.clone();
        let weak = "folklore, or a single weak report";
        assert_eq!(doubts("C6"), [format!("{weak} for the invalid response")]);
        assert_eq!(doubts("M14"), [""; 0]);
        let models = "the `apigatewayv2` service model that botocore ships";
        assert_eq!(doubts("A4"), [format!("sources disagree with {models}")]);
        assert_eq!(
            doubts("C8"),
            ["inferred from other rows, not stated anywhere"]
        );
        assert_eq!(find("C11").unwrap().sources, ["AWS knowledge centre"]);
        assert_eq!(
            find("D20").unwrap().sources,
            ["public issue threads on REST APIs"]
        );
    }
}
