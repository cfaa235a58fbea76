//! Logs in memory, with a limited size.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use thiserror::Error;

use super::{FilterPattern, PutLogs};
use crate::EpochMillis;

/// Maximum number of events per group. The oldest are removed first.
const MAX_EVENTS: usize = 20_000;
/// Maximum size of all messages of a group in bytes.
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Maximum number of streams per group.
const MAX_STREAMS: usize = 1_000;

/// All log groups.
#[derive(Debug, Default)]
pub struct Logs {
    groups: RwLock<BTreeMap<String, Arc<Mutex<GroupState>>>>,
}

#[derive(Debug)]
struct GroupState {
    created: EpochMillis,
    retention_in_days: Option<u32>,
    streams: BTreeMap<Arc<str>, StreamTimes>,
    events: VecDeque<LogEvent>,
    bytes: usize,
    /// Number of the next event.
    next: u64,
}

#[derive(Clone, Copy, Debug)]
struct StreamTimes {
    created: EpochMillis,
    first: Option<EpochMillis>,
    last: Option<EpochMillis>,
    ingested: Option<EpochMillis>,
}

/// Line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEvent {
    /// Number in the group, in the order of arrival.
    pub number: u64,
    /// Name of the stream.
    pub stream: Arc<str>,
    /// Time of the event.
    pub at: EpochMillis,
    /// Time of arrival.
    pub ingested: EpochMillis,
    /// Text of the line.
    pub message: Arc<str>,
}

/// Description of a log group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogGroupInfo {
    /// Name of the group.
    pub name: String,
    /// Time of its creation.
    pub created: EpochMillis,
    /// Retention in days. It has no effect: events are stored until the gateway ends or a limit is reached.
    pub retention_in_days: Option<u32>,
    /// Size of all messages in bytes.
    pub bytes: usize,
}

/// Description of a log stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStreamInfo {
    /// Name of the stream.
    pub name: Arc<str>,
    /// Time of its creation.
    pub created: EpochMillis,
    /// Time of the first event.
    pub first: Option<EpochMillis>,
    /// Time of the last event.
    pub last: Option<EpochMillis>,
    /// Arrival of the last event.
    pub ingested: Option<EpochMillis>,
}

/// Selection of events of a group.
#[derive(Clone, Debug, Default)]
pub struct LogQuery {
    /// Names of streams; empty for all.
    pub streams: Vec<String>,
    /// Prefix of the streams' names.
    pub prefix: String,
    /// Start of the time range, inclusive.
    pub start: Option<EpochMillis>,
    /// End of the time range, exclusive.
    pub end: Option<EpochMillis>,
    /// Pattern that messages must match.
    pub pattern: FilterPattern,
}

