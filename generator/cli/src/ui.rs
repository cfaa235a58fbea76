//! Output on stdout and stderr, and questions.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::io::{self, IsTerminal, Write};
use std::thread;

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use serde::Serialize;
use stackgen_cfn::terminal::escape_json;
use supports_hyperlinks::Stream;
use tokio::sync::oneshot;

use crate::error::CliError;
use crate::links::{self, IdKind};
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
    /// Use of colours.
    pub(crate) color: ColorChoice,
}

/// Output of a command.
///
/// A reader that went away is not an error: the command continues, and the rest is not printed.
#[derive(Debug)]
pub(crate) struct Ui {
    options: UiOptions,
    closed: Cell<bool>,
    lookup: RefCell<Lookup>,
}

/// Advice at the end of the output: how to look up an ID that was printed.
#[derive(Debug)]
enum Lookup {
    /// No ID was printed yet.
    Unneeded,
    /// This line is printed at the end.
    Line(String),
    /// The output shows by other means how to look up IDs.
    Shown,
}

impl Ui {
    /// Creates the output of a command.
    pub(crate) fn new(options: &UiOptions) -> Self {
        Ui {
            options: *options,
            closed: Cell::new(false),
            lookup: RefCell::new(Lookup::Unneeded),
        }
    }

    /// Returns true if results are printed as JSON.
    pub(crate) fn wants_json(&self) -> bool {
        self.options.json
    }

