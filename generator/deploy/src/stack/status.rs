//! States of a stack, and the remedy for each.

use std::fmt;

/// The status of a stack: CloudFormation's `StackStatus`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StackStatus {
    /// One of the statuses that CloudFormation documents.
    Known(&'static StackState),
    /// A status that is newer than this program.
    Unknown(String),
}

/// What a deploy does with a stack in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It creates the stack.
    Create,
    /// It updates the stack.
    Update,
    /// Another operation runs. A deploy refuses, except if the operation is its own: then it follows it to the end.
    Busy,
    /// It deletes what a failed creation left, and creates the stack.
    Recreate,
    /// It refuses: somebody has to decide.
    Blocked,
}

/// A documented state of a stack.
#[derive(Debug, PartialEq, Eq)]
pub struct StackState {
    /// CloudFormation's name.
    pub name: &'static str,
    /// What a deploy does.
    pub readiness: Readiness,
    /// What the state means.
    pub meaning: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

impl StackStatus {
    /// Parses CloudFormation's name of a status.
    pub fn parse(name: &str) -> StackStatus {
        match STATES.iter().find(|state| state.name == name) {
            Some(state) => StackStatus::Known(state),
            None => StackStatus::Unknown(name.to_owned()),
        }
    }

    /// Returns CloudFormation's name.
    pub fn name(&self) -> &str {
        match self {
            StackStatus::Known(state) => state.name,
            StackStatus::Unknown(name) => name,
        }
    }

    /// Returns what a deploy does with a stack in this state.
    pub fn readiness(&self) -> Readiness {
        match self {
            StackStatus::Known(state) => state.readiness,
            StackStatus::Unknown(name) if name.ends_with("_IN_PROGRESS") => Readiness::Busy,
            StackStatus::Unknown(_) => Readiness::Blocked,
        }
    }

    /// True while CloudFormation changes the stack.
    pub fn is_in_progress(&self) -> bool {
        self.name().ends_with("_IN_PROGRESS")
    }

    /// True if the last operation succeeded. An update succeeded once the cleanup of replaced resources begins.
    pub fn is_success(&self) -> bool {
        matches!(
            self.name(),
            "CREATE_COMPLETE"
                | "UPDATE_COMPLETE"
                | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
                | "IMPORT_COMPLETE"
        )
    }

    /// True if the stack does not exist any more.
    pub fn is_deleted(&self) -> bool {
        self.name() == "DELETE_COMPLETE"
    }