/// Error of the logs.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LogsError {
    /// `ResourceNotFoundException`.
    #[error("The specified log {0} does not exist.")]
    NotFound(&'static str),
    /// `ResourceAlreadyExistsException`.
    #[error("The specified log {0} already exists")]
    Exists(&'static str),
}

impl Logs {
    /// Creates a group.
    ///
    /// # Errors
    ///
    /// If the group exists already.
    pub fn create_group(&self, name: &str) -> Result<(), LogsError> {
        let mut groups = self.groups.write().unwrap_or_else(PoisonError::into_inner);
        if groups.contains_key(name) {
            return Err(LogsError::Exists("group"));
        }
        groups.insert(name.to_owned(), Arc::default());
        Ok(())
    }

    /// Deletes a group with its streams and events.
    ///
    /// # Errors
    ///
    /// If the group does not exist.
    pub fn delete_group(&self, name: &str) -> Result<(), LogsError> {
        let mut groups = self.groups.write().unwrap_or_else(PoisonError::into_inner);
        let removed = groups.remove(name);
        removed.map(drop).ok_or(LogsError::NotFound("group"))
    }

    /// Sets the retention of a group; `None` means forever.
    ///
    /// # Errors
    ///
    /// If the group does not exist.
    pub fn set_retention(&self, name: &str, days: Option<u32>) -> Result<(), LogsError> {
        let group = self.group(name)?;
        lock(&group).retention_in_days = days;
        Ok(())
    }

    /// Returns all groups, sorted by name.
    pub fn groups(&self) -> Vec<LogGroupInfo> {
        let groups = self.groups.read().unwrap_or_else(PoisonError::into_inner);
        let described = groups.iter().map(|(name, group)| {
            let group = lock(group);
            LogGroupInfo {
                name: name.clone(),
                created: group.created,
                retention_in_days: group.retention_in_days,
                bytes: group.bytes,
            }
        });
        described.collect()
    }

    /// Creates a stream.
    ///
    /// # Errors
    ///
    /// If the group does not exist, or the stream exists already.
    pub fn create_stream(&self, group: &str, stream: &str) -> Result<(), LogsError> {
        let group = self.group(group)?;
        let mut group = lock(&group);
        if group.streams.contains_key(stream) {
            return Err(LogsError::Exists("stream"));
        }
        group.stream(stream);
        Ok(())
    }

    /// Returns all streams of a group, sorted by name.
    ///
    /// # Errors
    ///
    /// If the group does not exist.
    pub fn streams(&self, group: &str) -> Result<Vec<LogStreamInfo>, LogsError> {
        let group = self.group(group)?;
        let group = lock(&group);
        let described = group.streams.iter().map(|(name, stream)| LogStreamInfo {
            name: name.clone(),
            created: stream.created,
            first: stream.first,
            last: stream.last,
            ingested: stream.ingested,
        });
        Ok(described.collect())
    }

    /// Adds events with their times to a stream.
    ///
    /// # Errors
    ///
    /// If the group or the stream does not exist.
    pub fn add(
        &self,
        group: &str,
        stream: &str,
        events: impl IntoIterator<Item = (EpochMillis, String)>,
    ) -> Result<(), LogsError> {
        let group = self.group(group)?;
        let mut group = lock(&group);
        if !group.streams.contains_key(stream) {
            return Err(LogsError::NotFound("stream"));
        }
        group.push(stream, events);
        Ok(())
    }

    /// Returns the selected events, sorted by time and then by arrival.
    ///
    /// # Errors
    ///
    /// If the group or a stream does not exist.
    pub fn events(&self, group: &str, query: &LogQuery) -> Result<Vec<LogEvent>, LogsError> {
        let group = self.group(group)?;
        let group = lock(&group);
        let known = |name: &String| group.streams.contains_key(name.as_str());
        if !query.streams.iter().all(known) {
            return Err(LogsError::NotFound("stream"));
        }
        let mut found: Vec<_> = group
            .events
            .iter()
            .filter(|event| query.selects(event))
            .cloned()
            .collect();
        found.sort_by_key(|event| (event.at, event.number));
        Ok(found)
    }

    fn group(&self, name: &str) -> Result<Arc<Mutex<GroupState>>, LogsError> {
        let groups = self.groups.read().unwrap_or_else(PoisonError::into_inner);
        let group = groups.get(name).cloned();
        group.ok_or(LogsError::NotFound("group"))
    }
}

impl PutLogs for Logs {
    fn put(&self, group: &str, stream: &str, at: EpochMillis, lines: Vec<String>) {
        let found = self.group(group).unwrap_or_else(|_| {
            let mut groups = self.groups.write().unwrap_or_else(PoisonError::into_inner);
            groups.entry(group.to_owned()).or_default().clone()
        });
        lock(&found).push(stream, lines.into_iter().map(|line| (at, line)));
    }
}

impl LogQuery {
    fn selects(&self, event: &LogEvent) -> bool {
        let named = |name: &String| **name == *event.stream;
        (self.streams.is_empty() || self.streams.iter().any(named))
            && event.stream.starts_with(&self.prefix)
            && self.start.is_none_or(|start| event.at >= start)
            && self.end.is_none_or(|end| event.at < end)
            && self.pattern.matches(&event.message)
    }
}

impl Default for GroupState {
    fn default() -> Self {
        GroupState {
            created: EpochMillis::now(),
            retention_in_days: None,
            streams: BTreeMap::new(),
            events: VecDeque::new(),
            bytes: 0,
            next: 0,
        }
    }
}

impl GroupState {
    /// Returns the stream with this name, which is created if it does not exist. Above the limit, the stream with the oldest
    /// last event is removed.
    fn stream(&mut self, name: &str) -> Arc<str> {
        if let Some((name, _)) = self.streams.get_key_value(name) {
            return name.clone();
        }
        if self.streams.len() >= MAX_STREAMS {
            let oldest = self.streams.iter().min_by_key(|(_, one)| one.ingested);
            if let Some(name) = oldest.map(|(name, _)| name.clone()) {
                self.streams.remove(&name);
            }
        }
        let name: Arc<str> = name.into();
        let stream = StreamTimes {
            created: EpochMillis::now(),
            first: None,
            last: None,
            ingested: None,
        };
        self.streams.insert(name.clone(), stream);
        name
    }

    fn push(&mut self, stream: &str, events: impl IntoIterator<Item = (EpochMillis, String)>) {
        let name = self.stream(stream);
        let ingested = EpochMillis::now();
        for (at, message) in events {
            if let Some(stream) = self.streams.get_mut(&name) {
                stream.first.get_or_insert(at);
                stream.last = stream.last.max(Some(at));
                stream.ingested = Some(ingested);
            }
            self.bytes += message.len();
            self.events.push_back(LogEvent {
                number: self.next,
                stream: name.clone(),
                at,
                ingested,
                message: message.into(),
            });
            self.next += 1;
        }
        while self.events.len() > MAX_EVENTS || self.bytes > MAX_BYTES && self.events.len() > 1 {
            if let Some(gone) = self.events.pop_front() {
                self.bytes -= gone.message.len();
            }
        }
    }
}

fn lock(group: &Mutex<GroupState>) -> MutexGuard<'_, GroupState> {
    group.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: EpochMillis = EpochMillis::from_millis(1_000);

    fn messages(logs: &Logs, query: &LogQuery) -> Vec<String> {
        let events = logs.events("group", query).expect("events");
        events
            .iter()
            .map(|event| event.message.to_string())
            .collect()
    }

    #[test]
    fn events_of_all_streams_are_sorted_by_time_and_arrival() {
        let logs = Logs::default();
        logs.put(
            "group",
            "b",
            AT.after(std::time::Duration::from_secs(1)),
            vec!["3".into()],
        );
        logs.put("group", "a", AT, vec!["1".into(), "2".into()]);
        assert_eq!(messages(&logs, &LogQuery::default()), ["1", "2", "3"]);
        let of_b = LogQuery {
            streams: vec!["b".into()],
            ..LogQuery::default()
        };
        assert_eq!(messages(&logs, &of_b), ["3"]);
        let late = LogQuery {
            start: Some(EpochMillis::from_millis(1_001)),
            ..LogQuery::default()
        };
        assert_eq!(messages(&logs, &late), ["3"]);
        let early = LogQuery {
            end: Some(EpochMillis::from_millis(1_001)),
            ..LogQuery::default()
        };
        assert_eq!(messages(&logs, &early), ["1", "2"]);
    }

    #[test]
    fn a_group_stores_its_newest_events_within_its_limits() {
        let logs = Logs::default();
        for number in 0..MAX_EVENTS + 5 {
            logs.put("group", "a", AT, vec![number.to_string()]);
        }
        let kept = messages(&logs, &LogQuery::default());
        assert_eq!((kept.len(), kept[0].as_str()), (MAX_EVENTS, "5"));
        logs.put("group", "a", AT, vec!["x".repeat(MAX_BYTES)]);
        assert_eq!(messages(&logs, &LogQuery::default()).len(), 1);
        for number in 0..MAX_STREAMS + 5 {
            logs.put(
                "group",
                &format!("stream {number}"),
                AT,
                vec![String::new()],
            );
        }
        assert_eq!(logs.streams("group").expect("streams").len(), MAX_STREAMS);
    }

    #[test]
    fn missing_and_duplicate_groups_and_streams_are_errors() {
        let logs = Logs::default();
        let none = LogsError::NotFound("group");
        assert_eq!(logs.events("group", &LogQuery::default()), Err(none));
        logs.create_group("group").expect("a group");
        assert_eq!(logs.create_group("group"), Err(LogsError::Exists("group")));
        assert_eq!(
            logs.add("group", "a", []),
            Err(LogsError::NotFound("stream"))
        );
        logs.create_stream("group", "a").expect("a stream");
        assert_eq!(
            logs.create_stream("group", "a"),
            Err(LogsError::Exists("stream"))
        );
        let query = LogQuery {
            streams: vec!["b".into()],
            ..LogQuery::default()
        };
        assert_eq!(
            logs.events("group", &query),
            Err(LogsError::NotFound("stream"))
        );
    }
}
