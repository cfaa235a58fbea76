//! Applies fixes to a file's text.

use stackgen_cfn::{Node, Source, Sources};

use super::document::Document;
use super::{Edit, Fix, expected};

/// Maximum total size of the texts that are tried, in bytes. Each fix that cannot be applied costs a few tries.
const MAX_TRIED: usize = 64 << 20;

/// Minimum number of tries, enough for a few such fixes in the largest file.
const MIN_TRIES: usize = 64;

/// A text with fixes applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedFixes {
    /// The whole text.
    pub text: String,
    /// Indexes of the applied fixes, in order.
    pub applied: Vec<usize>,
    /// Indexes of the other fixes: they overlap with an applied one, or cannot be written safely.
    pub left: Vec<usize>,
}

/// Applies as many of the fixes as possible; the first of two overlapping ones wins. `template` is the parsed `source`.
///
/// The result is parsed again and compared with the expected document, so that nothing else changes.
pub fn apply(source: &Source, template: &Node, fixes: &[&Fix]) -> AppliedFixes {
    let mut applied = AppliedFixes {
        text: source.text().to_owned(),
        applied: Vec::new(),
        left: Vec::new(),
    };
    if !fixes.is_empty() {
        let document = Document::new(source, template);
        let batch: Vec<_> = (0..fixes.len()).collect();
        let mut tries = (MAX_TRIED / source.text().len().max(1)).max(MIN_TRIES);
        try_batch(&document, fixes, &batch, &mut tries, &mut applied);
    }
    applied
}

/// Adds a batch to the applied fixes. If that fails, tries each half separately.
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

/// Returns the text with all edits, if it parses to the expected document.
fn verified(document: &Document<'_>, edits: &[&Edit]) -> Option<String> {
    let text = document.with(edits)?;
    let expected_node = expected::with(document, edits)?;
    let mut sources = Sources::new();
    let read = stackgen_cfn::parse(sources.add("", text.as_str())).ok()?;
    (read == expected_node).then_some(text)
}
