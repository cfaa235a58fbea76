//! Order of the lines of several sources while they arrive.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::entry::LogLine;

/// A line that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowedEntry {
    /// The line.
    pub entry: LogLine,
    /// True if lines of a later time were shown before.
    pub is_late: bool,
}

/// Lines that wait for earlier ones of other sources. Each line waits equally long after it arrived.
#[derive(Debug)]
pub struct ReorderBuffer {
    hold: i64,
    waiting: BinaryHeap<Reverse<Waiting>>,
    /// Arrival and time of each line, in the order of arrival.
    arrivals: VecDeque<(i64, i64)>,
    next: u64,
    shown_up_to: i64,
}

#[derive(Debug, PartialEq, Eq)]
struct Waiting {
    at: i64,
    number: u64,
    entry: LogLine,
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl ReorderBuffer {
    /// Creates a buffer in which lines wait for some milliseconds.
    pub fn new(hold: i64) -> Self {
        ReorderBuffer {
            hold,
            waiting: BinaryHeap::new(),
            arrivals: VecDeque::new(),
            next: 0,
            shown_up_to: i64::MIN,
        }
    }

    /// Adds a line that arrives now. The clock must not run backwards.
    pub fn add(&mut self, entry: LogLine, now: i64) {
        self.arrivals.push_back((now, entry.at));
        let number = self.next;
        self.next += 1;
        self.waiting.push(Reverse(Waiting {
            at: entry.at,
            number,
            entry,
        }));
    }

    /// Returns the lines that waited long enough, and all lines that are earlier than those.
    pub fn due(&mut self, now: i64) -> Vec<FollowedEntry> {
        let mut up_to = i64::MIN;
        while let Some((arrived, at)) = self.arrivals.front().copied()
            && arrived <= now - self.hold
        {
            up_to = up_to.max(at);
            self.arrivals.pop_front();
        }
        self.take_up_to(up_to)
    }

    /// Returns all lines.
    pub fn rest(&mut self) -> Vec<FollowedEntry> {
        self.arrivals.clear();
        self.take_up_to(i64::MAX)
    }

    fn take_up_to(&mut self, up_to: i64) -> Vec<FollowedEntry> {
        let mut due = Vec::new();
        while self
            .waiting
            .peek()
            .is_some_and(|Reverse(first)| first.at <= up_to)
            && let Some(Reverse(first)) = self.waiting.pop()
        {
            let is_late = first.at < self.shown_up_to;
            self.shown_up_to = self.shown_up_to.max(first.at);
            due.push(FollowedEntry {
                entry: first.entry,
                is_late,
            });
        }
        due
    }
}
