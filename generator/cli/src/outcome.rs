//! Exit codes of commands that did not fail with an error.

use std::process::ExitCode;

use crate::signals::StopSignal;

/// Result of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommandOutcome {
    /// Exit code 0.
    Done,
    /// A check found something: exit code 3.
    Found,
    /// The operation failed, and the command reported why: exit code 1.
    Failed,
    /// Some of the input could not be used, and the command reported it: exit code 2.
    Unusable,
    /// A second signal ended the command at once: exit code 128 plus the signal's number.
    Cut(StopSignal),
}

impl From<CommandOutcome> for ExitCode {
    fn from(outcome: CommandOutcome) -> Self {
        match outcome {
            CommandOutcome::Done => ExitCode::SUCCESS,
            CommandOutcome::Failed => ExitCode::FAILURE,
            CommandOutcome::Unusable => ExitCode::from(2),
            CommandOutcome::Found => ExitCode::from(3),
            CommandOutcome::Cut(signal) => ExitCode::from(signal.exit_code()),
        }
    }
}
