//! `stackgen man`

use std::path::PathBuf;

use clap_mangen::Man;

use crate::error::{CliError, reason};
use crate::outcome::CommandOutcome;
use crate::ui::Ui;
use crate::write;

/// Print the manual page, or write the pages of all commands
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ManCommand {
    /// Folder to write one page per command to
    #[arg(long, short, value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  stackgen man | man -l -
  stackgen man --out ~/.local/share/man/man1";

impl ManCommand {
    pub(crate) fn run(
        &self,
        mut program: clap::Command,
        ui: &Ui,
    ) -> Result<CommandOutcome, CliError> {
        program.build();
        let Some(folder) = &self.out else {
            ui.result(&page(program)?)?;
            return Ok(CommandOutcome::Done);
        };
        let mut files = Vec::new();
        for command in with_subcommands(program) {
            // Once the program is built, the display name is `stackgen-synth`.
            let name = command
                .get_display_name()
                .unwrap_or(command.get_name())
                .to_owned();
            files.push((folder.join(format!("{name}.1")), page(command)?));
        }
        let written = write::write_all(&files)?;
        for ((path, _), written) in files.iter().zip(written) {
            ui.done(&format!("{} {}", written.verb(), path.display()))?;
        }
        Ok(CommandOutcome::Done)
    }
}

/// Returns a command with all its subcommands.
fn with_subcommands(command: clap::Command) -> Vec<clap::Command> {
    let subcommands = command
        .get_subcommands()
        .cloned()
        .flat_map(with_subcommands);
    let subcommands: Vec<_> = subcommands.collect();
    [vec![command], subcommands].concat()
}

fn page(command: clap::Command) -> Result<String, CliError> {
    let mut roff = Vec::new();
    Man::new(command).render(&mut roff).map_err(|error| {
        CliError::failed(format!("cannot render the manual: {}", reason(&error)))
    })?;
    Ok(String::from_utf8_lossy(&roff).into_owned())
}
