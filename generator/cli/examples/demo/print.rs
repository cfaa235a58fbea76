//! Output of the demo.

use std::fmt::Display;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

const HEADING: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const COMMAND: Style = AnsiColor::Cyan.on_default();
const QUIET: Style = Style::new().dimmed();

/// Width of the column with the steps.
const WIDTH: usize = 46;

/// Failure of a step.
#[derive(Debug)]
pub(crate) struct DemoError(String);

impl DemoError {
    pub(crate) fn new(message: impl Display) -> Self {
        DemoError(message.to_string())
    }
}

/// Adds context to errors, so that `?` ends the demo with the step that failed.
pub(crate) trait WithContext<T> {
    fn context(self, step: &str) -> Result<T, DemoError>;
}

impl<T, E: Display> WithContext<T> for Result<T, E> {
    fn context(self, step: &str) -> Result<T, DemoError> {
        self.map_err(|error| DemoError(format!("{step}: {error}")))
    }
}

pub(crate) fn act(title: &str) {
    anstream::println!("\n{HEADING}{title}{HEADING:#}");
}

pub(crate) fn aside(text: &str) {
    anstream::println!("  {QUIET}{text}{QUIET:#}");
}

pub(crate) fn command(line: &str) {
    anstream::println!("  {COMMAND}$ {line}{COMMAND:#}");
}

pub(crate) fn output(text: &str) {
    for line in text.lines() {
        anstream::println!("    {QUIET}{line}{QUIET:#}");
    }
}

/// Prints a step and its result. An unexpected result ends the demo.
pub(crate) fn step(action: &str, result: impl Display, is_expected: bool) -> Result<(), DemoError> {
    if is_expected {
        anstream::println!("  {GOOD}✓{GOOD:#} {action:<WIDTH$} {result}");
        return Ok(());
    }
    anstream::println!("  {BAD}✗{BAD:#} {action:<WIDTH$} {result}");
    Err(DemoError::new(format!("{action}: {result}")))
}

pub(crate) fn failed(failed: &DemoError) -> ExitCode {
    anstream::eprintln!("\n{BAD}The demo failed:{BAD:#} {}", failed.0);
    ExitCode::FAILURE
}
