//! `stackgen schema`

use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::ui::Ui;

/// Print the JSON Schema of stackgen.yaml, or of the events of the local gateway
///
/// Editors check and complete a stackgen.yaml whose first line names the schema:
/// `# yaml-language-server: $schema=./stackgen.schema.json`
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SchemaCommand {
    /// Print the schema of the events of the gateway, which `stackgen dev --json` prints and its control endpoint streams
    #[arg(long, help_heading = "Schema")]
    events: bool,
}

const EXAMPLES: &str = "\
Examples:
  stackgen schema > stackgen.schema.json
  stackgen schema | jq .properties.websocket
  stackgen schema --events > events.schema.json";

impl SchemaCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        ui.result(&match self.events {
            true => events_text(),
            false => text(),
        })?;
        Ok(CommandOutcome::Done)
    }
}

/// Returns the schema as a file beside a stackgen.yaml.
pub(crate) fn text() -> String {
    format!("{:#}\n", stackgen_synth::schema())
}

/// Returns the schema of the events of a local gateway.
pub(crate) fn events_text() -> String {
    format!("{:#}\n", stackgen_gateway::stream_schema().to_value())
}
