//! Plays the events of a recording one after the other.

use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::report::{
    EventResult, ReplayReport, ReplayedConnection, ReplayedEvent, in_order_of_arrival,
};
use super::wait::{ArrivedFrame, FrameContent, LiveConnections};
use super::{ReplayCaller, ReplayPlan};
use crate::connection::{ClientClose, ClosedBy, ConnectionEnd};
use crate::handshake::connect;
use crate::recording::{
    Bindings, CloseSide, Normalizer, Placeholder, PlaceholderKind, RecordedAction, RecordedClose,
    RecordedLine, RecordedOpen, merged, now_millis,
};

/// Wait for the recorded message after one arrived that is not recorded.
const GRACE: Duration = Duration::from_millis(300);

/// Longest wait for messages that are not recorded, before the client closes.
const SETTLE: Duration = Duration::from_millis(500);

/// Plays a recording until its end, or until `stop` is ready. Calls `on_event` for every event.
pub async fn replay(
    plan: &ReplayPlan,
    stop: impl Future<Output = ()>,
    on_event: &mut dyn FnMut(u32, &ReplayedEvent),
) -> ReplayReport {
    let mut stop = pin!(stop);
    let mut player = Player::new(plan, on_event);
    for (index, line) in plan.recording.lines.iter().enumerate() {
        let pause = match index {
            0 => 0.0,
            index => line.at - plan.recording.lines[index - 1].at,
        };
        player.pause = Duration::try_from_secs_f64(pause).unwrap_or_default();
        if !player.play(line, stop.as_mut()).await {
            player.interrupted = true;
            break;
        }
    }
    player.end(stop).await
}

/// State of a replay.
struct Player<'a> {
    plan: &'a ReplayPlan,
    began: Instant,
    /// Recorded pause before the event.
    pause: Duration,
    live: LiveConnections,
    known: Bindings,
    normalizer: Normalizer,
    connections: BTreeMap<u32, ReplayedConnection>,
    /// Events of this run with the numbers of their arrival.
    updated: Vec<(RecordedLine, u64)>,
    interrupted: bool,
    on_event: &'a mut dyn FnMut(u32, &ReplayedEvent),
}

impl<'a> Player<'a> {
    fn new(plan: &'a ReplayPlan, on_event: &'a mut dyn FnMut(u32, &ReplayedEvent)) -> Self {
        let mut normalizer = Normalizer::new(now_millis());
        let mut known = Bindings::default();
        for (number, secret) in &plan.secrets {
            let placeholder = Placeholder::numbered(PlaceholderKind::Secret, *number);
            let secrets = normalizer.secrets();
            secrets.add_token(secret.expose(), &placeholder.to_string());
            known.set(placeholder, Value::from(secret.expose()));
        }
        for token in plan
            .callers
            .values()
            .filter_map(|caller| caller.token.as_ref())
        {
            normalizer.secrets().add_token(token.expose(), "<token>");
        }
        Player {
            plan,
            began: Instant::now(),
            pause: Duration::ZERO,
            live: LiveConnections::default(),
            known,
            normalizer,
            connections: BTreeMap::new(),
            updated: Vec::new(),
            interrupted: false,
            on_event,
        }
    }

    /// Plays an event. Returns false if the user stopped the replay.
    async fn play(
        &mut self,
        line: &RecordedLine,
        stop: Pin<&mut impl Future<Output = ()>>,
    ) -> bool {
        tokio::select! {
            () = self.play_line(line) => true,
            () = stop => false,
        }
    }

    async fn play_line(&mut self, line: &RecordedLine) {
        let is_of_client = match &line.action {
            RecordedAction::Open(_) | RecordedAction::Send(_) | RecordedAction::SendBinary(_) => {
                true
            }
            RecordedAction::Close(close) => close.by == CloseSide::Client,
            RecordedAction::Receive(_) | RecordedAction::ReceiveBinary(_) => false,
        };
        if self.plan.paced && is_of_client {
            let due = self.began + Duration::try_from_secs_f64(line.at).unwrap_or_default();
            while Instant::now() < due {
                self.live.receive(due).await;
            }
        }
        if let RecordedAction::Open(open) = &line.action {
            return self.open(line, open).await;
        }
        let connection = self.live.all.get(&line.connection);
        if !connection.is_some_and(|connection| connection.opened_as_recorded) {
            return self.report(line, EventResult::NotPlayed, None);
        }
        match &line.action {
            RecordedAction::Open(_) => {}
            RecordedAction::Send(message) => {
                let text = self.fill(line.connection, message);
                self.normalizer.sent(&text);
                self.send(line, Some(text)).await;
            }
            RecordedAction::SendBinary(_) => self.send(line, None).await,
            RecordedAction::Receive(_) | RecordedAction::ReceiveBinary(_) => {
                self.expect(line).await;
            }
            RecordedAction::Close(close) => match close.by {
                CloseSide::Client => self.close(line, close).await,
                CloseSide::Server => self.expect_close(line, close).await,
            },
        }
    }

