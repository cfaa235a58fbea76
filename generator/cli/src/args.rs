//! The command line.

use std::time::Duration;

use clap::builder::Styles;
use clap::builder::styling::{AnsiColor, Effects};
use clap::{Args, ColorChoice, Parser};
use stackgen_synth::spec;

use crate::commands::Command;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().effects(Effects::BOLD))
    .usage(AnsiColor::Green.on_default().effects(Effects::BOLD))
    .literal(AnsiColor::Cyan.on_default().effects(Effects::BOLD))
    .placeholder(AnsiColor::Cyan.on_default());

/// WebSocket APIs on API Gateway: templates that are wired right, from one stackgen.yaml
///
/// Start with `stackgen init`, then `stackgen synth`.
#[derive(Debug, Parser)]
#[command(name = "stackgen", version, styles = STYLES, after_help = EXIT_CODES)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 the operation failed, 2 bad usage or bad input, 3 a check found something.\n\
                          Results go to stdout; progress and diagnostics go to stderr.";

/// What every command takes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Print results, and errors too, as JSON on stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Print errors and asked-for results only
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,

    /// Say what is being done
    #[arg(long, short, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: bool,

    /// When to use colours; `auto` honours NO_COLOR
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
}

/// Whether `--json` stands on a command line that could not be parsed.
pub(crate) fn json_wanted() -> bool {
    std::env::args_os()
        .take_while(|arg| arg != "--")
        .any(|arg| arg == "--json")
}

/// A length of time as the command line takes it, not zero.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let read = spec::Duration::parse(text).map(|duration| Duration::from_millis(duration.millis()));
    read.filter(|duration| !duration.is_zero())
        .ok_or_else(|| "it is a number and a unit: `500ms`, `90s`, `11m`, `2h`".to_owned())
}
