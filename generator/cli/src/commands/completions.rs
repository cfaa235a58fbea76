//! `stackgen completions`

use clap_complete::Shell;

use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::ui::Ui;

/// Print a shell completion script
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompletionsCommand {
    /// Shell
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  source <(stackgen completions bash)
  stackgen completions fish > ~/.config/fish/completions/stackgen.fish";

impl CompletionsCommand {
    pub(crate) fn run(
        &self,
        mut program: clap::Command,
        ui: &Ui,
    ) -> Result<CommandOutcome, CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut program, "stackgen", &mut script);
        ui.result(&String::from_utf8_lossy(&script))?;
        Ok(CommandOutcome::Done)
    }
}
