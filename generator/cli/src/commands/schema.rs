//! `stackgen schema`

use crate::Outcome;
use crate::error::CliError;
use crate::ui::Ui;

/// Print the JSON Schema of stackgen.yaml
///
/// Editors complete and check a stackgen.yaml whose first line names it:
/// `# yaml-language-server: $schema=./stackgen.schema.json`
#[derive(clap::Args, Debug)]
pub(crate) struct Schema {}

impl Schema {
    pub(crate) fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        ui.result(&text())?;
        Ok(Outcome::Done)
    }
}

/// The schema as the file that stands beside a stackgen.yaml.
pub(crate) fn text() -> String {
    format!("{:#}\n", stackgen_synth::schema())
}
