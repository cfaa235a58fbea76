//! `stackgen schema`

use crate::error::CliError;
use crate::outcome::Outcome;
use crate::ui::Ui;

/// Print the JSON Schema of stackgen.yaml
///
/// Editors complete and check a stackgen.yaml whose first line names it:
/// `# yaml-language-server: $schema=./stackgen.schema.json`
#[derive(clap::Args, Debug)]
pub(crate) struct SchemaCommand {}

impl SchemaCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        ui.result(&text())?;
        Ok(Outcome::Done)
    }
}

/// The schema as the file that stands beside a stackgen.yaml.
pub(crate) fn text() -> String {
    format!("{:#}\n", stackgen_synth::schema())
}
