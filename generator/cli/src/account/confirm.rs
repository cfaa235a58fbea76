//! Questions before changes.

use stackgen_deploy::Interrupt;

use crate::error::CliError;
use crate::ui::Ui;

/// Asks for confirmation on a terminal. Without a terminal, or with `yes`, the change is confirmed.
pub(crate) async fn confirmed(
    yes: bool,
    question: &str,
    interrupt: &Interrupt,
    ui: &Ui,
) -> Result<bool, CliError> {
    if yes || !ui.can_prompt() {
        return Ok(true);
    }
    let question = format!("{question} [y/N] ");
    let answer = interrupt.unless(ui.ask_async(&question)).await;
    if answer.is_err() {
        // The question's line is still open.
        ui.stderr("\n");
    }
    Ok(matches!(answer?.as_deref(), Some("y" | "Y" | "yes")))
}
