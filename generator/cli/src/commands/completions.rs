//! `stackgen completions`

use clap_complete::Shell;

use crate::error::CliError;
use crate::outcome::Outcome;
use crate::ui::Ui;

/// Print a script that completes stackgen's commands in a shell
///
/// For bash: `source <(stackgen completions bash)`
#[derive(clap::Args, Debug)]
pub(crate) struct CompletionsCommand {
    /// The shell
    shell: Shell,
}

impl CompletionsCommand {
    pub(crate) fn run(&self, mut program: clap::Command, ui: &Ui) -> Result<Outcome, CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut program, "stackgen", &mut script);
        ui.result(&String::from_utf8_lossy(&script))?;
        Ok(Outcome::Done)
    }
}
