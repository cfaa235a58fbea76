//! `stackgen completions`

use clap::CommandFactory;
use clap_complete::Shell;

use crate::Outcome;
use crate::args::Cli;
use crate::error::CliError;
use crate::ui::Ui;

/// Print a script that completes stackgen's commands in a shell
///
/// For bash: `source <(stackgen completions bash)`
#[derive(clap::Args, Debug)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "stackgen", &mut script);
        ui.result(&String::from_utf8_lossy(&script))?;
        Ok(Outcome::Done)
    }
}