    /// Returns what to do about the state.
    pub fn remedy(&self) -> &str {
        match self {
            StackStatus::Known(state) => state.remedy,
            StackStatus::Unknown(_) => "look at the stack in the CloudFormation console",
        }
    }
}

impl fmt::Display for StackStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

const WAIT: &str = "wait until the operation ends, then run `stackgen deploy` again";

const fn state(
    name: &'static str,
    readiness: Readiness,
    meaning: &'static str,
    remedy: &'static str,
) -> StackState {
    StackState {
        name,
        readiness,
        meaning,
        remedy,
    }
}

/// Every documented state of a stack.
pub const STATES: &[StackState] = &[
    state(
        "REVIEW_IN_PROGRESS",
        Readiness::Create,
        "A change set to create the stack exists, and no resource does.",
        "run `stackgen deploy`: it creates the stack, from its own change set",
    ),
    state(
        "CREATE_IN_PROGRESS",
        Readiness::Busy,
        "CloudFormation creates the stack.",
        WAIT,
    ),
    state(
        "CREATE_COMPLETE",
        Readiness::Update,
        "The stack was created.",
        "run `stackgen deploy` to update it",
    ),
    state(
        "CREATE_FAILED",
        Readiness::Recreate,
        "The creation failed, and what had been created was kept.",
        "run `stackgen deploy`: it deletes the failed stack, and creates it again",
    ),
    state(
        "ROLLBACK_IN_PROGRESS",
        Readiness::Busy,
        "The creation failed, and CloudFormation deletes what it had created.",
        WAIT,
    ),
    state(
        "ROLLBACK_COMPLETE",
        Readiness::Recreate,
        "The creation failed, and what had been created was deleted. CloudFormation cannot update such a stack.",
        "run `stackgen deploy`: it deletes the failed stack, and creates it again",
    ),
    state(
        "ROLLBACK_FAILED",
        Readiness::Recreate,
        "The creation failed, and something that had been created could not be deleted.",
        "run `stackgen deploy`: it deletes the failed stack, and creates it again; if the deletion fails, it names the resource",
    ),
    state(
        "DELETE_IN_PROGRESS",
        Readiness::Busy,
        "CloudFormation deletes the stack.",
        "wait until the stack is gone, then run `stackgen deploy` to create it again",
    ),
    state(
        "DELETE_COMPLETE",
        Readiness::Create,
        "The stack was deleted. CloudFormation shows it for 90 days, under its ID.",
        "run `stackgen deploy` to create it again",
    ),
    state(
        "DELETE_FAILED",
        Readiness::Blocked,
        "A resource could not be deleted.",
        "remove what keeps the resource, such as objects in a bucket, and run `stackgen destroy` again",
    ),
    state(
        "UPDATE_IN_PROGRESS",
        Readiness::Busy,
        "CloudFormation updates the stack.",
        "wait until the update ends, or cancel it with `stackgen cancel`",
    ),
    state(
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        Readiness::Busy,
        "The update succeeded, and CloudFormation deletes what it replaced.",
        WAIT,
    ),
    state(
        "UPDATE_COMPLETE",
        Readiness::Update,
        "The stack was updated.",
        "run `stackgen deploy` to update it",
    ),
    state(
        "UPDATE_FAILED",
        Readiness::Blocked,
        "The update failed, and CloudFormation was told to keep what had been changed.",
        "roll the stack back with `aws cloudformation rollback-stack`, then run `stackgen deploy` again",
    ),
    state(
        "UPDATE_ROLLBACK_IN_PROGRESS",
        Readiness::Busy,
        "The update failed, and CloudFormation restores the earlier state.",
        WAIT,
    ),
    state(
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        Readiness::Busy,
        "The earlier state is restored, and CloudFormation deletes what the failed update had created.",
        WAIT,
    ),
    state(
        "UPDATE_ROLLBACK_COMPLETE",
        Readiness::Update,
        "The last update failed, and the earlier state was restored.",
        "show the cause with `stackgen deploy --diagnose`, mend it, and run `stackgen deploy` again",
    ),
    state(
        "UPDATE_ROLLBACK_FAILED",
        Readiness::Blocked,
        "The last update failed, and the earlier state could not be restored. CloudFormation refuses every update.",
        "mend what `stackgen deploy --diagnose` names, then continue with `aws cloudformation continue-update-rollback`",
    ),
    state(
        "IMPORT_IN_PROGRESS",
        Readiness::Busy,
        "CloudFormation imports resources.",
        WAIT,
    ),
    state(
        "IMPORT_COMPLETE",
        Readiness::Update,
        "Resources were imported.",
        "run `stackgen deploy` to update the stack",
    ),
    state(
        "IMPORT_ROLLBACK_IN_PROGRESS",
        Readiness::Busy,
        "An import failed, and CloudFormation undoes it.",
        WAIT,
    ),
    state(
        "IMPORT_ROLLBACK_FAILED",
        Readiness::Blocked,
        "An import failed, and could not be undone.",
        "look at the stack's events in the CloudFormation console",
    ),
    state(
        "IMPORT_ROLLBACK_COMPLETE",
        Readiness::Update,
        "An import failed, and was undone.",
        "run `stackgen deploy` to update the stack",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_that_runs_is_busy_or_under_review() {
        for state in STATES {
            let status = StackStatus::parse(state.name);
            let busy = state.readiness == Readiness::Busy;
            let is_review = state.name == "REVIEW_IN_PROGRESS";
            assert_eq!(status.is_in_progress(), busy || is_review, "{}", state.name);
        }
    }

    #[test]
    fn an_unknown_status_blocks_unless_it_runs() {
        let readiness = |name| StackStatus::parse(name).readiness();
        assert_eq!(readiness("MOVE_IN_PROGRESS"), Readiness::Busy);
        assert_eq!(readiness("MOVE_FAILED"), Readiness::Blocked);
    }
}
