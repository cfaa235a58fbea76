//! Searching long ranges with Logs Insights, which AWS bills by the bytes that it scans.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use stackgen_deploy::{AccountError, AccountErrorKind, DeployError, OperationContext};

use super::entry::{LogLine, LogSource};
use super::fetch::{TimeRange, sort_entries};
use super::life_filter::LifeFilter;
use super::line::LineFact;
use super::parse::parse_line;
use super::ports::{InsightsRequest, InsightsResults, InsightsStatus, LogService};
use super::timestamp::parse_timestamp;

/// Largest number of results of one query.
const MAX_RESULTS: u32 = 10_000;

/// Largest number of groups of one query.
const MAX_GROUPS: usize = 50;

/// Largest number of characters of the texts that one query searches for. A query has at most 10,000.
const MAX_CHARACTERS: usize = 8_000;

/// Largest number of rounds, each of which looks up the IDs of the lines that the round before found: connections, their
/// requests, the invocations of these.
const ROUNDS: usize = 3;

/// Wait between two looks at a query.
const POLL: Duration = Duration::from_millis(500);

/// Search with Logs Insights.
#[derive(Clone, Copy, Debug)]
pub struct LogSearchRequest<'a> {
    /// The groups.
    pub sources: &'a [LogSource],
    /// The range.
    pub range: TimeRange,
    /// Selection of connections, which must not be empty.
    pub filter: &'a LifeFilter,
    /// Current time, in milliseconds since 1970.
    pub now: i64,
    /// Number of bytes at which the search ends, if it has not found everything by then. A query that goes over it is stopped
    /// within half a second.
    pub max_bytes: Option<u64>,
}

/// Lines that a search found.
#[derive(Debug, Default)]
pub struct SearchedLogs {
    /// Lines, sorted by time.
    pub entries: Vec<LogLine>,
    /// Bytes that were scanned.
    pub scanned_bytes: u64,
    /// True if lines can be missing: the search would have scanned more bytes than it may, a second has more lines than a
    /// query returns, or lines of the last round name further IDs.
    pub is_cut_off: bool,
    /// True if the search ended because it would have scanned more bytes than it may.
    pub is_stopped: bool,
}

/// Searches for the lines that contain the text of a selection, and for the lines of the connections, requests and invocations
/// that these name.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn search(
    service: &impl LogService,
    request: LogSearchRequest<'_>,
    ctx: OperationContext<'_>,
) -> Result<SearchedLogs, DeployError> {
    let mut search = InsightsSearch {
        service,
        request,
        ctx,
        found: SearchedLogs::default(),
        pointers: BTreeSet::new(),
        largest_scan: 0,
    };
    let mut searched = BTreeSet::new();
    let mut texts: BTreeSet<String> = request
        .filter
        .search_text()
        .map(str::to_owned)
        .into_iter()
        .collect();
    for round in 0..=ROUNDS {
        let first = search.found.entries.len();
        for chunk in chunks(&texts) {
            search.query(&chunk).await?;
        }
        searched.append(&mut texts);
        let new = &search.found.entries[first..];
        // Lines of a session or of a user name its connections.
        let follows_connections = round == 0 && request.filter.connection.is_none();
        texts = ids_of(request.sources, new, follows_connections);
        texts.retain(|id| !searched.contains(id));
        if texts.is_empty() || search.found.is_stopped {
            break;
        }
    }
    search.found.is_cut_off |= search.found.is_stopped || !texts.is_empty();
    let range = request.range;
    let in_range =
        |entry: &LogLine| entry.at >= range.start && range.end.is_none_or(|end| entry.at <= end);
    search.found.entries.retain(in_range);
    sort_entries(&mut search.found.entries);
    Ok(search.found)
}

/// Divides texts so that each part fits into a query.
fn chunks(texts: &BTreeSet<String>) -> Vec<Vec<String>> {
    let (mut chunks, mut chunk, mut length) = (Vec::new(), Vec::new(), 0);
    for text in texts {
        let more = escaped(text).chars().count() + 1;
        if !chunk.is_empty() && length + more > MAX_CHARACTERS {
            chunks.push(std::mem::take(&mut chunk));
            length = 0;
        }
        length += more;
        chunk.push(text.clone());
    }
    chunks.extend((!chunk.is_empty()).then_some(chunk));
    chunks
}

