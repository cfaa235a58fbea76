//! Searching with Logs Insights, after its price is known.

use stackgen_deploy::OperationContext;
use stackgen_diagnose::logs::{LogLine, LogSearchRequest, estimate, scan_price, search as run};

use super::options::LogRequest;
use super::target::LogTarget;
use crate::account::{AccountClient, StepProgress, confirmed};
use crate::error::CliError;
use crate::text::counted;
use crate::ui::Ui;

/// Bytes that a search may scan without a question.
const FREE_OF_QUESTION: u64 = 5_000_000_000;

/// Number of queries that most searches take: one for the selection, one or two for what it names.
const USUAL_QUERIES: u64 = 3;

/// Searches the logs for the selected connections.
pub(super) async fn search(
    request: &LogRequest,
    account: &AccountClient,
    target: &LogTarget,
    progress: &StepProgress<'_>,
    ctx: OperationContext<'_>,
    ui: &Ui,
) -> Result<Vec<LogLine>, CliError> {
    if request.filter.search_text().is_none() {
        return Err(CliError::input("`--insights` searches for a selection")
            .hint("select connections with `--connection`, `--session`, `--user` or `--field`"));
    }
    progress.pause();
    let max_bytes = agreed_bytes(request, target, ctx, ui).await?;
    progress.begin("searching with Logs Insights");
    let search = LogSearchRequest {
        sources: &target.sources,
        range: request.range,
        filter: &request.filter,
        now: request.now,
        max_bytes,
    };
    let found = run(&account.aws, search, ctx).await?;
    progress.pause();
    ui.aside(&format!(
        "Logs Insights scanned {}, at a price of {}, and found {}",
        size_text(found.scanned_bytes),
        price_text(found.scanned_bytes),
        counted(found.entries.len(), "line")
    ));
    if found.is_cut_off {
        let hint = match found.is_stopped {
            true => "search a shorter range with `--since`, or without a limit with `--yes`",
            false => "search a shorter range with `--since`, or select fewer connections",
        };
        ui.note(
            "the search ended at a limit, so lines are missing",
            Some(hint),
        );
    }
    Ok(found.entries)
}

/// Returns the number of bytes at which the search ends; `None` for no limit. Asks if that is much, or cannot be estimated.
async fn agreed_bytes(
    request: &LogRequest,
    target: &LogTarget,
    ctx: OperationContext<'_>,
    ui: &Ui,
) -> Result<Option<u64>, CliError> {
    let scan = estimate(&target.sources, request.range, request.now);
    let usual = scan.bytes.saturating_mul(USUAL_QUERIES);
    let is_free = usual <= FREE_OF_QUESTION && !scan.is_incomplete;
    // The sizes of groups are those of compressed events, and lines are not spread evenly.
    let limit = usual.saturating_mul(2).max(FREE_OF_QUESTION);
    let bound = match scan.is_incomplete {
        true => "at least",
        false => "about",
    };
    let each = format!(
        "each query of Logs Insights scans {bound} {}",
        size_text(scan.bytes)
    );
    let until = format!(
        "the search ends at {}, a price of {} in us-east-1",
        size_text(limit),
        price_text(limit)
    );
    if request.options.yes {
        ui.aside(&format!("{each}, and the search has no limit"));
        return Ok(None);
    }
    if !is_free && !ui.can_prompt() {
        return Err(CliError::input(format!("{each}, and {until}"))
            .hint("read a shorter range with `--since`, or search without a limit with `--yes`"));
    }
    ui.aside(&format!("{each}; {until}"));
    if !is_free && !confirmed(false, "search?", ctx.interrupt, ui).await? {
        return Err(CliError::failed("nothing was searched"));
    }
    Ok(Some(limit))
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
