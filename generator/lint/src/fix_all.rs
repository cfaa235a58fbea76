//! Applies fixes until none is left.

use stackgen_cfn::{Node, Source, Sources};

use crate::{Finding, Fix, LintInput, apply, lint};

/// Maximum number of rounds. A fix may reveal another mistake, and fixes that undo each other would never end.
const MAX_ROUNDS: usize = 10;

/// A text with all possible fixes.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// The whole text, unchanged if nothing was fixed.
    pub text: String,
    /// Fixed findings in the order of fixing. Their locations refer to the text before the fix.
    pub fixed: Vec<Finding>,
    /// Findings whose fix could not be applied. Their locations refer to `text`.
    pub left: Vec<Finding>,
}

/// Lints and fixes a text repeatedly, until no finding that the filter selects has a fix that can be applied. Does not
/// change a text that cannot be parsed, and does not fix suppressed findings.
pub fn fix_all(
    source: &Source,
    previous: Option<&Node>,
    filter: &dyn Fn(&Finding) -> bool,
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
            .filter(filter)
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
