//! `stackgen`: one binary for people who run WebSocket APIs on API Gateway.
//!
//! `main` maps outcomes to exit codes; each command is one file of [`commands`]. Only this crate prints, reads
//! files and the environment, and starts other programs.

mod args;
mod commands;
mod error;
mod file;
mod project;
mod report;
mod template;
mod ui;

#[cfg(test)]
mod reference;

use std::process::ExitCode;

use clap::Parser;

use args::Cli;
use error::CliError;
use ui::Ui;

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Exit code 0.
    Done,
    /// A check found something: exit code 3.
    Found,
}

fn main() -> ExitCode {
    let (ui, result) = match Cli::try_parse() {
        Ok(cli) => {
            let ui = Ui::new(&cli.global);
            let result = cli.command.run(&ui);
            (ui, result)
        }
        // Help and the version come as errors too. Clap prints them where they belong and knows their exit codes.
        Err(usage) if !usage.use_stderr() || !args::json_wanted() => usage.exit(),
        Err(usage) => (Ui::json(), Err(CliError::from(usage))),
    };
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(3),
        Err(error) => {
            ui.error(&error);
            error.exit_code()
        }
    }
}
