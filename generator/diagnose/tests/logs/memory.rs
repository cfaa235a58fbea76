//! CloudWatch Logs in memory.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use stackgen_deploy::{AccountError, AccountErrorKind, AccountResult, OffsetDateTime};
use stackgen_diagnose::logs::{
    EventsPage, EventsRequest, InsightsRequest, InsightsResults, InsightsStatus, LiveTailSession,
    LogGroupSummary, LogService, LogSource, SourceKind, StoredEvent, TailEvent, TailUpdate,
};
use tokio::time::Instant;

/// An event, and the time at which it becomes visible.
#[derive(Clone, Debug)]
pub(crate) struct Visible {
    pub(crate) group: &'static str,
    pub(crate) at: i64,
    pub(crate) visible: i64,
    pub(crate) message: String,
}

/// CloudWatch Logs whose clock is tokio's: it starts at 1970.
pub(crate) struct MemoryLogs {
    pub(crate) started: Instant,
    pub(crate) events: Vec<Visible>,
    /// Size of a page.
    pub(crate) page: usize,
    /// True if pages have no tokens, as those of a server that cuts off the rest.
    pub(crate) without_tokens: bool,
    /// Time after which a session of live tail ends; `None` refuses live tail.
    pub(crate) session: Option<Duration>,
    pub(crate) denied_group: Option<&'static str>,
    pub(crate) sessions: Cell<usize>,
    pub(crate) reads: Rc<RefCell<Vec<String>>>,
    /// Queries of Logs Insights, those that were looked at, and the bytes that they scanned.
    pub(crate) queries: RefCell<Vec<InsightsRequest>>,
    looked_at: RefCell<BTreeSet<String>>,
    pub(crate) scanned: Cell<usize>,
}

impl MemoryLogs {
    pub(crate) fn new(events: Vec<Visible>) -> Self {
        MemoryLogs {
            started: Instant::now(),
            events,
            page: 3,
            without_tokens: false,
            session: None,
            denied_group: None,
            sessions: Cell::new(0),
            reads: Rc::default(),
            queries: RefCell::default(),
            looked_at: RefCell::default(),
            scanned: Cell::new(0),
        }
    }

    pub(crate) fn now(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap()
    }
}

pub(crate) fn source(group: &str) -> LogSource {
    LogSource {
        arn: Some(format!("arn:aws:logs:r:1:log-group:{group}")),
        kind: SourceKind::Function,
        ..LogSource::named(group)
    }
}

pub(crate) fn stored(number: usize, event: &Visible) -> StoredEvent {
    StoredEvent {
        id: Some(number.to_string()),
        stream: "s".to_owned(),
        at: event.at,
        ingested: event.visible,
        message: event.message.clone(),
    }
}

fn error(kind: AccountErrorKind, operation: &'static str) -> AccountError {
    AccountError {
        kind,
        operation,
        message: "no".to_owned(),
        permission: String::new(),
    }
}

impl LogService for MemoryLogs {
    type Session = MemoryTail;

    async fn log_groups(&self, _: &str) -> AccountResult<Vec<LogGroupSummary>> {
        Ok(Vec::new())
    }

    async fn events(&self, request: &EventsRequest) -> AccountResult<EventsPage> {
        self.reads.borrow_mut().push(request.group.clone());
        if self.denied_group == Some(request.group.as_str()) {
            return Err(error(AccountErrorKind::AccessDenied, "FilterLogEvents"));
        }
        let now = self.now();
        let is_found = |event: &Visible| {
            event.group == request.group
                && event.visible <= now
                && event.at >= request.start
                && request.end.is_none_or(|end| event.at <= end)
        };
        let mut found: Vec<_> = self
            .events
            .iter()
            .enumerate()
            .filter(|(_, event)| is_found(event))
            .collect();
        if self.without_tokens {
            found.sort_by_key(|(_, event)| event.at);
        }
        let from: usize = request
            .token
            .as_deref()
            .map_or(0, |token| token.parse().unwrap());
        let to = (from + self.page).min(found.len());
        let events = found[from..to]
            .iter()
            .map(|(number, event)| stored(*number, event));
        let has_more = to < found.len() && !self.without_tokens;
        Ok(EventsPage {
            events: events.collect(),
            next: has_more.then(|| to.to_string()),
        })
    }

