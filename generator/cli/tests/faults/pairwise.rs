//! A choice of cases in which as many pairs of properties as possible meet.

use std::collections::HashSet;
use std::fmt;

use crate::case::{Case, Point};

/// A case that the pairwise selection may choose.
pub(crate) struct Candidate {
    pub(crate) case: Case,
    /// The part of the run that its call belongs to.
    pub(crate) phase: &'static str,
}

/// Number of covered pairs.
pub(crate) struct Coverage {
    covered: usize,
    all: usize,
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "with {} of {} pairs", self.covered, self.all)
    }
}

impl Candidate {
    /// Pairs of its properties: every fault in every phase, with every verb, mode and health, and every family of
    /// faults at every operation.
    fn pairs(&self) -> Vec<String> {
        let setup = self.case.setup;
        let (event, phase) = (self.case.event.to_string(), self.phase.to_owned());
        let operation = match &self.case.point {
            Point::Call(operation, _) => operation.to_string(),
            Point::Verification => "verification".to_owned(),
        };
        let setups = [
            format!("{:?}", setup.verb),
            format!("{:?}", setup.mode),
            format!("{:?}", setup.health),
        ];
        let mut pairs = vec![
            format!("{event} {phase}"),
            format!("{operation} {}", self.case.event.family()),
        ];
        for one in setups {
            for other in [&event, &phase, &operation] {
                pairs.push(format!("{one} {other}"));
            }
        }
        pairs
    }
}

/// Chooses the case that covers most pairs that are not covered yet, the first of several, and so on. The same
/// candidates give the same choice.
pub(crate) fn select(candidates: &[Candidate], count: usize) -> (Vec<Case>, Coverage) {
    let mut rest: Vec<_> = candidates.iter().map(|one| (one, one.pairs())).collect();
    let all: HashSet<String> = rest.iter().flat_map(|(_, pairs)| pairs.clone()).collect();
    let mut missing = all.clone();
    let mut chosen = Vec::new();
    while chosen.len() < count {
        let gain = |pairs: &[String]| pairs.iter().filter(|pair| missing.contains(*pair)).count();
        let best =
            (0..rest.len()).max_by_key(|&index| (gain(&rest[index].1), std::cmp::Reverse(index)));
        let Some(best) = best else { break };
        let (one, pairs) = rest.swap_remove(best);
        for pair in pairs {
            missing.remove(&pair);
        }
        chosen.push(one.case.clone());
    }
    let coverage = Coverage {
        covered: all.len() - missing.len(),
        all: all.len(),
    };
    (chosen, coverage)
}
