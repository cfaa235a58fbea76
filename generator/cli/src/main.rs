//! `stackgen`: one binary for people who run WebSocket APIs on API Gateway.
//!
//! `main` maps outcomes to exit codes; each command is one file of [`commands`]. Only this crate prints, reads
//! files and the environment, and starts other programs.

mod account;
mod args;
mod bounded;
mod cargo;
mod commands;
mod error;
mod file;
mod git;
mod kept;
mod local;
mod project;
mod report;
mod signals;
mod source;
mod template;
mod ui;
mod verdict;
mod watcher;
mod write;

#[cfg(test)]
mod reference;

use std::io;
use std::process::ExitCode;

use clap::Parser;

use args::Cli;
use error::CliError;
use signals::StopSignal;
use ui::Ui;
use watcher::WatcherArgs;

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Exit code 0.
    Done,
    /// A check found something: exit code 3.
    Found,
    /// The operation failed, and what happened is told: exit code 1.
    Failed,
    /// Some of the input could not be used, and that is told: exit code 2.
    Unusable,
    /// A second signal ended it at once: exit code 128 and the signal's number.
    Cut(StopSignal),
}

fn main() -> ExitCode {
    if let Some(watcher) = WatcherArgs::of_process() {
        watcher.watch();
        return ExitCode::SUCCESS;
    }
    let (ui, result) = match Cli::try_parse() {
        Ok(cli) => {
            let ui = Ui::new(&cli.global);
            let result = cli.command.run(&ui);
            (ui, result)
        }
        // Help and the version come as errors too: they are results.
        Err(usage) if !usage.use_stderr() => (Ui::unread(false), printed(&usage)),
        // Clap knows what to say, where and with which exit code.
        Err(usage) if !args::json_wanted() => usage.exit(),
        Err(usage) => (Ui::unread(true), Err(CliError::from(usage))),
    };
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(3),
        Ok(Outcome::Failed) => ExitCode::FAILURE,
        Ok(Outcome::Unusable) => ExitCode::from(2),
        Ok(Outcome::Cut(signal)) => ExitCode::from(signal.exit_code()),
        Err(error) => {
            ui.error(&error);
            error.exit_code()
        }
    }
}

fn printed(help: &clap::Error) -> Result<Outcome, CliError> {
    match help.print() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::stdout(&error)),
        _ => Ok(Outcome::Done),
    }
}
