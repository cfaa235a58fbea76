//! Edits the text of a file.

use std::cmp::Reverse;

use indexmap::IndexMap;
use stackgen_cfn::{Node, Span};

use super::document::{CollectionChanges, Document, Splice};
use super::sites::{NodeSite, SiteParent};
use super::{Edit, block, flow};

impl<'t> Document<'t> {
    /// Returns the text with the edits, or `None` if they overlap or one cannot be written.
    pub(super) fn with(&self, edits: &[&Edit]) -> Option<String> {
        let mut splices = self.splices(edits)?;
        // At the same offset, the inner collection comes first: it begins later.
        splices.sort_by_key(|(begin, splice)| (splice.start, splice.end, Reverse(*begin)));
        let mut text = String::with_capacity(self.text.len());
        let mut at = 0;
        for (_, splice) in &splices {
            text.push_str(self.text.get(at..splice.start)?);
            text.push_str(&splice.with);
            at = splice.end;
        }
        text.push_str(&self.text[at..]);
        Some(text)
    }

    /// Returns the splices, each with the start of the collection that it changes.
    fn splices<'e>(&self, edits: &[&'e Edit]) -> Option<Vec<(u32, Splice)>> {
        let mut splices = Vec::new();
        let mut changes: ByCollection<'t, 'e> = IndexMap::new();
        for edit in edits {
            match edit {
                Edit::Replace { value, with } => {
                    let site = self.sites.value(*value)?;
                    let done = self.replace(&site, with)?.into_iter();
                    splices.extend(done.map(|splice| (value.start, splice)));
                }
                Edit::Remove { key } => {
                    let key = self.key(*key);
                    let site = self.sites.map_of(key)?;
                    changes_of(&mut changes, site).removed.insert(key);
                }
                Edit::Insert { beside, key, value } => {
                    let site = self.sites.map_of(*beside)?;
                    changes_of(&mut changes, site).inserted.push((key, value));
                }
                Edit::Append { beside, value } => match self.sites.value(*beside)?.parent {
                    SiteParent::Item { list, .. } => {
                        let site = self.sites.value(list.span)?;
                        changes_of(&mut changes, site).appended.push(value);
                    }
                    _ => return None,
                },
            }
        }
        for (span, (site, changes)) in &changes {
            let done = match site.is_flow {
                true => flow::change(self, site, changes)?,
                false => block::change(self, site, changes)?,
            };
            splices.extend(done.into_iter().map(|splice| (span.start, splice)));
        }
        Some(splices)
    }

    fn replace(&self, site: &NodeSite<'_>, with: &Node) -> Option<Vec<Splice>> {
        match site.is_within || self.is_json {
            true => flow::replace(self, site, with),
            false => block::replace(self, site, with),
        }
    }
}

/// Changes by collection.
type ByCollection<'t, 'e> = IndexMap<Span, (NodeSite<'t>, CollectionChanges<'e>)>;

fn changes_of<'c, 't, 'e>(
    changes: &'c mut ByCollection<'t, 'e>,
    site: NodeSite<'t>,
) -> &'c mut CollectionChanges<'e> {
    let entry = changes.entry(site.node.span);
    &mut entry
        .or_insert_with(|| (site, CollectionChanges::default()))
        .1
}
