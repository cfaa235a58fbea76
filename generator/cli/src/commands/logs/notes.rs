//! Notes about what the logs do not contain.

use stackgen_diagnose::logs::LogGap;

use super::denied::DeniedCalls;
use super::target::LogTarget;
use crate::error::CliError;
use crate::style::{BOLD, CYAN, DIM};
use crate::text::{REPORT, wrap};
use crate::ui::Ui;

/// Prints notes on stderr: calls that the caller may not make, and what is not logged.
pub(super) fn print(gaps: &[LogGap], denied: &DeniedCalls, ui: &Ui) {
    let mut text = String::new();
    for action in denied.actions() {
        let wrapped = wrap("note: ", "      ", &action.text(), REPORT);
        text += &wrapped.replacen("note", &format!("{CYAN}note{CYAN:#}"), 1);
    }
    if !gaps.is_empty() {
        text += &format!("{BOLD}Not logged{BOLD:#}\n");
        for gap in gaps {
            text += &wrap("  - ", "    ", &gap.missing, REPORT);
            text += &wrap("    add: ", "         ", &gap.setting, REPORT);
            if let Some(cost) = &gap.cost {
                text += &format!(
                    "{DIM}{}{DIM:#}\n",
                    wrap("    cost: ", "          ", cost, REPORT).trim_end()
                );
            }
        }
    }
    if !text.is_empty() {
        ui.aside(text.trim_end());
    }
}

/// Returns the error of a stage without a readable log.
pub(super) fn nothing_to_read(target: &LogTarget, denied: &DeniedCalls) -> CliError {
    let title = target.title();
    match denied.is_empty() {
        true => CliError::failed(format!("{title} has no log group"))
            .hint("turn on a log as described above, or name a group with `--log-group`"),
        false => CliError::failed(format!(
            "no log group of {title} can be found without more permissions"
        ))
        .hint("name a group with `--log-group`, or allow the calls that are described above"),
    }
}