    async fn open(&mut self, line: &RecordedLine, open: &RecordedOpen) {
        let number = line.connection;
        self.connections.insert(
            number,
            ReplayedConnection {
                connection: number,
                caller: open.caller.clone(),
                events: Vec::new(),
            },
        );
        let mut live = super::wait::LiveConnection::default();
        let Some(ReplayCaller { target, .. }) = self.plan.callers.get(&number) else {
            self.live.all.insert(number, live);
            return self.report(line, EventResult::Missing, Some("it has no target"));
        };
        for text in open.texts() {
            self.normalizer.remember(text);
        }
        let attempt = match connect(target).await {
            Ok(attempt) => attempt,
            Err(error) => {
                self.live.all.insert(number, live);
                return self.report(line, EventResult::Missing, Some(&error.to_string()));
            }
        };
        let actual = RecordedOpen {
            status: attempt.handshake.status,
            subprotocol: attempt.handshake.subprotocol.clone(),
            ..open.clone()
        };
        let is_same = actual.status == open.status
            && self.is_same_subprotocol(open, actual.subprotocol.as_deref());
        live.opened_as_recorded = actual.status == open.status;
        live.socket = attempt.connection;
        self.live.all.insert(number, live);
        if is_same {
            return self.report(line, EventResult::Same, None);
        }
        let body = attempt.handshake.body.trim();
        let note = (!body.is_empty()).then_some(body);
        self.report(line, EventResult::Missing, None);
        let subprotocol = actual.subprotocol.map(|name| self.normalized_text(&name));
        let action = RecordedAction::Open(RecordedOpen {
            subprotocol,
            ..actual
        });
        self.report_extra(line, action, note);
    }

    fn is_same_subprotocol(&mut self, open: &RecordedOpen, actual: Option<&str>) -> bool {
        match (&open.subprotocol, actual) {
            (None, None) => true,
            (Some(recorded), Some(actual)) => {
                let (recorded, actual) = (Value::from(recorded.as_str()), Value::from(actual));
                self.known.matches(&recorded, &actual)
            }
            _ => false,
        }
    }

    /// Returns the text of a message, with the caller's token and the IDs of this run.
    fn fill(&mut self, number: u32, message: &Value) -> String {
        let token = self
            .plan
            .callers
            .get(&number)
            .and_then(|caller| caller.token.as_ref());
        if let Some(token) = token {
            self.known
                .set(Placeholder::TOKEN, Value::from(token.expose()));
        }
        self.known.fill(message)
    }

    async fn send(&mut self, line: &RecordedLine, text: Option<String>) {
        let Some(live) = self.live.all.get_mut(&line.connection) else {
            return;
        };
        let sent = match (&mut live.socket, &live.end, text, &line.action) {
            (Some(socket), None, Some(text), _) => socket.send(&text).await,
            (Some(socket), None, None, RecordedAction::SendBinary(bytes)) => {
                socket.send_binary(vec![0; *bytes]).await
            }
            (_, Some(end), ..) => Err(end.clone()),
            _ => return self.report(line, EventResult::Missing, Some("the connection is closed")),
        };
        match sent {
            Ok(()) => self.report(line, EventResult::Same, None),
            Err(end) => {
                let note = format!("the connection ended before, with {}", end.code);
                live.end = Some(end);
                self.report(line, EventResult::Missing, Some(&note));
            }
        }
    }

    /// Waits for a recorded message, and compares it with what arrives.
    async fn expect(&mut self, line: &RecordedLine) {
        let number = line.connection;
        let mut deadline = Instant::now() + self.plan.timeout + self.pause;
        let mut seen = 0;
        loop {
            if let Some(position) = self.find(line) {
                return self.take_match(line, position);
            }
            let Some(live) = self.live.all.get(&number) else {
                return;
            };
            if live.pending.len() > seen {
                let mut arrived = live.pending.iter().skip(seen);
                if arrived.any(|frame| !self.is_recorded_later(line, frame)) {
                    deadline = deadline.min(Instant::now() + GRACE);
                }
                seen = live.pending.len();
            }
            if live.end.is_some() || Instant::now() >= deadline {
                break;
            }
            self.live.receive(deadline).await;
        }
        self.report(line, EventResult::Missing, None);
        // A message in its place is the changed one, unless it is recorded for later.
        let first = self
            .live
            .all
            .get(&number)
            .and_then(|live| live.pending.front());
        if first.is_some_and(|frame| !self.is_recorded_later(line, frame))
            && let Some(frame) = self.take(number, 0)
        {
            if let (RecordedAction::Receive(recorded), FrameContent::Text(_, value)) =
                (&line.action, &frame.content)
            {
                self.known.bind_parts(recorded, value);
            }
            self.report_frame(line, frame);
        }
    }

