//! Recording of a probe.

use std::time::Duration;

use crate::connection::{ClosedBy, ConnectionEnd};
use crate::recording::{
    CloseSide, ObservedRequest, RecordedClose, RecordedLine, Recorder, Recording, now_millis,
};
use crate::report::{ProbeCaller, ProbeReport};
use crate::target::ProbeTarget;

/// Number of the probe's connection.
const CONNECTION: u32 = 1;

/// Writes what a probe sends and receives.
pub(super) struct ProbeTape {
    recorder: Recorder,
    lines: Vec<RecordedLine>,
}

impl ProbeTape {
    pub(super) fn new() -> Self {
        ProbeTape {
            recorder: Recorder::new(now_millis()),
            lines: Vec::new(),
        }
    }

    /// Records the handshake, if it was answered.
    pub(super) fn open(&mut self, target: &ProbeTarget, report: &ProbeReport) {
        let Some(handshake) = report.handshake() else {
            return;
        };
        let mut request = ObservedRequest::of_target(target);
        if let ProbeCaller::Authenticated { name, .. } = &report.caller {
            request.caller.clone_from(name);
        }
        let subprotocol = handshake.subprotocol.clone();
        let status = handshake.status;
        let line = self
            .recorder
            .open(Duration::ZERO, request, status, subprotocol);
        self.lines.push(line);
    }

    pub(super) fn sent(&mut self, at: Duration, text: &str) {
        self.lines.push(self.recorder.sent(at, CONNECTION, text));
    }

    pub(super) fn received(&mut self, at: Duration, text: &str) {
        self.lines
            .push(self.recorder.received(at, CONNECTION, text));
    }

    pub(super) fn received_binary(&mut self, at: Duration, bytes: usize) {
        self.lines
            .push(self.recorder.received_binary(at, CONNECTION, bytes));
    }

    pub(super) fn closed(&mut self, at: Duration, end: &ConnectionEnd) {
        let by = match end.by {
            ClosedBy::Client => CloseSide::Client,
            ClosedBy::Server | ClosedBy::Network => CloseSide::Server,
        };
        // The text of the operating system differs from one to the other.
        let reason = match end.by {
            ClosedBy::Server => end.reason.clone(),
            ClosedBy::Client | ClosedBy::Network => String::new(),
        };
        let close = RecordedClose {
            by,
            code: end.code,
            reason,
        };
        self.lines.push(self.recorder.closed(at, CONNECTION, close));
    }

    pub(super) fn into_recording(self) -> Recording {
        Recording { lines: self.lines }
    }
}
