//! `stackgen schema`

use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::ui::Ui;

/// Print the JSON Schema of stackgen.yaml
///
/// Editors check and complete a stackgen.yaml whose first line names the schema:
/// `# yaml-language-server: $schema=./stackgen.schema.json`
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SchemaCommand {}

const EXAMPLES: &str = "\
Examples:
  stackgen schema > stackgen.schema.json
  stackgen schema | jq .properties.websocket";

impl SchemaCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        ui.result(&text())?;
        Ok(CommandOutcome::Done)
    }
}

/// Returns the schema as a file beside a stackgen.yaml.
pub(crate) fn text() -> String {
    format!("{:#}\n", stackgen_synth::schema())
}