    /// Returns the position of the recorded message among those that arrived.
    fn find(&mut self, line: &RecordedLine) -> Option<usize> {
        let live = self.live.all.get(&line.connection)?;
        let known = &mut self.known;
        live.pending
            .iter()
            .position(|frame| is_match(known, &line.action, frame))
    }

    fn take_match(&mut self, line: &RecordedLine, position: usize) {
        let Some(frame) = self.take(line.connection, position) else {
            return;
        };
        let is_moved = position > 0 && !self.plan.any_order;
        let (result, note) = match is_moved {
            true => (
                EventResult::Moved,
                Some("it arrived after messages that are recorded later"),
            ),
            false => (EventResult::Same, None),
        };
        self.add_event(line, line.action.clone(), result, note, Some(frame.arrival));
    }

    fn take(&mut self, number: u32, position: usize) -> Option<ArrivedFrame> {
        self.live.all.get_mut(&number)?.pending.remove(position)
    }

    /// Returns true if the connection receives such a message later.
    fn is_recorded_later(&self, line: &RecordedLine, frame: &ArrivedFrame) -> bool {
        let mut lines = self.plan.recording.lines.iter();
        // The recording contains the line itself.
        let _ = lines.by_ref().find(|other| std::ptr::eq(*other, line));
        lines
            .filter(|later| later.connection == line.connection)
            .any(|later| is_match(&mut self.known.clone(), &later.action, frame))
    }

    /// Closes a connection as the client did.
    async fn close(&mut self, line: &RecordedLine, close: &RecordedClose) {
        self.settle(line.connection, self.pause.min(SETTLE)).await;
        self.report_pending(line);
        let Some(live) = self.live.all.get_mut(&line.connection) else {
            return;
        };
        if let Some(end) = live.end.take() {
            live.socket = None;
            self.report(line, EventResult::Missing, None);
            return self.report_end(line, &end);
        }
        let socket = live.socket.take();
        match (socket, close.code) {
            // Without a close frame.
            (socket, 1006) => drop(socket),
            (Some(socket), 1005) => drop(socket.close(&ClientClose::Bare).await),
            (Some(socket), code) => drop(socket.close(&ClientClose::Code(code)).await),
            (None, _) => {}
        }
        self.report(line, EventResult::Same, None);
    }

    /// Waits for the server's close.
    async fn expect_close(&mut self, line: &RecordedLine, close: &RecordedClose) {
        let number = line.connection;
        let deadline = Instant::now() + self.plan.timeout + self.pause;
        let is_open = |live: &LiveConnections| {
            live.all
                .get(&number)
                .is_some_and(|live| live.end.is_none() && live.socket.is_some())
        };
        while is_open(&self.live) && Instant::now() < deadline {
            self.live.receive(deadline).await;
        }
        self.report_pending(line);
        let end = self
            .live
            .all
            .get_mut(&number)
            .and_then(|live| live.end.take());
        let Some(end) = end else {
            return self.report(
                line,
                EventResult::Missing,
                Some("the connection stays open"),
            );
        };
        if let Some(live) = self.live.all.get_mut(&number) {
            live.socket = None;
        }
        let reason = Value::from(close.reason.as_str());
        let is_same = end.code == close.code
            && (end.by == ClosedBy::Network
                || self
                    .known
                    .matches(&reason, &Value::from(end.reason.as_str())));
        if is_same {
            return self.report(line, EventResult::Same, None);
        }
        self.report(line, EventResult::Missing, None);
        self.report_end(line, &end);
    }

    /// Waits for messages that are not recorded.
    async fn settle(&mut self, number: u32, time: Duration) {
        let deadline = Instant::now() + time;
        let is_open =
            |live: &LiveConnections| live.all.get(&number).is_some_and(|live| live.end.is_none());
        while is_open(&self.live) && Instant::now() < deadline {
            self.live.receive(deadline).await;
        }
    }