    async fn live_tail(&self, groups: &[String]) -> AccountResult<MemoryTail> {
        let Some(lasts) = self.session else {
            return Err(error(AccountErrorKind::Refused, "StartLiveTail"));
        };
        assert!(groups.len() <= 10, "{groups:?}");
        self.sessions.set(self.sessions.get() + 1);
        let (opened, now) = (Instant::now(), self.now());
        let of_session = |event: &&Visible| {
            event.visible > now
                && groups
                    .iter()
                    .any(|arn| arn.ends_with(&format!(":{}", event.group)))
        };
        let mut events: Vec<_> = self.events.iter().filter(of_session).cloned().collect();
        events.sort_by_key(|event| event.visible);
        Ok(MemoryTail {
            ends: opened + lasts,
            started: self.started,
            events: events.into(),
        })
    }

    async fn start_query(&self, request: &InsightsRequest) -> AccountResult<String> {
        assert!(request.groups.len() <= 50, "{:?}", request.groups);
        assert!(request.query.len() <= 10_000, "{}", request.query);
        let mut queries = self.queries.borrow_mut();
        queries.push(request.clone());
        Ok((queries.len() - 1).to_string())
    }

    /// The first look finds a query running, which has scanned half.
    async fn query_results(&self, id: &str) -> AccountResult<InsightsResults> {
        let request = self.queries.borrow()[id.parse::<usize>().unwrap()].clone();
        let is_first = self.looked_at.borrow_mut().insert(id.to_owned());
        let (_, texts) = request.query.split_once("like /").unwrap();
        let (texts, _) = texts.split_once("/ | sort").unwrap();
        let texts: Vec<_> = texts
            .split('|')
            .map(|text| text.replace('\\', ""))
            .collect();
        let in_range = |event: &&Visible| {
            let second = event.at.div_euclid(1000);
            request.groups.iter().any(|group| group == event.group)
                && (request.start..=request.end).contains(&second)
        };
        let scanned: Vec<_> = self.events.iter().filter(in_range).collect();
        let bytes: usize = scanned.iter().map(|event| event.message.len()).sum();
        self.scanned.set(
            self.scanned.get()
                + if is_first {
                    bytes / 2
                } else {
                    bytes - bytes / 2
                },
        );
        let found = scanned
            .iter()
            .filter(|event| texts.iter().any(|text| event.message.contains(text)));
        let rows = found.take(request.limit as usize).map(|event| {
            let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(event.at) * 1_000_000)
                .unwrap();
            let (date, clock) = (time.date(), time.time());
            let (hour, minute, second, millis) = clock.as_hms_milli();
            let pointer = self
                .events
                .iter()
                .position(|known| std::ptr::eq(known, *event))
                .unwrap();
            [
                (
                    "@timestamp",
                    format!("{date} {hour:02}:{minute:02}:{second:02}.{millis:03}"),
                ),
                ("@message", event.message.clone()),
                ("@logStream", "s".to_owned()),
                ("@log", format!("111122223333:{}", event.group)),
                ("@ptr", pointer.to_string()),
            ]
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec()
        });
        Ok(InsightsResults {
            status: match is_first {
                true => InsightsStatus::Running,
                false => InsightsStatus::Complete,
            },
            rows: rows.collect(),
            scanned_bytes: u64::try_from(if is_first { bytes / 2 } else { bytes }).unwrap(),
        })
    }

    async fn stop_query(&self, _: &str) -> AccountResult<()> {
        Ok(())
    }
}

/// A session, which sends every second what became visible.
pub(crate) struct MemoryTail {
    ends: Instant,
    started: Instant,
    events: VecDeque<Visible>,
}

impl LiveTailSession for MemoryTail {
    async fn next(&mut self) -> AccountResult<Option<TailUpdate>> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if Instant::now() >= self.ends {
            return Ok(None);
        }
        let now = i64::try_from(self.started.elapsed().as_millis()).unwrap();
        let mut update = TailUpdate::default();
        while let Some(event) = self.events.pop_front_if(|event| event.visible <= now) {
            update.events.push(TailEvent {
                group: format!("arn:aws:logs:r:1:log-group:{}", event.group),
                event: StoredEvent {
                    id: None,
                    ..stored(0, &event)
                },
            });
        }
        Ok(Some(update))
    }
}
