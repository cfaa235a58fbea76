//! `stackgen rule`

use stackgen_lint::{Rule, registry};

use super::explain::{rule_list, rule_page, rule_reports};
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::rules::unknown_rule;
use crate::ui::Ui;

/// Explain a rule of the linter, or list all rules; `stackgen explain` explains rules too
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RuleCommand {
    /// ID (SG102), name, or prefix of IDs (SG1) (default: all rules)
    #[arg(value_name = "RULE")]
    rule: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  stackgen rule SG102
  stackgen rule SG1";

impl RuleCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let is_selected = |rule: &&Rule| match &self.rule {
            Some(word) => rule.is_named(word),
            None => true,
        };
        let rules: Vec<_> = registry::all().filter(is_selected).collect();
        if let (Some(word), true) = (&self.rule, rules.is_empty()) {
            return Err(unknown_rule(word));
        }
        if ui.wants_json() {
            let rules = rule_reports(&rules);
            ui.json_result(&serde_json::json!({ "rules": rules }))?;
            return Ok(CommandOutcome::Done);
        }
        ui.without_lookup();
        match self.rule.as_deref().and_then(registry::find) {
            Some(rule) => ui.print(&rule_page(rule))?,
            None => ui.print(&rule_list(&rules))?,
        }
        Ok(CommandOutcome::Done)
    }
}
