//! Logs in memory, bounded.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use thiserror::Error;

use super::{Pattern, PutLogs};
use crate::EpochMillis;

/// How many events a group keeps; the oldest go first.
const EVENTS: usize = 20_000;
/// How many bytes of messages a group keeps.
const BYTES: usize = 8 * 1024 * 1024;
/// How many streams a group remembers.
const STREAMS: usize = 1_000;

/// All log groups.
#[derive(Debug, Default)]
pub struct Logs {
    groups: RwLock<BTreeMap<String, Arc<Mutex<Group>>>>,
}

#[derive(Debug)]
struct Group {
    created: EpochMillis,
    retention_in_days: Option<u32>,
    streams: BTreeMap<Arc<str>, Stream>,
    events: VecDeque<LogEvent>,
    bytes: usize,
    /// The number of the next event.
    next: u64,
}

#[derive(Clone, Copy, Debug)]
struct Stream {
    created: EpochMillis,
    first: Option<EpochMillis>,
    last: Option<EpochMillis>,
    ingested: Option<EpochMillis>,
}

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEvent {
    /// Its number in its group, in the order of arrival.
    pub number: u64,
    /// Its stream.
    pub stream: Arc<str>,
    /// When it happened.
    pub at: EpochMillis,
    /// When it arrived.
    pub ingested: EpochMillis,
    /// What it says.
    pub message: Arc<str>,
}

/// What is known of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogGroup {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: EpochMillis,
    /// How long it says that it keeps events. Here they are kept until the gateway ends or there are too many.
    pub retention_in_days: Option<u32>,
    /// How many bytes of messages it holds.
    pub bytes: usize,
}

/// What is known of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStream {
    /// Its name.
    pub name: Arc<str>,
    /// When it was made.
    pub created: EpochMillis,
    /// When its first event happened.
    pub first: Option<EpochMillis>,
    /// When its last event happened.
    pub last: Option<EpochMillis>,
    /// When its last event arrived.
    pub ingested: Option<EpochMillis>,
}

/// Which events of a group.
#[derive(Clone, Debug, Default)]
pub struct LogQuery {
    /// Of these streams; of all when there are none.
    pub streams: Vec<String>,
    /// Of streams whose names begin so.
    pub prefix: String,
    /// Not before.
    pub start: Option<EpochMillis>,
    /// Before.
    pub end: Option<EpochMillis>,
    /// Whose messages match.
    pub pattern: Pattern,
}

