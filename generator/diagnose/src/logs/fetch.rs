//! Reading a time range of several log groups.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use stackgen_deploy::{AccountError, AccountErrorKind, DeployError, OperationContext};

use super::entry::{LogLine, LogSource};
use super::ports::{EventsPage, EventsRequest, LogService, StoredEvent};

/// Number of groups that are read at a time. FilterLogEvents allows a few calls a second for each account and region.
const CONCURRENT_GROUPS: usize = 5;

/// Size of a full page. A server that cuts off the rest without a token ends with such a page.
const FULL_PAGE: usize = 10_000;

/// Range of times, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// First time.
    pub start: i64,
    /// Last time; `None` for no end.
    pub end: Option<i64>,
}

/// Lines of several groups, and the groups that could not be read.
#[derive(Debug, Default)]
pub struct ReadLogs {
    /// Lines, sorted by time.
    pub entries: Vec<LogLine>,
    /// Indices of sources that could not be read, with the reasons.
    pub failed: Vec<(usize, AccountError)>,
}

/// Reads a range of all sources, and returns the lines sorted by time. `progress` gets the number of events of each page.
/// A group that does not exist has no lines. One that the caller may not read is reported in the result.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn read_range(
    service: &impl LogService,
    sources: &[LogSource],
    range: TimeRange,
    progress: &dyn Fn(usize),
    ctx: OperationContext<'_>,
) -> Result<ReadLogs, DeployError> {
    let groups = sources
        .iter()
        .enumerate()
        .map(|(index, source)| async move {
            let read = read_group(service, index, source, range, progress, ctx).await;
            (index, read)
        });
    let mut results = stream::iter(groups).buffer_unordered(CONCURRENT_GROUPS);
    let mut read = ReadLogs::default();
    while let Some((index, found)) = results.next().await {
        match found {
            Ok(entries) => read.entries.extend(entries),
            Err(DeployError::Account(error)) if error.kind == AccountErrorKind::AccessDenied => {
                read.failed.push((index, error));
            }
            Err(error) => return Err(error),
        }
    }
    drop(results);
    read.failed.sort_by_key(|(index, _)| *index);
    sort_entries(&mut read.entries);
    Ok(read)
}

/// Sorts lines by time. Lines of the same time stay in the order in which they were read.
pub fn sort_entries(entries: &mut [LogLine]) {
    entries.sort_by_key(|entry| (entry.at, entry.source));
}

async fn read_group(
    service: &impl LogService,
    index: usize,
    source: &LogSource,
    range: TimeRange,
    progress: &dyn Fn(usize),
    ctx: OperationContext<'_>,
) -> Result<Vec<LogLine>, DeployError> {
    let mut request = EventsRequest {
        group: source.group.clone(),
        start: range.start,
        end: range.end,
        pattern: None,
        token: None,
    };
    let mut collector = EventCollector::new(index);
    loop {
        let page = match ctx.read(|| service.events(&request)).await {
            Err(DeployError::Account(error)) if error.kind == AccountErrorKind::NotFound => break,
            page => page?,
        };
        progress(page.events.len());
        match next_request(&request, &page) {
            Some(next) => request = next,
            None => {
                collector.add(page.events);
                break;
            }
        }
        collector.add(page.events);
    }
    Ok(collector.entries)
}

/// Returns the request for what follows a page. A full page without a token may be cut off: the rest begins at its last time.
pub(crate) fn next_request(request: &EventsRequest, page: &EventsPage) -> Option<EventsRequest> {
    if page.next.is_some() {
        return Some(EventsRequest {
            token: page.next.clone(),
            ..request.clone()
        });
    }
    let last = page.events.iter().map(|event| event.at).max()?;
    // With as many events of one millisecond, nothing can be read after them.
    (page.events.len() >= FULL_PAGE && last > request.start).then(|| EventsRequest {
        start: last,
        token: None,
        ..request.clone()
    })
}

/// Collects the events of one group, each once.
pub(crate) struct EventCollector {
    source: usize,
    pub(crate) entries: Vec<LogLine>,
    ids: HashSet<u128>,
    streams: HashMap<String, Arc<str>>,
}

impl EventCollector {
    pub(crate) fn new(source: usize) -> Self {
        EventCollector {
            source,
            entries: Vec::new(),
            ids: HashSet::new(),
            streams: HashMap::new(),
        }
    }

    pub(crate) fn add(&mut self, events: Vec<StoredEvent>) {
        for event in events {
            if event
                .id
                .as_ref()
                .is_none_or(|id| self.ids.insert(hash_of(id)))
            {
                let entry = self.entry(event);
                self.entries.push(entry);
            }
        }
    }

    /// Converts an event. Events of one stream share its name.
    pub(crate) fn entry(&mut self, event: StoredEvent) -> LogLine {
        let stream = match self.streams.get(&event.stream) {
            Some(stream) => stream.clone(),
            None => {
                let stream: Arc<str> = event.stream.as_str().into();
                self.streams.insert(event.stream, stream.clone());
                stream
            }
        };
        LogLine {
            source: self.source,
            at: event.at,
            ingested: event.ingested,
            stream,
            message: event.message.into_boxed_str(),
        }
    }
}

/// Returns a hash of 128 bits: two different events of one account do not share it.
pub(crate) fn hash_of(value: &(impl Hash + ?Sized)) -> u128 {
    let half = |seed: u64| {
        let mut hasher = DefaultHasher::new();
        seed.hash(&mut hasher);
        value.hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(1) << 64 | half(2)
}
