//! Following log groups: by live tail where that is possible, otherwise by polls of FilterLogEvents.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use stackgen_deploy::{
    AccountError, AccountErrorKind, AccountResult, DeployError, OperationContext,
};
use tokio::time::Instant;

use super::entry::LogSource;
use super::fetch::{EventCollector, next_request};
use super::ports::{EventsRequest, LiveTailSession, LogService, TailUpdate};
use super::reorder::{FollowedEntry, ReorderBuffer};
use super::seen::{ChannelNumber, POLLS, PollWindow, SeenEvents};

/// Price of a minute of live tail in us-east-1, in dollars.
pub const LIVE_TAIL_USD_PER_MINUTE: f64 = 0.01;

/// Largest number of groups of one session.
const GROUPS_PER_SESSION: usize = 10;

/// A session that ends within this time is not replaced: the endpoint does not support live tail.
const SHORTEST_SESSION: Duration = Duration::from_secs(5);

/// Interval at which events are forgotten that no read returns again.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// Options of following.
#[derive(Clone, Debug)]
pub struct FollowOptions {
    /// Time of the first line, in milliseconds since 1970.
    pub since: i64,
    /// True to use live tail, which AWS bills by the minute.
    pub live_tail: bool,
    /// Time for which lines wait for earlier ones.
    pub hold: Duration,
    /// Wait between two polls.
    pub poll_interval: Duration,
    /// Ranges of polls.
    pub window: PollWindow,
    /// Age at which a session is replaced. AWS ends sessions after three hours.
    pub renew_after: Duration,
}

impl FollowOptions {
    /// Returns the options for AWS.
    pub fn since(since: i64) -> Self {
        FollowOptions {
            since,
            live_tail: true,
            hold: Duration::from_secs(2),
            poll_interval: Duration::from_secs(2),
            window: PollWindow::default(),
            renew_after: Duration::from_secs(175 * 60),
        }
    }
}

/// Event of following.
#[derive(Debug)]
pub enum FollowEvent<'a> {
    /// Sessions of live tail are open.
    Tailing {
        /// Number of sessions, which AWS bills by the minute each.
        sessions: usize,
        /// Number of groups.
        groups: usize,
    },
    /// Groups are polled.
    Polling {
        /// The groups.
        groups: Vec<&'a str>,
        /// Why live tail is not used; `None` if it was not wanted.
        reason: Option<&'a AccountError>,
    },
    /// Lines that are due.
    Lines(Vec<FollowedEntry>),
    /// Live tail left out lines, because more than 500 a second arrive.
    Sampled,
    /// A session ended and was replaced.
    Renewed,
    /// A group cannot be read.
    Failed {
        /// The group.
        group: &'a str,
        /// The reason.
        error: &'a AccountError,
    },
}

/// Follows sources until the interrupt comes. Lines that wait are reported before it returns.
///
/// # Errors
///
/// [`DeployError::Interrupted`] at the end, or the failure of a call that the retry policy gives up.
pub async fn follow<S: LogService>(
    service: &S,
    sources: &[LogSource],
    options: &FollowOptions,
    report: &mut dyn FnMut(FollowEvent<'_>),
    ctx: OperationContext<'_>,
) -> Result<(), DeployError> {
    let collectors = (0..sources.len()).map(EventCollector::new).collect();
    let hold = millis(options.hold);
    let mut follower = Follower {
        service,
        sources,
        options,
        report,
        ctx,
        collectors,
        seen: SeenEvents::default(),
        buffer: ReorderBuffer::new(hold),
        started: Instant::now(),
        next_channel: POLLS + 1,
        polls: 0,
        polled: Vec::new(),
        unreadable: Vec::new(),
    };
    let result = follower.run().await;
    let rest = follower.buffer.rest();
    follower.show(rest);
    result
}

struct Follower<'a, 'r, S> {
    service: &'a S,
    sources: &'a [LogSource],
    options: &'a FollowOptions,
    report: &'r mut dyn FnMut(FollowEvent<'_>),
    ctx: OperationContext<'a>,
    collectors: Vec<EventCollector>,
    seen: SeenEvents,
    buffer: ReorderBuffer,
    started: Instant,
    next_channel: ChannelNumber,
    polls: u64,
    /// Sources that are polled.
    polled: Vec<usize>,
    /// Sources that the caller may not read.
    unreadable: Vec<usize>,
}