/// Why logs refuse something.
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
    /// Makes a group.
    ///
    /// # Errors
    ///
    /// If it is there.
    pub fn create_group(&self, name: &str) -> Result<(), LogsError> {
        let mut groups = self.groups.write().unwrap_or_else(PoisonError::into_inner);
        if groups.contains_key(name) {
            return Err(LogsError::Exists("group"));
        }
        groups.insert(name.to_owned(), Arc::default());
        Ok(())
    }

    /// Deletes a group with all that is in it.
    ///
    /// # Errors
    ///
    /// If it is not there.
    pub fn delete_group(&self, name: &str) -> Result<(), LogsError> {
        let mut groups = self.groups.write().unwrap_or_else(PoisonError::into_inner);
        let removed = groups.remove(name);
        removed.map(drop).ok_or(LogsError::NotFound("group"))
    }

    /// Notes how long a group is to keep its events; `None` is for ever.
    ///
    /// # Errors
    ///
    /// If it is not there.
    pub fn retain(&self, name: &str, days: Option<u32>) -> Result<(), LogsError> {
        let group = self.group(name)?;
        lock(&group).retention_in_days = days;
        Ok(())
    }

    /// All groups, by name.
    pub fn groups(&self) -> Vec<LogGroup> {
        let groups = self.groups.read().unwrap_or_else(PoisonError::into_inner);
        let described = groups.iter().map(|(name, group)| {
            let group = lock(group);
            LogGroup {
                name: name.clone(),
                created: group.created,
                retention_in_days: group.retention_in_days,
                bytes: group.bytes,
            }
        });
        described.collect()
    }

    /// Makes a stream.
    ///
    /// # Errors
    ///
    /// If its group is not there, or it is.
    pub fn create_stream(&self, group: &str, stream: &str) -> Result<(), LogsError> {
        let group = self.group(group)?;
        let mut group = lock(&group);
        if group.streams.contains_key(stream) {
            return Err(LogsError::Exists("stream"));
        }
        group.stream(stream);
        Ok(())
    }

    /// All streams of a group, by name.
    ///
    /// # Errors
    ///
    /// If the group is not there.
    pub fn streams(&self, group: &str) -> Result<Vec<LogStream>, LogsError> {
        let group = self.group(group)?;
        let group = lock(&group);
        let described = group.streams.iter().map(|(name, stream)| LogStream {
            name: name.clone(),
            created: stream.created,
            first: stream.first,
            last: stream.last,
            ingested: stream.ingested,
        });
        Ok(described.collect())
    }

    /// Adds events to a stream, each with its own moment.
    ///
    /// # Errors
    ///
    /// If the group or the stream is not there.
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

    /// The events that a query asks for, by their moments and then in the order of arrival.
    ///
    /// # Errors
    ///
    /// If the group or a stream is not there.
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
            .filter(|event| query.takes(event))
            .cloned()
            .collect();
        found.sort_by_key(|event| (event.at, event.number));
        Ok(found)
    }

    fn group(&self, name: &str) -> Result<Arc<Mutex<Group>>, LogsError> {
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
    fn takes(&self, event: &LogEvent) -> bool {
        let named = |name: &String| **name == *event.stream;
        (self.streams.is_empty() || self.streams.iter().any(named))
            && event.stream.starts_with(&self.prefix)
            && self.start.is_none_or(|start| event.at >= start)
            && self.end.is_none_or(|end| event.at < end)
            && self.pattern.matches(&event.message)
    }
}

impl Default for Group {
    fn default() -> Self {
        Group {
            created: EpochMillis::now(),
            retention_in_days: None,
            streams: BTreeMap::new(),
            events: VecDeque::new(),
            bytes: 0,
            next: 0,
        }
    }
}

impl Group {
    /// The stream of that name, made when it is not there.
    fn stream(&mut self, name: &str) -> Arc<str> {
        if let Some((name, _)) = self.streams.get_key_value(name) {
            return name.clone();
        }
        if self.streams.len() >= STREAMS {
            let oldest = self.streams.iter().min_by_key(|(_, one)| one.ingested);
            if let Some(name) = oldest.map(|(name, _)| name.clone()) {
                self.streams.remove(&name);
            }
        }
        let name: Arc<str> = name.into();
        let stream = Stream {
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
        while self.events.len() > EVENTS || self.bytes > BYTES && self.events.len() > 1 {
            if let Some(gone) = self.events.pop_front() {
                self.bytes -= gone.message.len();
            }
        }
    }
}

fn lock(group: &Mutex<Group>) -> MutexGuard<'_, Group> {
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
    fn lines_of_all_streams_come_by_their_moments_and_then_as_they_arrived() {
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
    fn a_group_keeps_its_newest_lines_within_its_bounds() {
        let logs = Logs::default();
        for number in 0..EVENTS + 5 {
            logs.put("group", "a", AT, vec![number.to_string()]);
        }
        let kept = messages(&logs, &LogQuery::default());
        assert_eq!((kept.len(), kept[0].as_str()), (EVENTS, "5"));
        logs.put("group", "a", AT, vec!["x".repeat(BYTES)]);
        assert_eq!(messages(&logs, &LogQuery::default()).len(), 1);
        for number in 0..STREAMS + 5 {
            logs.put(
                "group",
                &format!("stream {number}"),
                AT,
                vec![String::new()],
            );
        }
        assert_eq!(logs.streams("group").expect("streams").len(), STREAMS);
    }

    #[test]
    fn what_is_not_there_is_an_error_and_what_is_there_is_not_made_twice() {
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
