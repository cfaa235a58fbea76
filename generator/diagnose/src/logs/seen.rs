//! Events that several reads return, shown once each.

use std::collections::HashMap;

use super::fetch::hash_of;
use super::ports::StoredEvent;

/// Number of a channel: the polls of FilterLogEvents, or one session of live tail.
pub(crate) type ChannelNumber = u32;

/// The channel of FilterLogEvents.
pub(crate) const POLLS: ChannelNumber = 0;

/// Events that were shown.
///
/// FilterLogEvents returns the ID of an event, so an event of two polls is recognized for certain. Live tail returns none.
/// Between channels, events are equal if group, stream, time and line are. A function can write a line twice within one
/// millisecond, so equal events are counted: a channel shows as many of them as it has more than any other.
#[derive(Debug, Default)]
pub struct SeenEvents {
    ids: HashMap<u128, i64>,
    contents: HashMap<u128, ContentCount>,
}

/// Number of equal events.
#[derive(Debug)]
struct ContentCount {
    at: i64,
    shown: u32,
    by_channel: Vec<(ChannelNumber, u32)>,
}

impl SeenEvents {
    /// Records an event. Returns true if it is to be shown.
    pub fn admit(&mut self, channel: ChannelNumber, source: usize, event: &StoredEvent) -> bool {
        if let Some(id) = &event.id
            && self.ids.insert(hash_of(id), event.at).is_some()
        {
            return false;
        }
        let content = hash_of(&(source, &event.stream, event.at, &event.message));
        let count = self.contents.entry(content).or_insert(ContentCount {
            at: event.at,
            shown: 0,
            by_channel: Vec::new(),
        });
        let of_channel = match count
            .by_channel
            .iter_mut()
            .find(|(known, _)| *known == channel)
        {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                count.by_channel.push((channel, 1));
                1
            }
        };
        let is_new = of_channel > count.shown;
        count.shown = count.shown.max(of_channel);
        is_new
    }

    /// Forgets events before a time, which no read returns again.
    pub fn forget_before(&mut self, at: i64) {
        self.ids.retain(|_, known| *known >= at);
        self.contents.retain(|_, known| known.at >= at);
    }

    /// Returns the number of events that are remembered.
    pub fn len(&self) -> usize {
        self.contents.len()
    }

    /// True if no event is remembered.
    pub fn is_empty(&self) -> bool {
        self.contents.is_empty()
    }
}

/// Start of the range that each poll reads.
///
/// CloudWatch Logs makes an event visible some time after the event's own time. So a poll reads a part of the past again,
/// and at intervals a longer part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollWindow {
    /// Length of the usual overlap in milliseconds.
    pub overlap: i64,
    /// Length of the long overlap. Events that become visible later are lost.
    pub long_overlap: i64,
    /// Every so many polls, the overlap is long.
    pub long_every: u64,
}

impl Default for PollWindow {
    fn default() -> Self {
        PollWindow {
            overlap: 60_000,
            long_overlap: 600_000,
            long_every: 15,
        }
    }
}

impl PollWindow {
    /// Returns the first time that a poll reads. `since` is where following began.
    pub fn start(&self, poll: u64, now: i64, since: i64) -> i64 {
        let overlap = match poll % self.long_every {
            0 => self.long_overlap,
            _ => self.overlap,
        };
        (now - overlap).max(since)
    }
}