/// An open session.
struct Tail<T> {
    channel: ChannelNumber,
    sources: Vec<usize>,
    session: T,
    opened: Instant,
}

/// Result of waiting for a session.
type Received<T> = (Tail<T>, AccountResult<Option<TailUpdate>>);

impl<'a, S: LogService> Follower<'a, '_, S> {
    async fn run(&mut self) -> Result<(), DeployError> {
        let mut tails = FuturesUnordered::new();
        for tail in self.open_sessions().await? {
            tails.push(receive(tail));
        }
        // What came before the sessions.
        let all: Vec<_> = (0..self.sources.len()).collect();
        self.poll(&all, self.options.since).await?;
        let interrupt = self.ctx.interrupt.clone();
        let mut next_poll = Instant::now() + self.options.poll_interval;
        let mut next_forget = Instant::now() + FORGET_EVERY;
        let tick = Duration::from_millis(100);
        loop {
            let event = async {
                tokio::select! {
                    Some(received) = tails.next(), if !tails.is_empty() => Some(received),
                    () = tokio::time::sleep(tick) => None,
                }
            };
            if let Some((tail, update)) = interrupt.unless(event).await? {
                for tail in self.received(tail, update).await? {
                    tails.push(receive(tail));
                }
            }
            if !self.polled.is_empty() && Instant::now() >= next_poll {
                self.poll_again().await?;
                next_poll = Instant::now() + self.options.poll_interval;
            }
            if Instant::now() >= next_forget {
                let kept = 2 * self.options.window.long_overlap;
                self.seen.forget_before(self.now() - kept);
                next_forget = Instant::now() + FORGET_EVERY;
            }
            let due = self.buffer.due(self.clock());
            self.show(due);
        }
    }

    /// Opens the sessions of all groups whose ARNs are known. The other groups are polled.
    async fn open_sessions(&mut self) -> Result<Vec<Tail<S::Session>>, DeployError> {
        let can_tail = |index: &usize| self.options.live_tail && self.sources[*index].arn.is_some();
        let (tailed, polled): (Vec<_>, Vec<_>) = (0..self.sources.len()).partition(can_tail);
        let mut tails = Vec::new();
        if !polled.is_empty() {
            self.begin_polling(polled, None);
        }
        for chunk in tailed.chunks(GROUPS_PER_SESSION) {
            tails.extend(self.open(chunk.to_vec()).await?);
        }
        if !tails.is_empty() {
            let groups = tails.iter().map(|tail| tail.sources.len()).sum();
            (self.report)(FollowEvent::Tailing {
                sessions: tails.len(),
                groups,
            });
        }
        Ok(tails)
    }

    /// Opens one session. If that is not possible, its groups are polled.
    async fn open(&mut self, sources: Vec<usize>) -> Result<Option<Tail<S::Session>>, DeployError> {
        let arns = sources
            .iter()
            .filter_map(|index| self.sources[*index].arn.clone());
        let arns: Vec<_> = arns.collect();
        let (service, ctx) = (self.service, self.ctx);
        match ctx.read(|| service.live_tail(&arns)).await {
            Ok(session) => {
                let channel = self.next_channel;
                self.next_channel += 1;
                Ok(Some(Tail {
                    channel,
                    sources,
                    session,
                    opened: Instant::now(),
                }))
            }
            Err(DeployError::Account(error)) => {
                self.begin_polling(sources, Some(&error));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn begin_polling(&mut self, sources: Vec<usize>, reason: Option<&AccountError>) {
        let groups = sources
            .iter()
            .map(|index| self.sources[*index].group.as_str());
        (self.report)(FollowEvent::Polling {
            groups: groups.collect(),
            reason,
        });
        self.polled.extend(sources);
    }

    /// Takes over an update. Returns the sessions to wait for: the same one, or one that replaces it.
    async fn received(
        &mut self,
        tail: Tail<S::Session>,
        update: AccountResult<Option<TailUpdate>>,
    ) -> Result<Vec<Tail<S::Session>>, DeployError> {
        let age = tail.opened.elapsed();
        match update {
            Ok(Some(update)) => {
                self.take_over(&tail, update);
                if age < self.options.renew_after {
                    return Ok(vec![tail]);
                }
            }
            Ok(None) | Err(_) if age >= SHORTEST_SESSION => {}
            Ok(None) => self.begin_polling(tail.sources.clone(), None),
            Err(error) => self.begin_polling(tail.sources.clone(), Some(&error)),
        }
        // The old session is open until the new one is. What both return is shown once.
        let mut new = None;
        if age >= SHORTEST_SESSION {
            new = self.open(tail.sources.clone()).await?;
        }
        if new.is_some() {
            (self.report)(FollowEvent::Renewed);
        }
        let since = self.now() - self.options.window.overlap;
        self.poll(&tail.sources, since.max(self.options.since))
            .await?;
        Ok(new.into_iter().collect())
    }

    fn take_over(&mut self, tail: &Tail<S::Session>, update: TailUpdate) {
        if update.sampled {
            (self.report)(FollowEvent::Sampled);
        }
        for tailed in update.events {
            let found = tail.sources.iter().find(|index| {
                let source = &self.sources[**index];
                source.group == tailed.group || source.arn.as_deref() == Some(&tailed.group)
            });
            // A group is named as `123456789012:/aws/lambda/f` by some endpoints.
            let by_end = || {
                let ends = |index: &&usize| tailed.group.ends_with(&self.sources[**index].group);
                tail.sources.iter().find(ends)
            };
            if let Some(source) = found.or_else(by_end).copied()
                && self.seen.admit(tail.channel, source, &tailed.event)
            {
                let entry = self.collectors[source].entry(tailed.event);
                self.buffer.add(entry, self.clock());
            }
        }
    }

    async fn poll_again(&mut self) -> Result<(), DeployError> {
        self.polls += 1;
        let (now, window) = (self.now(), self.options.window);
        let start = window.start(self.polls, now, self.options.since);
        let polled = self.polled.clone();
        self.poll(&polled, start).await
    }

    /// Reads what sources have since a time, and buffers what is new.
    async fn poll(&mut self, sources: &[usize], start: i64) -> Result<(), DeployError> {
        for index in sources {
            if self.unreadable.contains(index) {
                continue;
            }
            let mut next = Some(EventsRequest {
                group: self.sources[*index].group.clone(),
                start,
                end: None,
                pattern: None,
                token: None,
            });
            while let Some(request) = next.take() {
                let (service, ctx) = (self.service, self.ctx);
                let page = match ctx.read(|| service.events(&request)).await {
                    Ok(page) => page,
                    Err(DeployError::Account(error)) if is_lasting(&error) => {
                        self.fail(*index, &error);
                        break;
                    }
                    Err(error) => return Err(error),
                };
                next = next_request(&request, &page);
                for event in page.events {
                    if self.seen.admit(POLLS, *index, &event) {
                        let entry = self.collectors[*index].entry(event);
                        self.buffer.add(entry, self.clock());
                    }
                }
            }
        }
        Ok(())
    }

    /// Reports a group that cannot be read. A group that does not exist may be created later.
    fn fail(&mut self, index: usize, error: &AccountError) {
        if error.kind != AccountErrorKind::NotFound {
            self.unreadable.push(index);
            let group = &self.sources[index].group;
            (self.report)(FollowEvent::Failed { group, error });
        }
    }

    fn show(&mut self, due: Vec<FollowedEntry>) {
        if !due.is_empty() {
            (self.report)(FollowEvent::Lines(due));
        }
    }

    /// Returns the time, in milliseconds since 1970.
    fn now(&self) -> i64 {
        let nanos = (self.ctx.now)().unix_timestamp_nanos();
        i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX)
    }

    /// Returns the milliseconds since following began. It never runs backwards.
    fn clock(&self) -> i64 {
        millis(self.started.elapsed())
    }
}

async fn receive<T: LiveTailSession>(mut tail: Tail<T>) -> Received<T> {
    let update = tail.session.next().await;
    (tail, update)
}

fn is_lasting(error: &AccountError) -> bool {
    matches!(
        error.kind,
        AccountErrorKind::AccessDenied | AccountErrorKind::NotFound
    )
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