struct InsightsSearch<'a, S> {
    service: &'a S,
    request: LogSearchRequest<'a>,
    ctx: OperationContext<'a>,
    found: SearchedLogs,
    pointers: BTreeSet<String>,
    /// Bytes of the query that scanned the most.
    largest_scan: u64,
}

impl<S: LogService> InsightsSearch<'_, S> {
    /// Searches all groups.
    async fn query(&mut self, texts: &[String]) -> Result<(), DeployError> {
        for sources in self.request.sources.chunks(MAX_GROUPS) {
            let groups: Vec<_> = sources.iter().map(|source| source.group.clone()).collect();
            self.query_groups(&groups, texts).await?;
        }
        Ok(())
    }

    /// Searches some groups. A query returns at most 10,000 results, so a range with more is divided.
    async fn query_groups(
        &mut self,
        groups: &[String],
        texts: &[String],
    ) -> Result<(), DeployError> {
        let range = self.request.range;
        let end = range.end.unwrap_or(self.request.now);
        let mut ranges = vec![(range.start.div_euclid(1000), end.div_euclid(1000))];
        while let Some((start, end)) = ranges.pop() {
            if self.is_at_limit(self.largest_scan) {
                self.found.is_stopped = true;
                return Ok(());
            }
            let request = InsightsRequest {
                groups: groups.to_vec(),
                start,
                end,
                query: query_text(texts),
                limit: MAX_RESULTS,
            };
            let results = self.run(&request).await?;
            self.found.scanned_bytes += results.scanned_bytes;
            self.largest_scan = self.largest_scan.max(results.scanned_bytes);
            let is_full = results.rows.len() >= MAX_RESULTS as usize;
            // A second is the shortest range of a query.
            self.found.is_cut_off |= is_full && end <= start;
            if is_full && end > start && !self.found.is_stopped {
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

    /// True if so many bytes more would be too many.
    fn is_at_limit(&self, more: u64) -> bool {
        let total = self.found.scanned_bytes.saturating_add(more);
        self.request.max_bytes.is_some_and(|most| total > most)
    }

    async fn run(&mut self, request: &InsightsRequest) -> Result<InsightsResults, DeployError> {
        let (service, ctx) = (self.service, self.ctx);
        let id = ctx.read(|| service.start_query(request)).await?;
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
                InsightsStatus::Running if self.is_at_limit(results.scanned_bytes) => {
                    let _ = service.stop_query(&id).await;
                    self.found.is_stopped = true;
                    return Ok(results);
                }
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
        let mut sources = self.request.sources.iter();
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

/// Returns the IDs that lines name: requests, invocations, and connections.
fn ids_of(
    sources: &[LogSource],
    entries: &[LogLine],
    follows_connections: bool,
) -> BTreeSet<String> {
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
        let connection = line.connection.as_deref().filter(|_| follows_connections);
        let named = [line.request.as_deref(), line.lambda.as_deref(), connection];
        let named = named.into_iter().chain(of_access).flatten();
        ids.extend(named.map(str::to_owned));
    }
    ids
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
    fn queries_escape_ids() {
        assert_eq!(
            query_text(&["a/b=".to_owned(), "x.y".to_owned()]),
            "fields @timestamp, @message, @logStream, @log | filter @message like /a\\/b=|x\\.y/ | sort @timestamp asc | limit 10000"
        );
    }

    #[test]
    fn texts_are_divided_by_the_length_of_their_queries() {
        let texts: BTreeSet<String> = (0..500).map(|number| format!("{number:036}")).collect();
        let chunks = chunks(&texts);
        assert!(chunks.len() > 1);
        assert_eq!(chunks.concat(), texts.into_iter().collect::<Vec<_>>());
        let longest = chunks.iter().map(|texts| query_text(texts).len()).max();
        assert!(
            longest.is_some_and(|length| length <= 10_000),
            "{longest:?}"
        );
    }
}
