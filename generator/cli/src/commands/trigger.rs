//! `stackgen trigger`

use std::path::PathBuf;

use serde_json::json;

use crate::error::CliError;
use crate::local::LocalGateway;
use crate::outcome::CommandOutcome;
use crate::runtime::block_on;
use crate::ui::Ui;

/// Run a schedule of the local gateway now
///
/// Sends the event of the schedule to its functions, as at its next time. `stackgen dev` shows the result.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TriggerCommand {
    /// Name of the rule or of the schedule, as `stackgen dev` shows it
    name: String,

    /// Project file or template that the gateway runs
    #[arg(
        long,
        short,
        value_name = "FILE",
        default_value = "stackgen.yaml",
        help_heading = "Target"
    )]
    file: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  stackgen trigger stack-CleanUp-1A2B3C4D5E6F
  stackgen trigger nightly --file template.yaml";

impl TriggerCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        block_on(self.trigger(ui))
    }

    async fn trigger(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let local = LocalGateway::find(&self.file).await?;
        let schedules = &local.state.schedules;
        let Some(schedule) = schedules.iter().find(|one| one.name == self.name) else {
            let names = schedules.iter().map(|one| one.name.as_str());
            let names: Vec<&str> = names.collect();
            let hint = match names.is_empty() {
                true => "the template that runs has no schedule".to_owned(),
                false => format!("use {}", names.join(", ")),
            };
            return Err(CliError::input(format!("there is no schedule {}", self.name)).hint(hint));
        };
        local.remote().run_schedule(&self.name).await?;
        match ui.wants_json() {
            true => ui.json_result(&json!({ "schedule": schedule }))?,
            false => ui.aside(&format!(
                "{} runs: {}",
                self.name,
                schedule.functions.join(", ")
            )),
        }
        Ok(CommandOutcome::Done)
    }
}
