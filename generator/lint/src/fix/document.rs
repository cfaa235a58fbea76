//! A document with its text, and the changes to it.

use std::collections::HashSet;

use serde::de::IgnoredAny;
use stackgen_cfn::emit::{self, Quotes};
use stackgen_cfn::{FileId, Node, Source, Span, Value};

use super::sites::{NodeSite, NodeSites, SiteParent};
use crate::lines;

/// A parsed document and its text.
pub(super) struct Document<'t> {
    pub(super) root: &'t Node,
    pub(super) file: FileId,
    pub(super) text: &'t str,
    pub(super) is_json: bool,
    /// True for JSON without blanks.
    is_compact: bool,
    pub(super) newline: &'static str,
    /// Indentation of the first nested line.
    pub(super) unit: &'t str,
    pub(super) sites: NodeSites<'t>,
}

/// A replacement of a range of the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Splice {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) with: String,
}

impl Splice {
    pub(super) fn new(start: usize, end: usize, with: impl Into<String>) -> Self {
        let with = with.into();
        Splice { start, end, with }
    }

    pub(super) fn insert(at: usize, with: impl Into<String>) -> Self {
        Self::new(at, at, with)
    }

    pub(super) fn remove(start: usize, end: usize) -> Self {
        Self::new(start, end, "")
    }
}

/// Changes of the entries of one mapping, or of the elements of one list.
#[derive(Default)]
pub(super) struct CollectionChanges<'e> {
    pub(super) removed: HashSet<Span>,
    pub(super) inserted: Vec<(&'e str, &'e Node)>,
    pub(super) appended: Vec<&'e Node>,
}

impl<'t> Document<'t> {
    pub(super) fn new(source: &'t Source, root: &'t Node) -> Self {
        let text = source.text();
        let bare = text.trim_start_matches('\u{feff}').trim_start();
        let is_json =
            bare.starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(bare).is_ok();
        let breaks = text.find('\n').map(|at| text[..at].ends_with('\r'));
        Document {
            root,
            file: source.id(),
            text,
            is_json,
            is_compact: is_json && !text.contains(": "),
            newline: if breaks == Some(true) { "\r\n" } else { "\n" },
            unit: unit(text),
            sites: NodeSites::new(text, root),
        }
    }

    /// Returns the span of a key, also for the span of its value: properties that SAM's transform generates have the
    /// location of the value.
    pub(super) fn key(&self, location: Span) -> Span {
        let value = self.sites.value(location).map(|site| site.parent);
        match (self.sites.map_of(location), value) {
            (None, Some(SiteParent::Entry { key })) => key,
            _ => location,
        }
    }

    /// Returns the offset at which a value may begin: after its colon, dash or comma.
    pub(super) fn lead(&self, site: &NodeSite<'_>) -> Option<usize> {
        let (from, leads): (usize, &[u8]) = match site.parent {
            SiteParent::Entry { key } => (key.end as usize, b":"),
            SiteParent::Item { list, index: 0 } => {
                (lines::content(self.text, list.span.start as usize), b"-[")
            }
            SiteParent::Item { list, index } => {
                (self.close(list.as_list()?.get(index - 1)?.span), b"-,")
            }
            SiteParent::None => return None,
        };
        let at = lines::token(self.text, from);
        let is_lead = leads.contains(self.text.as_bytes().get(at)?);
        is_lead.then_some(at + 1)
    }

    /// Returns [`Self::lead`] of a node.
    pub(super) fn lead_of(&self, value: &Node) -> Option<usize> {
        self.lead(&self.sites.value(value.span)?)
    }

    /// Returns the end of an entry or element. An omitted value ends after the colon or dash.
    pub(super) fn end(&self, value: &Node) -> usize {
        let lead = self.lead_of(value).unwrap_or_default();
        self.close(value.span).max(lead)
    }

    /// Returns the end of a span. An omitted last value has its span before the colon.
    fn close(&self, span: Span) -> usize {
        let end = span.end as usize;
        let is_colon = self.text.as_bytes().get(end) == Some(&b':');
        end + usize::from(is_colon)
    }

    /// Returns the text after a comma or colon within brackets.
    pub(super) fn blank(&self) -> &'static str {
        if self.is_compact { "" } else { " " }
    }

    /// Formats a value on one line, a string in the quotes of the replaced text.
    pub(super) fn line(&self, like: &str, is_within: bool, node: &Node) -> String {
        match (&node.value, like.chars().next()) {
            _ if self.is_compact => stackgen_cfn::json::to_json(node).to_string(),
            _ if self.is_json => emit::json_line(node),
            (Value::String(text), Some('\'')) => emit::string(text, Quotes::Single),
            (Value::String(text), Some('"')) => emit::string(text, Quotes::Double),
            (Value::String(text), _) if !is_within => emit::string(text, Quotes::AsNeeded),
            _ => emit::yaml_line(node),
        }
    }
}

/// Returns the blanks of the first indented line.
fn unit(text: &str) -> &str {
    let indents = text.lines().filter_map(|line| {
        let rest = line.trim_start_matches([' ', '\t']);
        let is_deeper = rest.len() < line.len() && !rest.trim().is_empty();
        is_deeper.then(|| &line[..line.len() - rest.len()])
    });
    indents.into_iter().next().unwrap_or("  ")
}
