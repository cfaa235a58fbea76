//! Searching long ranges with Logs Insights, which AWS bills by the bytes that it scans.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use stackgen_deploy::{AccountError, AccountErrorKind, DeployError, OperationContext};

use super::entry::{LogLine, LogSource};
use super::fetch::{TimeRange, sort_entries};
use super::line::LineFact;
use super::parse::parse_line;
use super::ports::{InsightsRequest, InsightsResults, InsightsStatus, LogService};

/// Price of a scanned GB in us-east-1, in dollars.
const USD_PER_GB: f64 = 0.005;

/// Price of a minute of live tail in us-east-1, in dollars.
pub const LIVE_TAIL_USD_PER_MINUTE: f64 = 0.01;

/// Largest number of results of one query.
const MAX_RESULTS: u32 = 10_000;

/// Largest number of texts that one query searches for.
const MAX_TEXTS: usize = 50;

/// Wait between two looks at a query.
const POLL: Duration = Duration::from_millis(500);

/// Bytes that a search scans at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScanEstimate {
    /// The bytes.
    pub bytes: u64,
    /// True if the size of a group is unknown.
    pub is_incomplete: bool,
}

/// Returns the bytes that a search of a range scans: the share of each group's stored bytes that its range has, twice,
/// because a second query finds the lines that the first one names.
pub fn estimate(sources: &[LogSource], range: TimeRange, now: i64) -> ScanEstimate {
    const DAY: i64 = 86_400_000;
    let mut estimate = ScanEstimate {
        bytes: 0,
        is_incomplete: false,
    };
    for source in sources {
        let Some(stored) = source.stored_bytes else {
            estimate.is_incomplete = true;
            continue;
        };
        let age = source.created.map_or(i64::MAX, |created| now - created);
        let kept = source
            .retention_days
            .map_or(i64::MAX, |days| i64::from(days) * DAY);
        let stored_for = age.min(kept).max(1);
        let length = (range.end.unwrap_or(now) - range.start).clamp(0, stored_for);
        let share = i128::from(stored) * i128::from(length) / i128::from(stored_for);
        estimate.bytes = estimate
            .bytes
            .saturating_add(u64::try_from(2 * share).unwrap_or(u64::MAX));
    }
    estimate
}

/// Returns the price of scanned bytes in us-east-1.
#[allow(
    clippy::cast_precision_loss,
    reason = "a price is shown with few digits"
)]
pub fn scan_price(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000_000.0 * USD_PER_GB
}

/// Lines that a search found.
#[derive(Debug, Default)]
pub struct SearchedLogs {
    /// Lines, sorted by time.
    pub entries: Vec<LogLine>,
    /// Bytes that were scanned.
    pub scanned_bytes: u64,
}

/// Searches sources for the lines that contain a text, and for the lines of the requests and invocations that these name.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn search(
    service: &impl LogService,
    sources: &[LogSource],
    range: TimeRange,
    text: &str,
    now: i64,
    ctx: OperationContext<'_>,
) -> Result<SearchedLogs, DeployError> {
    let mut search = Search {
        service,
        sources,
        ctx,
        found: SearchedLogs::default(),
        pointers: BTreeSet::new(),
    };
    let (start, end) = (
        range.start.div_euclid(1000),
        range.end.unwrap_or(now).div_euclid(1000),
    );
    search.query(&[text.to_owned()], start, end).await?;
    let ids: Vec<_> = ids_of(sources, &search.found.entries).into_iter().collect();
    for texts in ids.chunks(MAX_TEXTS) {
        search.query(texts, start, end).await?;
    }
    let in_range =
        |entry: &LogLine| entry.at >= range.start && range.end.is_none_or(|end| entry.at <= end);
    search.found.entries.retain(in_range);
    sort_entries(&mut search.found.entries);
    Ok(search.found)
}

struct Search<'a, S> {
    service: &'a S,
    sources: &'a [LogSource],
    ctx: OperationContext<'a>,
    found: SearchedLogs,
    pointers: BTreeSet<String>,
}

