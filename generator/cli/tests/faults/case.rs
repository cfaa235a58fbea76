//! A case of the matrix: a configuration, a call and what goes wrong there.

use std::fmt;
use std::str::FromStr;

use crate::fault::Event;
use crate::operation::Operation;
use crate::subject::Mode;

/// The command under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Verb {
    Redeploy,
    Rollback,
}

/// Health of `$connect` under the deployment that the stage moves to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Health {
    Healthy,
    Broken,
}

/// A case: the command, its subject and the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Setup {
    pub(crate) verb: Verb,
    pub(crate) mode: Mode,
    pub(crate) health: Health,
}

/// A moment of a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Point {
    /// A call of an operation, counted from 1.
    Call(Operation, usize),
    /// While `$connect` is asked.
    Verification,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Case {
    pub(crate) setup: Setup,
    pub(crate) point: Point,
    pub(crate) event: Event,
}

impl Setup {
    pub(crate) fn all() -> Vec<Setup> {
        let mut all = Vec::new();
        for verb in [Verb::Redeploy, Verb::Rollback] {
            for mode in [Mode::Live, Mode::Pinned] {
                for health in [Health::Healthy, Health::Broken] {
                    all.push(Setup { verb, mode, health });
                }
            }
        }
        all
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.verb {
            Verb::Redeploy => "redeploy",
            Verb::Rollback => "rollback",
        };
        let mode = match self.mode {
            Mode::Live => "live",
            Mode::Pinned => "pinned",
        };
        let health = match self.health {
            Health::Healthy => "healthy",
            Health::Broken => "broken",
        };
        write!(f, "{verb}/{mode}/{health}")
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Point::Call(operation, count) => write!(f, "{operation}#{count}"),
            Point::Verification => f.write_str("verification"),
        }
    }
}

/// `redeploy/live/broken/UpdateStage#1/reset-after`
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.setup, self.point, self.event)
    }
}

impl FromStr for Case {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text} is no case: redeploy/live/broken/UpdateStage#1/reset-after is one");
        let (rest, event) = text.rsplit_once('/').ok_or_else(wrong)?;
        let (setup, point) = rest.rsplit_once('/').ok_or_else(wrong)?;
        let setup = Setup::all()
            .into_iter()
            .find(|one| one.to_string() == setup);
        let point = match point.split_once('#') {
            Some((operation, count)) => Point::Call(
                Operation::new(operation),
                count.parse().map_err(|_| wrong())?,
            ),
            None if point == "verification" => Point::Verification,
            None => return Err(wrong()),
        };
        Ok(Case {
            setup: setup.ok_or_else(wrong)?,
            point,
            event: event.parse()?,
        })
    }
}

#[test]
fn a_case_is_read_back_from_its_name() {
    for name in [
        "redeploy/live/broken/UpdateStage#1/reset-after",
        "rollback/pinned/healthy/GetDeployments#2/always-403-after",
        "redeploy/pinned/healthy/verification/term-twice-before",
    ] {
        assert_eq!(name.parse::<Case>().unwrap().to_string(), name);
    }
    assert!(
        "redeploy/live/UpdateStage#1/reset-after"
            .parse::<Case>()
            .is_err()
    );
    assert!(
        "redeploy/live/broken/UpdateStage#1/flood"
            .parse::<Case>()
            .is_err()
    );
}
