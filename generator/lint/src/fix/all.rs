//! Fixes until there is nothing left to fix.

use stackgen_cfn::{Node, Source, Sources};

use super::Fix;
use super::apply::apply;
use crate::{Finding, LintInput, lint};

/// A fix may uncover a mistake that was hidden; fixes that undo each other would go on for ever.
const MAX_ROUNDS: usize = 10;

/// A text in which everything is fixed that can be.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// The whole text; the one that was given when nothing was fixed.
    pub text: String,
    /// The findings that were fixed, in the order of the fixing. Their places are those of the text as it was then.
    pub fixed: Vec<Finding>,
    /// The findings that have a fix which could not be done. Their places are those of `text`.
    pub left: Vec<Finding>,
}

/// Lints, fixes and lints again, until no finding that is `wanted` has a fix that can be done. Nothing is done to a
/// text that cannot be parsed. Findings that the template suppresses are not fixed.
pub fn fix_all(
    source: &Source,
    previous: Option<&Node>,
    wanted: &dyn Fn(&Finding) -> bool,
) -> Fixed {
    let mut all = Fixed {
        text: source.text().to_owned(),
        fixed: Vec::new(),
        left: Vec::new(),
    };
    for _ in 0..MAX_ROUNDS {
        let mut sources = Sources::new();
        let source = sources.add(source.name(), all.text.as_str());
        let Ok(template) = stackgen_cfn::parse(source) else {
            break;
        };
        let report = lint(&LintInput {
            template: &template,
            source: Some(source),
            previous,
        });
        let findings = report.findings.into_iter();
        let (fixable, fixes): (Vec<Finding>, Vec<Fix>) = findings
            .filter(wanted)
            .filter_map(|finding| finding.fix.clone().map(|fix| (finding, fix)))
            .unzip();
        let done = apply(source, &template, &fixes.iter().collect::<Vec<_>>());
        let is_done = |index: &usize| done.applied.binary_search(index).is_ok();
        let (fixed, left): (Vec<_>, Vec<_>) = fixable
            .into_iter()
            .enumerate()
            .partition(|(index, _)| is_done(index));
        all.fixed
            .extend(fixed.into_iter().map(|(_, finding)| finding));
        all.left = left.into_iter().map(|(_, finding)| finding).collect();
        all.text = done.text;
        if done.applied.is_empty() {
            break;
        }
    }
    all
}
