//! Fixes done to a file's text.

use stackgen_cfn::{Node, Source, Sources};

use super::document::Document;
use super::{Edit, Fix, expected};

/// How much text is tried in all, in bytes: each fix that cannot be done costs a few tries.
const MOST_TRIED: usize = 64 << 20;

/// As many as are enough for a few such fixes in the largest file.
const LEAST_TRIES: usize = 64;

/// A text with fixes done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedFixes {
    /// The whole text.
    pub text: String,
    /// Which of the fixes are in it, by index, in order.
    pub applied: Vec<usize>,
    /// Which are not: they overlap with one that is, or there is no safe way to write them here.
    pub left: Vec<usize>,
}

/// Does as many of the fixes as can be done at once; the first of two that overlap wins. `template` is what `source` was
/// parsed to. The text is read again before it is given back: it says what the fixes mean, and nothing else.
pub fn apply(source: &Source, template: &Node, fixes: &[&Fix]) -> AppliedFixes {
    let mut applied = AppliedFixes {
        text: source.text().to_owned(),
        applied: Vec::new(),
        left: Vec::new(),
    };
    if !fixes.is_empty() {
        let document = Document::new(source, template);
        let batch: Vec<_> = (0..fixes.len()).collect();
        let mut tries = (MOST_TRIED / source.text().len().max(1)).max(LEAST_TRIES);
        try_batch(&document, fixes, &batch, &mut tries, &mut applied);
    }
    applied
}

/// Takes a batch in beside what is in already, or its halves, each for itself, when that cannot be.
fn try_batch(
    document: &Document<'_>,
    fixes: &[&Fix],
    batch: &[usize],
    tries: &mut usize,
    applied: &mut AppliedFixes,
) {
    if *tries == 0 {
        return applied.left.extend(batch);
    }
    *tries -= 1;
    let together = applied.applied.iter().chain(batch);
    let edits: Vec<_> = together.flat_map(|&index| &fixes[index].edits).collect();
    match (verified(document, &edits), batch) {
        (Some(text), _) => {
            applied.text = text;
            applied.applied.extend(batch);
        }
        (None, [] | [_]) => applied.left.extend(batch),
        (None, _) => {
            let (first, second) = batch.split_at(batch.len() / 2);
            try_batch(document, fixes, first, tries, applied);
            try_batch(document, fixes, second, tries, applied);
        }
    }
}

/// The text with all of the edits, if it reads back as the document with all of them.
fn verified(document: &Document<'_>, edits: &[&Edit]) -> Option<String> {
    let text = document.with(edits)?;
    let meant = expected::with(document, edits)?;
    let mut sources = Sources::new();
    let read = stackgen_cfn::parse(sources.add("", text.as_str())).ok()?;
    (read == meant).then_some(text)
}