impl<S: LogService> Search<'_, S> {
    /// Searches a range of seconds. A query returns at most 10,000 results, so a range with more is divided.
    async fn query(&mut self, texts: &[String], start: i64, end: i64) -> Result<(), DeployError> {
        let mut ranges = vec![(start, end)];
        while let Some((start, end)) = ranges.pop() {
            let results = self.run(texts, start, end).await?;
            self.found.scanned_bytes += results.scanned_bytes;
            let is_full = results.rows.len() >= MAX_RESULTS as usize;
            if is_full && end > start {
                let middle = start + (end - start) / 2;
                ranges.extend([(start, middle), (middle + 1, end)]);
                continue;
            }
            for row in results.rows {
                self.add(&row);
            }
        }
        Ok(())
    }

    async fn run(
        &self,
        texts: &[String],
        start: i64,
        end: i64,
    ) -> Result<InsightsResults, DeployError> {
        let (service, ctx) = (self.service, self.ctx);
        let request = InsightsRequest {
            groups: self
                .sources
                .iter()
                .map(|source| source.group.clone())
                .collect(),
            start,
            end,
            query: query_text(texts),
            limit: MAX_RESULTS,
        };
        let id = ctx.read(|| service.start_query(&request)).await?;
        loop {
            let results = match ctx.read(|| service.query_results(&id)).await {
                Err(DeployError::Interrupted) => {
                    // The scan goes on and costs, unless it is stopped.
                    let _ = service.stop_query(&id).await;
                    return Err(DeployError::Interrupted);
                }
                results => results?,
            };
            match results.status {
                InsightsStatus::Complete => return Ok(results),
                InsightsStatus::Failed => return Err(query_failed().into()),
                InsightsStatus::Running => {}
            }
            if ctx
                .interrupt
                .unless(tokio::time::sleep(POLL))
                .await
                .is_err()
            {
                let _ = service.stop_query(&id).await;
                return Err(DeployError::Interrupted);
            }
        }
    }

    fn add(&mut self, row: &[(String, String)]) {
        let value = |name: &str| {
            let found = row.iter().find(|(field, _)| field == name);
            found.map(|(_, value)| value.as_str())
        };
        if value("@ptr").is_some_and(|pointer| !self.pointers.insert(pointer.to_owned())) {
            return;
        }
        let log = value("@log").unwrap_or_default();
        let mut sources = self.sources.iter();
        let source = sources.position(|source| is_group(log, &source.group));
        let at = value("@timestamp").and_then(parse_timestamp);
        if let (Some(source), Some(at)) = (source, at) {
            self.found.entries.push(LogLine {
                source,
                at,
                ingested: at,
                stream: Arc::from(value("@logStream").unwrap_or_default()),
                message: value("@message").unwrap_or_default().into(),
            });
        }
    }
}

/// True if `@log`, which is `123456789012:/aws/lambda/f`, names a group.
fn is_group(log: &str, group: &str) -> bool {
    log == group || log.split_once(':').is_some_and(|(_, name)| name == group)
}

/// Returns the query for lines that contain one of these texts.
fn query_text(texts: &[String]) -> String {
    let texts: Vec<_> = texts.iter().map(|text| escaped(text)).collect();
    format!(
        "fields @timestamp, @message, @logStream, @log | filter @message like /{}/ | sort @timestamp asc | limit {MAX_RESULTS}",
        texts.join("|")
    )
}

/// Escapes a text for a regular expression between slashes.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if !(c.is_alphanumeric() || c == '_' || c == '=' || c == '-' || c == ' ') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Returns the requests and invocations that lines name.
fn ids_of(sources: &[LogSource], entries: &[LogLine]) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for entry in entries {
        let line = parse_line(&sources[entry.source], &entry.message);
        let of_access = match &line.fact {
            LineFact::Access(record) => [
                record.integration_request.as_deref(),
                record.authorizer_request.as_deref(),
            ],
            _ => [None, None],
        };
        let named = [line.request.as_deref(), line.lambda.as_deref()];
        ids.extend(
            named
                .into_iter()
                .chain(of_access)
                .flatten()
                .map(str::to_owned),
        );
    }
    ids
}

/// Parses a time in UTC, such as `2026-11-30 08:00:00.123` or `2026-11-30T08:00:00Z`, as milliseconds since 1970.
pub fn parse_timestamp(text: &str) -> Option<i64> {
    let text = text.trim_end_matches('Z');
    let bytes = text.as_bytes();
    if !(bytes.len() == 19 || bytes.len() == 23) || bytes[4] != b'-' || bytes[13] != b':' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let month = time::Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date =
        time::Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?);
    let days = i64::from(date.ok()?.to_julian_day() - 2_440_588);
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    Some(seconds * 1000 + number(20..23).unwrap_or_default())
}

fn query_failed() -> AccountError {
    AccountError {
        kind: AccountErrorKind::Refused,
        operation: "StartQuery",
        message: "the query failed or timed out; read a shorter range, or without `--insights`"
            .to_owned(),
        permission: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_escape_ids_and_times_are_parsed() {
        assert_eq!(
            query_text(&["a/b=".to_owned(), "x.y".to_owned()]),
            "fields @timestamp, @message, @logStream, @log | filter @message like /a\\/b=|x\\.y/ | sort @timestamp asc | limit 10000"
        );
        assert_eq!(
            parse_timestamp("2026-11-30 08:00:00.123"),
            Some(1_796_025_600_123)
        );
        assert_eq!(parse_timestamp("1970-01-01 00:00:00.000"), Some(0));
        assert_eq!(parse_timestamp("yesterday"), None);
    }

    #[test]
    fn an_estimate_is_the_share_of_the_stored_time() {
        let source = LogSource {
            stored_bytes: Some(10_000_000_000),
            created: Some(0),
            retention_days: Some(10),
            ..LogSource::named("g")
        };
        let day = 86_400_000;
        let now = 100 * day;
        let range = |days: i64| TimeRange {
            start: now - days * day,
            end: None,
        };
        assert_eq!(
            estimate(std::slice::from_ref(&source), range(1), now).bytes,
            2_000_000_000
        );
        assert_eq!(
            estimate(std::slice::from_ref(&source), range(50), now).bytes,
            20_000_000_000
        );
        let unknown = estimate(&[LogSource::named("g")], range(1), now);
        assert!(unknown.is_incomplete && unknown.bytes == 0);
        assert!((scan_price(1_000_000_000) - 0.005).abs() < 1e-9);
    }
}
