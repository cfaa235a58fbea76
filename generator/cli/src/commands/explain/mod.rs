//! `stackgen explain`

mod page;
mod rule;
mod topic;

use serde::Serialize;
use stackgen_probe::Explanation;

pub(super) use rule::{rule_list, rule_page, rule_reports};

use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::rows::ReferenceRow;
use crate::ui::Ui;
use rule::RuleReport;
use topic::{Topic, TopicKind};

/// Explain a row of the API Gateway reference, a linter rule, a close code, a status or an error frame
///
/// A row, such as D5, is an entry of stackgen's API Gateway reference: what API Gateway does, the source, and what is
/// uncertain. Rules are named by ID (SG102) or name, and checks of `stackgen doctor` by ID (DR201). Close codes are those of a WebSocket (1005), statuses those of a handshake (403), and error frames
/// those that API Gateway sends on an open connection (Forbidden). Case does not matter.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExplainCommand {
    /// ID, name, code or text to explain (default: lists all rows)
    #[arg(value_name = "WHAT")]
    what: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  stackgen explain D5
  stackgen explain SG102
  stackgen explain 1006
  stackgen explain 403
  stackgen explain internal server error";

/// Output of `--json`.
#[derive(Serialize)]
struct ExplainReport<'a> {
    kind: TopicKind,
    name: &'a str,
    /// Causes of a code, a status or an error frame, likeliest first.
    explanations: &'a [Explanation],
    rows: &'a [&'static ReferenceRow],
    rules: Vec<RuleReport>,
}

impl ExplainCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let topic = Topic::find(&self.what.join(" "))?;
        match ui.wants_json() {
            true => ui.json_result(&ExplainReport {
                kind: topic.kind,
                name: &topic.name,
                explanations: &topic.explanations,
                rows: &topic.rows,
                rules: rule_reports(&topic.rules),
            })?,
            false => {
                ui.without_lookup();
                ui.print(&page::text(&topic))?;
            }
        }
        Ok(CommandOutcome::Done)
    }
}
