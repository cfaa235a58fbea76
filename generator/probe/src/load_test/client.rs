//! One connection of a load.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use super::counters::add;
use super::message::MessageNumber;
use super::pending::PendingMessages;
use super::{LAST_SEND, SendPacing, SharedLoad};
use crate::connection::{ClientClose, ClientConnection, Incoming};
use crate::handshake::{HandshakeAttempt, connect};
use crate::report::error_frame_message;

/// Time for answers after the user stopped the load.
const SHORT_DRAIN: Duration = Duration::from_millis(500);

/// A connection that sends messages or only listens.
pub(super) struct LoadClient {
    load: Arc<SharedLoad>,
    index: usize,
    stopped: watch::Receiver<bool>,
    pending: PendingMessages,
    /// Number of messages that were sent.
    sent: u64,
    next_send: Instant,
    random: u64,
}

impl LoadClient {
    /// Connects, sends until the end of the load, and closes.
    pub(super) async fn run(load: Arc<SharedLoad>, index: usize) {
        let mut stopped = load.stopped.clone();
        let began = Instant::now();
        // Boxed, so that an open connection does not hold the memory of its handshake.
        let attempt = tokio::select! {
            attempt = Box::pin(connect(load.target(index))) => attempt,
            _ = stopped.wait_for(|stopped| *stopped) => return,
        };
        let (handshake, connection) = match attempt {
            Ok(HandshakeAttempt {
                handshake,
                connection,
            }) => (handshake, connection),
            Err(error) => return load.counters.failed(&error),
        };
        let Some(mut connection) = connection else {
            return load.counters.refused(handshake.status);
        };
        load.counters.opened(began.elapsed());
        drop(handshake);
        let mut client = LoadClient {
            index,
            stopped,
            pending: PendingMessages::default(),
            sent: 0,
            next_send: Instant::now(),
            random: (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            load,
        };
        // Spread, so that connections of a burst do not send in step.
        let delay = client.spread_start();
        client.next_send += delay;
        let is_open = client.exchange(&mut connection).await && client.drain(&mut connection).await;
        // What the user interrupts is not lost.
        if !*client.stopped.borrow() {
            client.load.counters.lost(client.pending.take_all());
        }
        client.load.counters.closed();
        if is_open {
            connection.close(&ClientClose::NORMAL).await;
        }
    }

    /// Sends and receives until the end of the load. Returns false if the connection ended.
    async fn exchange(&mut self, connection: &mut ClientConnection) -> bool {
        let is_sender = self.index < self.load.plan.senders && !self.load.plan.messages.is_empty();
        let in_flight = self.load.plan.in_flight.max(1);
        loop {
            let now = Instant::now();
            if now >= self.load.end || *self.stopped.borrow() {
                return true;
            }
            self.expire(now);
            let may_send = is_sender && self.pending.len() < in_flight;
            if may_send && now >= self.next_send {
                if !self.send(connection, now).await {
                    return false;
                }
                continue;
            }
            let mut deadline = self.load.end;
            if may_send {
                deadline = deadline.min(self.next_send);
            }
            if let Some(expiry) = self.pending.next_expiry(self.load.plan.timeout) {
                deadline = deadline.min(expiry);
            }
            let mut stopped = self.stopped.clone();
            let incoming = tokio::select! {
                incoming = connection.receive(deadline) => incoming,
                _ = stopped.wait_for(|stopped| *stopped) => return true,
            };
            if !self.handle(incoming) {
                return false;
            }
        }
    }

    /// Waits for the answers to the last messages. Returns false if the connection ended.
    async fn drain(&mut self, connection: &mut ClientConnection) -> bool {
        let mut stop_at = None;
        loop {
            let now = Instant::now();
            let was_stopped = *self.stopped.borrow();
            if was_stopped && now >= *stop_at.get_or_insert(now + SHORT_DRAIN) {
                return true;
            }
            self.expire(now);
            let Some(expiry) = self.pending.next_expiry(self.load.plan.timeout) else {
                return true;
            };
            let deadline = stop_at.map_or(expiry, |stop_at| stop_at.min(expiry));
            let mut stopped = self.stopped.clone();
            let incoming = tokio::select! {
                incoming = connection.receive(deadline) => incoming,
                _ = stopped.wait_for(|stopped| *stopped), if !was_stopped => continue,
            };
            if !self.handle(incoming) {
                return false;
            }
        }
    }

    async fn send(&mut self, connection: &mut ClientConnection, now: Instant) -> bool {
        let chosen = self.choose();
        let message = &self.load.plan.messages[chosen];
        self.sent += 1;
        let number = MessageNumber {
            connection: self.index as u64,
            sequence: self.sent,
        };
        let is_numbered = message.is_numbered();
        let has_answer = message.has_answer;
        let text = message.text_with(number);
        let sent = Instant::now();
        let mut stopped = self.stopped.clone();
        let given_up = async {
            let _ = stopped.wait_for(|stopped| *stopped).await;
            sleep(SHORT_DRAIN).await;
        };
        let limit = self.load.end + LAST_SEND;
        let result = tokio::select! {
            result = timeout_at(limit, connection.send(&text)) => result,
            () = given_up => return false,
        };
        match result {
            Ok(Ok(())) => {}
            Ok(Err(end)) => {
                self.load.counters.ended(&end);
                return false;
            }
            // The server does not read; the connection is given up.
            Err(_) => return false,
        }
        add(&self.load.counters.messages[chosen].sent);
        if has_answer {
            self.pending.add(self.sent, chosen, is_numbered, sent);
        }
        self.next_send = match self.load.plan.pacing {
            SendPacing::Rate(rate) => {
                let step = Duration::try_from_secs_f64(1.0 / rate).unwrap_or_default();
                // After a pause of the machine, there is no burst.
                (self.next_send + step).max(now)
            }
            SendPacing::Think(time) => now + time,
        };
        true
    }

    /// Handles what arrives. Returns false if the connection ended.
    fn handle(&mut self, incoming: Incoming) -> bool {
        match incoming {
            Incoming::Text(text) => {
                self.receive(text.as_str());
                true
            }
            Incoming::Closed(end) => {
                self.load.counters.ended(&end);
                false
            }
            Incoming::Binary(_) => {
                add(&self.load.counters.others);
                true
            }
            Incoming::Ping | Incoming::Pong | Incoming::Nothing => true,
        }
    }

    fn receive(&mut self, text: &str) {
        let now = Instant::now();
        let counters = &self.load.counters;
        let answer = match MessageNumber::find(text) {
            Some(number) if number.connection == self.index as u64 => {
                self.pending.answer(number, now)
            }
            Some(_) => None,
            None => {
                if let Some(message) = error_frame_message(text) {
                    let message = self.load.target(self.index).secrets().hide(&message);
                    counters.error_frame(&message);
                    if let Some(refused) = self.pending.refuse_oldest() {
                        add(&counters.messages[refused].refused);
                    }
                    return self.think(now);
                }
                self.pending.answer_oldest(now)
            }
        };
        match answer {
            Some(answer) => {
                counters.answered(answer);
                self.think(now);
            }
            None => add(&counters.others),
        }
    }

    fn expire(&mut self, now: Instant) {
        let expired = self.pending.expire(now, self.load.plan.timeout);
        if !expired.is_empty() {
            self.load.counters.lost(expired);
            self.think(now);
        }
    }

    /// Starts the pause after an answer.
    fn think(&mut self, now: Instant) {
        if let SendPacing::Think(time) = self.load.plan.pacing {
            self.next_send = now + time;
        }
    }

    /// Returns the delay of the first message: a share of the pause between messages.
    fn spread_start(&mut self) -> Duration {
        let pause = match self.load.plan.pacing {
            SendPacing::Think(time) => time,
            SendPacing::Rate(rate) => Duration::try_from_secs_f64(1.0 / rate).unwrap_or_default(),
        };
        let share = self.fraction();
        pause.mul_f64(share)
    }

    /// Chooses a message by the weights.
    fn choose(&mut self) -> usize {
        let total: f64 = self
            .load
            .plan
            .messages
            .iter()
            .map(|message| message.weight)
            .sum();
        let mut left = self.fraction() * total;
        let messages = &self.load.plan.messages;
        let chosen = messages.iter().position(|message| {
            left -= message.weight;
            left < 0.0
        });
        chosen.unwrap_or(messages.len() - 1)
    }

    /// Returns the next pseudo-random number from 0 to 1. Every connection has a sequence of its own, the same in each run.
    fn fraction(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) as f64 / (1_u64 << 53) as f64
    }
}
