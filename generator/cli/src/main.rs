//! `stackgen`: the command line for people who run WebSocket APIs on API Gateway.
//!
//! `main` turns outcomes into exit codes. Each command is one file or folder of [`commands`]. Only this crate prints, reads
//! files and the environment, and starts other programs. No module depends on one that depends on it: `main` sees
//! [`commands`], those see the modules beside them, and all of them see [`ui`] and [`error`].

#[cfg(not(unix))]
compile_error!("stackgen runs on Linux and macOS; on Windows, use WSL");

mod account;
mod args;
mod assembly;
mod bounded;
mod browser;
mod build;
mod caller;
mod cargo;
mod commands;
mod embedded;
mod error;
mod explanation;
mod file;
mod git;
mod layer_mount;
mod library;
mod links;
mod lint_gate;
mod local;
mod model_changes;
mod network;
mod other_tools;
mod outcome;
mod output_dir;
mod own_gateway;
mod package;
mod project;
mod recording;
mod renamed;
mod report;
mod rows;
mod rules;
mod run_id;
mod runtime;
mod signals;
mod source;
mod stage_address;
mod style;
mod template;
mod terraform;
mod text;
mod tokens;
mod ui;
mod values;
mod watcher;
mod write;

#[cfg(test)]
mod reference;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::Cli;
use error::CliError;
use layer_mount::LayerMountArgs;
use mimalloc::MiMalloc;
use outcome::CommandOutcome;
use ui::{Ui, UiOptions};
use watcher::WatcherArgs;

/// Rendering and linting allocate many small texts, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    if let Some(watcher) = WatcherArgs::of_process() {
        watcher.watch();
        return ExitCode::SUCCESS;
    }
    if let Some(process) = LayerMountArgs::of_process() {
        return process.run();
    }
    let (ui, result) = match Cli::try_parse().map_err(renamed::with_new_name) {
        Ok(cli) => {
            let ui = Ui::new(&cli.global.ui_options());
            let result = cli.command.run(&ui, Cli::command);
            (ui, result)
        }
        // Help and the version come as errors too: they are results.
        Err(usage) if !usage.use_stderr() => {
            let ui = Ui::new(&UiOptions::default());
            let printed = print_help(&usage, &ui);
            (ui, printed)
        }
        // Clap prints the error, and exits with 2.
        Err(usage) if !args::is_json_requested() => usage.exit(),
        Err(usage) => {
            let options = UiOptions {
                json: true,
                ..UiOptions::default()
            };
            (Ui::new(&options), Err(CliError::from(usage)))
        }
    };
    let code = match result {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            ui.error(&error);
            error.exit_code()
        }
    };
    ui.finish();
    code
}

/// Prints help or the version on stdout, with the advice how to look up the rows that it names.
fn print_help(help: &clap::Error, ui: &Ui) -> Result<CommandOutcome, CliError> {
    let mut text = help.render().ansi().to_string();
    if links::first(&text).is_some() {
        text.push_str("\nRows: `stackgen explain ROW` explains one.\n");
    }
    ui.without_lookup();
    ui.print(&text)?;
    Ok(CommandOutcome::Done)
}