    /// Returns true if progress is printed.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.options.json && !self.options.quiet
    }

    /// Returns true if details are printed.
    pub(crate) fn shows_details(&self) -> bool {
        self.options.verbose
    }

    /// Prints results on stdout, each as one line of JSON.
    pub(crate) fn json_lines(&self, values: &[impl Serialize]) -> Result<(), CliError> {
        let mut text = String::new();
        for value in values {
            text += &serde_json::to_string(value)
                .map_err(|error| CliError::failed(format!("cannot write JSON: {error}")))?;
            text.push('\n');
        }
        self.json(&text)
    }

    /// Prints a result on stdout as one line of JSON.
    pub(crate) fn json_line(&self, value: &impl Serialize) -> Result<(), CliError> {
        self.json_lines(std::slice::from_ref(value))
    }

    /// Prints a result on stdout as indented JSON.
    pub(crate) fn json_result(&self, value: &impl Serialize) -> Result<(), CliError> {
        let mut text = serde_json::to_string_pretty(value)
            .map_err(|error| CliError::failed(format!("cannot write JSON: {error}")))?;
        text.push('\n');
        self.json(&text)
    }

    /// Prints JSON, which has no colours that a stream would have to remove byte by byte.
    fn json(&self, text: &str) -> Result<(), CliError> {
        self.write(&mut io::stdout().lock(), &escape_json(text))
    }

    /// Prints a result on stdout as it is: a template, a script, a report for programs.
    pub(crate) fn result(&self, text: &str) -> Result<(), CliError> {
        let mut stdout = AutoStream::new(io::stdout().lock(), self.options.color);
        self.write(&mut stdout, text)
    }

    /// Prints a result for people on stdout.
    pub(crate) fn print(&self, text: &str) -> Result<(), CliError> {
        let stdout = io::stdout().lock();
        let text = self.linked(text, AutoStream::choice(&stdout), Stream::Stdout);
        self.write(&mut { stdout }, &text)
    }

    /// Prints a line on stdout about what was done, unless `--quiet` or `--json` is given.
    pub(crate) fn done(&self, line: &str) -> Result<(), CliError> {
        if self.options.quiet || self.options.json {
            return Ok(());
        }
        self.print(&format!("{line}\n"))
    }

    /// Prints optional text on stderr, unless `--quiet` or `--json` is given.
    pub(crate) fn aside(&self, text: &str) {
        if !self.options.quiet && !self.options.json {
            self.stderr(&format!("{text}\n"));
        }
    }

    /// Prints a line on stderr if `--verbose` is given.
    pub(crate) fn detail(&self, line: impl FnOnce() -> String) {
        if self.options.verbose {
            self.stderr(&format!("{DIM}{}{DIM:#}\n", line()));
        }
    }

    /// Prints a note on stderr.
    pub(crate) fn note(&self, message: &str, hint: Option<&str>) {
        self.aside(&format!("{CYAN}note{CYAN:#}: {message}"));
        if let Some(hint) = hint {
            self.aside(&format!("{CYAN}help{CYAN:#}: {hint}"));
        }
    }

    /// Prints an error: with `--json` on stdout, otherwise, or if that fails, on stderr.
    pub(crate) fn error(&self, error: &CliError) {
        if !self.options.json || self.json_result(&error.to_json()).is_err() {
            self.stderr(&report::render(error));
        }
    }

    /// Prints text on stderr.
    pub(crate) fn stderr(&self, text: &str) {
        let mut stderr = io::stderr().lock();
        let text = self.linked(text, AutoStream::choice(&stderr), Stream::Stderr);
        // Without stderr, there is nowhere to report the failure.
        let _ = stderr.write_all(text.as_bytes());
    }

    /// Prints the last line of the output: how to look up the first ID that was printed.
    pub(crate) fn finish(&self) {
        let lookup = self.lookup.replace(Lookup::Shown);
        if let Lookup::Line(line) = lookup {
            self.aside(&format!("{DIM}{line}{DIM:#}"));
        }
    }

    /// Leaves out the advice at the end, because the output has its own.
    pub(crate) fn without_lookup(&self) {
        self.lookup.replace(Lookup::Shown);
    }

    /// Returns true if there is a person to ask.
    pub(crate) fn can_prompt(&self) -> bool {
        let in_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
        !self.options.json && !in_ci && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks on stderr, and reads a line of stdin; `None` at the end of input.
    pub(crate) fn ask(&self, question: &str) -> Option<String> {
        self.stderr(question);
        read_answer()
    }

    /// Asks like [`Ui::ask`], without blocking. If the future is dropped, the answer stays unread.
    pub(crate) async fn ask_async(&self, question: &str) -> Option<String> {
        self.stderr(question);
        let (sender, receiver) = oneshot::channel();
        // A thread that reads cannot be stopped: it ends with the process.
        thread::spawn(move || sender.send(read_answer()));
        receiver.await.ok().flatten()
    }

    /// Returns the text for a stream: without colours where it has none, and with hyperlinks where it shows them. Links are
    /// added last, because what strips colours strips links too.
    fn linked<'t>(&self, text: &'t str, auto: ColorChoice, stream: Stream) -> Cow<'t, str> {
        self.remember_id(text);
        let color = match self.options.color {
            ColorChoice::Auto => auto,
            color => color,
        };
        let text = match color {
            ColorChoice::Never => Cow::Owned(strip_str(text).to_string()),
            _ => Cow::Borrowed(text),
        };
        let is_plain = self.options.color == ColorChoice::Never;
        match !is_plain && links::are_shown_on(stream) {
            true => Cow::Owned(links::add(&text)),
            false => text,
        }
    }

    fn remember_id(&self, text: &str) {
        if !matches!(*self.lookup.borrow(), Lookup::Unneeded) {
            return;
        }
        if let Some(found) = links::first(text) {
            let kind = match found.kind {
                IdKind::Row => "row",
                IdKind::Rule => "rule",
            };
            let line = format!("look up a {kind}: stackgen explain {}", found.id);
            self.lookup.replace(Lookup::Line(line));
        }
    }

    fn write(&self, stdout: &mut impl Write, text: &str) -> Result<(), CliError> {
        if self.closed.get() {
            return Ok(());
        }
        let written = stdout.write_all(text.as_bytes());
        match written.and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed.set(true);
                Ok(())
            }
            Err(error) => Err(CliError::stdout(&error)),
        }
    }
}

/// Reads a line of stdin; `None` at its end.
fn read_answer() -> Option<String> {
    let mut answer = String::new();
    match io::stdin().read_line(&mut answer) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(answer.trim().to_owned()),
    }
}
