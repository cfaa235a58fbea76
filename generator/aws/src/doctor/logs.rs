//! Lines of logs.

use stackgen_deploy::{AccountResult, OffsetDateTime};
use stackgen_diagnose::doctor::{FoundLines, LogSearch, LoggedLine};
use stackgen_diagnose::logs::{EventsRequest, LogService, StoredEvent};

use crate::Aws;

/// Largest number of pages of one search. CloudWatch Logs returns empty pages, too.
const MOST_PAGES: usize = 20;

impl Aws {
    /// Returns matching lines, the newest of those that were read. Pages come oldest first.
    pub(super) async fn read_log_lines(&self, search: &LogSearch) -> AccountResult<FoundLines> {
        let mut request = EventsRequest {
            group: search.group.clone(),
            start: search.since.unix_timestamp() * 1_000,
            end: None,
            pattern: Some(search.pattern.clone()),
            token: None,
        };
        let mut lines = Vec::new();
        for _ in 0..MOST_PAGES {
            let page = self.events(&request).await?;
            lines.extend(page.events.into_iter().filter_map(line));
            request.token = page.next;
            if request.token.is_none() {
                break;
            }
        }
        let surplus = lines.len().saturating_sub(search.limit);
        Ok(FoundLines {
            lines: lines.split_off(surplus),
            is_cut_off: surplus > 0 || request.token.is_some(),
        })
    }
}

fn line(event: StoredEvent) -> Option<LoggedLine> {
    let nanos = i128::from(event.at) * 1_000_000;
    Some(LoggedLine {
        at: OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?,
        message: event.message,
    })
}
