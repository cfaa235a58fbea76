//! Searching with Logs Insights, after its price is known.

use stackgen_deploy::OperationContext;
use stackgen_diagnose::logs::{LogLine, estimate, scan_price, search as run};

use super::options::LogRequest;
use super::target::LogTarget;
use crate::account::{AccountClient, StepProgress, confirmed};
use crate::error::CliError;
use crate::ui::Ui;

/// Bytes that a search may scan without a question.
const FREE_OF_QUESTION: u64 = 5_000_000_000;

/// Searches the logs for the selected connections.
pub(super) async fn search(
    request: &LogRequest,
    account: &AccountClient,
    target: &LogTarget,
    progress: &StepProgress<'_>,
    ctx: OperationContext<'_>,
    ui: &Ui,
) -> Result<Vec<LogLine>, CliError> {
    let (range, now, yes) = (request.range, request.now, request.options.yes);
    let Some(text) = request.filter.search_text() else {
        return Err(CliError::input("`--insights` searches for a selection")
            .hint("select connections with `--connection`, `--session`, `--user` or `--field`"));
    };
    progress.pause();
    let scan = estimate(&target.sources, range, now);
    let size = size_text(scan.bytes);
    let price = price_text(scan.bytes);
    let bound = match scan.is_incomplete {
        true => "at least",
        false => "up to",
    };
    let cost = format!("Logs Insights scans {bound} {size}, at a price of {price} in us-east-1");
    if scan.bytes > FREE_OF_QUESTION || scan.is_incomplete {
        if !yes && !ui.can_prompt() {
            return Err(CliError::input(cost)
                .hint("run it with `--yes`, or read a shorter range with `--since`"));
        }
        ui.aside(&cost);
        if !confirmed(yes, "search?", ctx.interrupt, ui).await? {
            return Err(CliError::failed("nothing was searched"));
        }
    } else {
        ui.aside(&cost);
    }
    progress.begin("searching with Logs Insights");
    let found = run(&account.aws, &target.sources, range, text, now, ctx).await?;
    progress.pause();
    ui.aside(&format!(
        "Logs Insights scanned {}, at a price of {}, and found {} lines",
        size_text(found.scanned_bytes),
        price_text(found.scanned_bytes),
        found.entries.len()
    ));
    Ok(found.entries)
}

/// Formats the price of scanned bytes.
fn price_text(bytes: u64) -> String {
    match scan_price(bytes) {
        price if price < 0.01 => "less than $0.01".to_owned(),
        price => format!("${price:.2}"),
    }
}

/// Formats a number of bytes.
#[allow(clippy::cast_precision_loss, reason = "one decimal is shown")]
fn size_text(bytes: u64) -> String {
    let bytes = bytes as f64;
    match bytes {
        _ if bytes >= 1e9 => format!("{:.1} GB", bytes / 1e9),
        _ if bytes >= 1e6 => format!("{:.1} MB", bytes / 1e6),
        _ => format!("{:.1} KB", bytes / 1e3),
    }
}
