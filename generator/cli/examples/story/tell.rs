//! How the story is told.

use std::fmt::Display;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

const HEADING: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const COMMAND: Style = AnsiColor::Cyan.on_default();
const QUIET: Style = Style::new().dimmed();

/// How wide what happened is, before what came of it.
const WIDTH: usize = 46;

/// What did not hold.
#[derive(Debug)]
pub(crate) struct Failed(String);

impl Failed {
    pub(crate) fn new(what: impl Display) -> Self {
        Failed(what.to_string())
    }
}

/// `?` on whatever can go wrong: the story ends there, and says where.
pub(crate) trait Told<T> {
    fn told(self, what: &str) -> Result<T, Failed>;
}

impl<T, E: Display> Told<T> for Result<T, E> {
    fn told(self, what: &str) -> Result<T, Failed> {
        self.map_err(|error| Failed(format!("{what}: {error}")))
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

/// Something that was done, and what came of it; the story goes on only if that is what it should be.
pub(crate) fn step(done: &str, came: impl Display, held: bool) -> Result<(), Failed> {
    if held {
        anstream::println!("  {GOOD}✓{GOOD:#} {done:<WIDTH$} {came}");
        return Ok(());
    }
    anstream::println!("  {BAD}✗{BAD:#} {done:<WIDTH$} {came}");
    Err(Failed::new(format!("{done}: {came}")))
}

pub(crate) fn failed(failed: &Failed) -> ExitCode {
    anstream::eprintln!("\n{BAD}The story did not hold:{BAD:#} {}", failed.0);
    ExitCode::FAILURE
}