    /// Reports messages that arrived and are not recorded.
    fn report_pending(&mut self, line: &RecordedLine) {
        while let Some(frame) = self.take(line.connection, 0) {
            self.report_frame(line, frame);
        }
    }

    fn report_frame(&mut self, line: &RecordedLine, frame: ArrivedFrame) {
        self.normalizer.adopt(&self.known);
        let action = match frame.content {
            FrameContent::Binary(bytes) => RecordedAction::ReceiveBinary(bytes),
            FrameContent::Text(text, value) => {
                let normalized = self.normalizer.received(&text);
                RecordedAction::Receive(match &line.action {
                    RecordedAction::Receive(recorded) => {
                        merged(recorded, &value, normalized, &self.known)
                    }
                    _ => normalized,
                })
            }
        };
        self.add_event(line, action, EventResult::Extra, None, Some(frame.arrival));
    }

    fn report_end(&mut self, line: &RecordedLine, end: &ConnectionEnd) {
        let is_lost = end.by == ClosedBy::Network;
        let action = RecordedAction::Close(RecordedClose {
            by: CloseSide::Server,
            code: end.code,
            // The text of the operating system differs from one to the other.
            reason: match is_lost {
                true => String::new(),
                false => self.normalized_text(&end.reason),
            },
        });
        self.report_extra(line, action, is_lost.then_some(end.reason.as_str()));
    }

    fn normalized_text(&mut self, text: &str) -> String {
        match self.normalizer.received(text) {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }

    fn report(&mut self, line: &RecordedLine, result: EventResult, note: Option<&str>) {
        self.add_event(line, line.action.clone(), result, note, None);
    }

    fn report_extra(&mut self, line: &RecordedLine, action: RecordedAction, note: Option<&str>) {
        self.add_event(line, action, EventResult::Extra, note, None);
    }

    fn add_event(
        &mut self,
        line: &RecordedLine,
        action: RecordedAction,
        result: EventResult,
        note: Option<&str>,
        arrival: Option<u64>,
    ) {
        let arrival = arrival.unwrap_or_else(|| self.live.next_arrival());
        if !matches!(result, EventResult::Missing | EventResult::NotPlayed) {
            let line = RecordedLine {
                at: line.at,
                connection: line.connection,
                action: action.clone(),
            };
            self.updated.push((line, arrival));
        }
        let event = ReplayedEvent {
            result,
            action,
            note: note.map(str::to_owned),
        };
        (self.on_event)(line.connection, &event);
        if let Some(connection) = self.connections.get_mut(&line.connection) {
            connection.events.push(event);
        }
    }

    /// Reports what the recording does not contain, and closes what is open.
    async fn end(mut self, stop: Pin<&mut impl Future<Output = ()>>) -> ReplayReport {
        let at = self.plan.recording.lines.last().map_or(0.0, |line| line.at);
        let open: Vec<u32> = self
            .live
            .all
            .iter()
            .filter(|(_, live)| live.socket.is_some())
            .map(|(number, _)| *number)
            .collect();
        if !open.is_empty() && !self.interrupted {
            let settled = Instant::now() + SETTLE;
            let waiting = async {
                while Instant::now() < settled {
                    self.live.receive(settled).await;
                }
            };
            tokio::select! {
                () = waiting => {}
                () = stop => self.interrupted = true,
            }
        }
        for number in open {
            let line = RecordedLine {
                at,
                connection: number,
                action: RecordedAction::SendBinary(0),
            };
            self.report_pending(&line);
            let Some(live) = self.live.all.get_mut(&number) else {
                continue;
            };
            let (socket, end) = (live.socket.take(), live.end.take());
            match (socket, end) {
                (_, Some(end)) => self.report_end(&line, &end),
                (Some(socket), None) => drop(socket.close(&ClientClose::NORMAL).await),
                (None, None) => {}
            }
        }
        ReplayReport {
            connections: self.connections.into_values().collect(),
            interrupted: self.interrupted,
            updated: in_order_of_arrival(self.updated),
        }
    }
}

fn is_match(known: &mut Bindings, action: &RecordedAction, frame: &ArrivedFrame) -> bool {
    match (action, &frame.content) {
        (RecordedAction::Receive(pattern @ Value::String(_)), FrameContent::Text(text, _)) => {
            known.matches(pattern, &Value::from(text.as_str()))
        }
        (RecordedAction::Receive(pattern), FrameContent::Text(_, value)) => {
            known.matches(pattern, value)
        }
        (RecordedAction::ReceiveBinary(bytes), FrameContent::Binary(received)) => bytes == received,
        _ => false,
    }
}
