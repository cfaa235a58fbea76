//! The command line.

use clap::builder::Styles;
use clap::builder::styling::{AnsiColor, Effects};
use clap::{Args, ColorChoice, Parser};

use crate::commands::Command;
use crate::ui::UiOptions;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().effects(Effects::BOLD))
    .usage(AnsiColor::Green.on_default().effects(Effects::BOLD))
    .literal(AnsiColor::Cyan.on_default().effects(Effects::BOLD))
    .placeholder(AnsiColor::Cyan.on_default());

/// Render, lint, run and deploy WebSocket APIs on API Gateway
///
/// Start with `stackgen init`, then `stackgen dev` and `stackgen synth`.
#[derive(Debug, Parser)]
#[command(name = "stackgen", version, styles = STYLES, after_help = HELP_FOOTER)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const HELP_FOOTER: &str = "\
Examples:
  stackgen init echo --out my-socket
  stackgen lint template.yaml
  stackgen deploy --redeploy-stage --env prod

Exit codes: 0 done, 1 the operation failed, 2 bad usage or bad input, 3 a check found something.
Results go to stdout; progress and diagnostics go to stderr.";

/// Flags of every command.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Print results and errors as JSON on stdout
    #[arg(long, global = true)]
    json: bool,

    /// Print only errors and requested results
    #[arg(long, short, global = true)]
    quiet: bool,

    /// Print details
    #[arg(long, short, global = true, conflicts_with = "quiet")]
    verbose: bool,

    /// Use of colors in the output; `auto` respects NO_COLOR
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
}

impl GlobalArgs {
    /// Returns the options of the output.
    pub(crate) fn ui_options(&self) -> UiOptions {
        UiOptions {
            json: self.json,
            quiet: self.quiet,
            verbose: self.verbose,
            color: match self.color {
                ColorChoice::Auto => anstream::ColorChoice::Auto,
                ColorChoice::Always => anstream::ColorChoice::Always,
                ColorChoice::Never => anstream::ColorChoice::Never,
            },
        }
    }
}

/// Returns true if `--json` is on a command line that could not be parsed.
pub(crate) fn is_json_requested() -> bool {
    std::env::args_os()
        .take_while(|arg| arg != "--")
        .any(|arg| arg == "--json")
}
