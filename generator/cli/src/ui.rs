//! What is printed, and where.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};
use std::thread;

use anstream::{AutoStream, ColorChoice};
use serde::Serialize;
use stackgen_cfn::terminal::escape_json;
use tokio::sync::oneshot;

use crate::error::CliError;
use crate::report;
use crate::style::{CYAN, DIM};

/// Options of the output.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct UiOptions {
    /// Print results, and errors too, as JSON.
    pub(crate) json: bool,
    /// Print errors and results only.
    pub(crate) quiet: bool,
    /// Print details.
    pub(crate) verbose: bool,
    /// When to print colours.
    pub(crate) color: ColorChoice,
}

/// The two streams, and how much of which to say.
///
/// A reader that went away is not an error: the command goes on with its work and the rest is not printed.
#[derive(Debug)]
pub(crate) struct Ui {
    options: UiOptions,
    closed: Cell<bool>,
}

impl Ui {
    /// Creates the output of a command.
    pub(crate) fn new(options: &UiOptions) -> Self {
        Ui {
            options: *options,
            closed: Cell::new(false),
        }
    }

    /// Whether results are to be JSON.
    pub(crate) fn wants_json(&self) -> bool {
        self.options.json
    }

    /// Whether to show that something is going on.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.options.json && !self.options.quiet
    }

    /// A result as one line of JSON on stdout.
    pub(crate) fn json_line(&self, value: &impl Serialize) -> Result<(), CliError> {
        self.json_lines(std::slice::from_ref(value))
    }

    /// Results, each as one line of JSON on stdout.
    pub(crate) fn json_lines(&self, values: &[impl Serialize]) -> Result<(), CliError> {
        let mut text = String::new();
        for value in values {
            text += &serde_json::to_string(value)
                .map_err(|error| CliError::failed(format!("cannot write JSON: {error}")))?;
            text.push('\n');
        }
        self.result(&escape_json(&text))
    }

    /// Whether a person can be asked.
    pub(crate) fn can_prompt(&self) -> bool {
        let in_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
        !self.options.json && !in_ci && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks on stderr and reads one line of stdin; `None` at the end of input.
    pub(crate) fn ask(&self, question: &str) -> Option<String> {
        self.stderr(question);
        answer()
    }

    /// The same, without keeping anything else from going on: not waiting for the answer leaves it unread.
    pub(crate) async fn ask_async(&self, question: &str) -> Option<String> {
        self.stderr(question);
        let (tell, told) = oneshot::channel();
        // Nothing stops a thread that reads: it ends with the process.
        thread::spawn(move || tell.send(answer()));
        told.await.ok().flatten()
    }

    /// A result, as it is, on stdout.
    pub(crate) fn result(&self, text: &str) -> Result<(), CliError> {
        if self.closed.get() {
            return Ok(());
        }
        let mut stdout = AutoStream::new(io::stdout().lock(), self.options.color);
        match stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
        {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed.set(true);
                Ok(())
            }
            Err(error) => Err(CliError::stdout(&error)),
        }
    }

    /// A result as JSON on stdout.
    pub(crate) fn json_result(&self, value: &impl Serialize) -> Result<(), CliError> {
        let mut text = serde_json::to_string_pretty(value)
            .map_err(|error| CliError::failed(format!("cannot write JSON: {error}")))?;
        text.push('\n');
        self.result(&escape_json(&text))
    }

    /// A line on stdout about what was done; none with `--quiet`, and none where JSON says it.
    pub(crate) fn done(&self, line: &str) -> Result<(), CliError> {
        if self.options.quiet || self.options.json {
            return Ok(());
        }
        self.result(&format!("{line}\n"))
    }

    /// Text on stderr that helps and can be missed.
    pub(crate) fn aside(&self, text: &str) {
        if !self.options.quiet && !self.options.json {
            self.stderr(&format!("{text}\n"));
        }
    }

    /// A line on stderr with `--verbose`.
    pub(crate) fn detail(&self, line: impl FnOnce() -> String) {
        if self.options.verbose {
            self.stderr(&format!("{DIM}{}{DIM:#}\n", line()));
        }
    }

    /// Something to know, on stderr.
    pub(crate) fn note(&self, message: &str, hint: Option<&str>) {
        self.aside(&format!("{CYAN}note{CYAN:#}: {message}"));
        if let Some(hint) = hint {
            self.aside(&format!("{CYAN}help{CYAN:#}: {hint}"));
        }
    }

    /// Why the command failed: as JSON on stdout where that is asked for and can be, otherwise on stderr.
    pub(crate) fn error(&self, error: &CliError) {
        if !self.options.json || self.json_result(&error.to_json()).is_err() {
            self.stderr(&report::render(error));
        }
    }

    /// Text on stderr, as it is.
    pub(crate) fn stderr(&self, text: &str) {
        // Without stderr nobody can be told.
        let mut stderr = AutoStream::new(io::stderr().lock(), self.options.color);
        let _ = stderr.write_all(text.as_bytes());
    }
}

/// A line of stdin; `None` at its end.
fn answer() -> Option<String> {
    let mut answer = String::new();
    match io::stdin().read_line(&mut answer) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(answer.trim().to_owned()),
    }
}
