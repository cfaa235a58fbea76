//! Messages of a connection that wait for their answers.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::message::MessageNumber;

/// Messages that wait, in the order in which they were sent.
#[derive(Debug, Default)]
pub(super) struct PendingMessages {
    waiting: VecDeque<WaitingMessage>,
    /// Largest number that was answered.
    last_answered: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct WaitingMessage {
    sequence: u64,
    /// Position among the messages of the plan.
    message: usize,
    is_numbered: bool,
    sent: Instant,
}

/// An answer to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReceivedAnswer {
    /// Position of the message among those of the plan.
    pub(super) message: usize,
    pub(super) latency: Duration,
    /// True if a later message was answered before.
    pub(super) is_reordered: bool,
}

impl PendingMessages {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn add(&mut self, sequence: u64, message: usize, is_numbered: bool, sent: Instant) {
        self.waiting.push_back(WaitingMessage {
            sequence,
            message,
            is_numbered,
            sent,
        });
    }

    /// Takes the message that a text with a number answers.
    pub(super) fn answer(&mut self, number: MessageNumber, now: Instant) -> Option<ReceivedAnswer> {
        let position = self
            .waiting
            .iter()
            .position(|waiting| waiting.is_numbered && number.is_of(waiting.sequence))?;
        let waiting = self.waiting.remove(position)?;
        let is_reordered = self
            .last_answered
            .is_some_and(|last| waiting.sequence < last);
        self.last_answered = self.last_answered.max(Some(waiting.sequence));
        Some(ReceivedAnswer {
            message: waiting.message,
            latency: now - waiting.sent,
            is_reordered,
        })
    }

    /// Takes the oldest message without a number, which a text without one answers.
    pub(super) fn answer_oldest(&mut self, now: Instant) -> Option<ReceivedAnswer> {
        let position = self
            .waiting
            .iter()
            .position(|waiting| !waiting.is_numbered)?;
        let waiting = self.waiting.remove(position)?;
        Some(ReceivedAnswer {
            message: waiting.message,
            latency: now - waiting.sent,
            is_reordered: false,
        })
    }

    /// Takes the oldest message, which an error frame refuses. Returns its position among those of the plan.
    pub(super) fn refuse_oldest(&mut self) -> Option<usize> {
        self.waiting.pop_front().map(|waiting| waiting.message)
    }

    /// Takes messages that waited longer than a timeout. Returns their positions among those of the plan.
    pub(super) fn expire(&mut self, now: Instant, timeout: Duration) -> Vec<usize> {
        let mut expired = Vec::new();
        while let Some(oldest) = self.waiting.front().filter(|it| now >= it.sent + timeout) {
            expired.push(oldest.message);
            self.waiting.pop_front();
        }
        expired
    }

    /// Returns when the oldest message expires.
    pub(super) fn next_expiry(&self, timeout: Duration) -> Option<Instant> {
        self.waiting.front().map(|oldest| oldest.sent + timeout)
    }

    /// Takes all messages. Returns their positions among those of the plan.
    pub(super) fn take_all(&mut self) -> Vec<usize> {
        self.waiting
            .drain(..)
            .map(|waiting| waiting.message)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(sequence: u64) -> MessageNumber {
        MessageNumber {
            connection: 1,
            sequence,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn answers_find_their_messages_after_a_million() {
        let now = Instant::now();
        let mut pending = PendingMessages::default();
        for sequence in [999_999, 1_000_000, 1_000_001] {
            pending.add(sequence, 0, true, now);
        }
        for sequence in [999_999, 0, 1] {
            let answer = pending.answer(number(sequence), now).unwrap();
            assert!(!answer.is_reordered, "{sequence}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn answers_find_their_messages_and_order_is_checked() {
        let now = Instant::now();
        let later = now + Duration::from_millis(5);
        let mut pending = PendingMessages::default();
        (1..=3).for_each(|sequence| pending.add(sequence, 0, true, now));
        pending.add(4, 1, false, now);
        let answer = |message, is_reordered| {
            Some(ReceivedAnswer {
                message,
                latency: Duration::from_millis(5),
                is_reordered,
            })
        };
        assert_eq!(pending.answer(number(2), later), answer(0, false));
        assert_eq!(pending.answer(number(1), later), answer(0, true));
        assert_eq!(pending.answer(number(1), later), None);
        assert_eq!(pending.answer(number(4), later), None);
        assert_eq!(pending.answer_oldest(later), answer(1, false));
        assert_eq!(pending.len(), 1);
        assert_eq!(
            pending.expire(later, Duration::from_millis(6)),
            Vec::<usize>::new()
        );
        assert_eq!(pending.expire(later, Duration::from_millis(5)), [0]);
        assert_eq!(pending.next_expiry(Duration::from_secs(1)), None);
    }
}
