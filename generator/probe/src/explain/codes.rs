//! Causes that a close code tells (rows M10 to M19, X1 to X4). `probe`, `logs` and `doctor` share this table.

use std::ops::RangeInclusive;

use super::Certainty::{self, Certain, Likely, Possible};
use super::Explanation;

/// Cause of a close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseExplanation {
    /// The close code.
    pub code: u16,
    /// The certainty that this is the cause.
    pub certainty: Certainty,
    /// Rows of the reference that document it.
    pub rows: &'static [&'static str],
    /// Cause in a full sentence.
    pub cause: &'static str,
    /// Advice in full sentences, the step first.
    pub next_step: &'static str,
}

/// Seconds without data that suggest the idle timeout of ten minutes (row M13).
pub const IDLE_SECONDS: RangeInclusive<u64> = 585..=660;

/// Ages in seconds that suggest the limit of two hours (row M14).
pub const AGE_LIMIT_SECONDS: RangeInclusive<u64> = 7_140..=7_320;

/// The idle timeout.
pub const IDLE_TIMEOUT: CloseExplanation = CloseExplanation {
    code: 1001,
    certainty: Likely,
    rows: &["M13", "X4"],
    cause: "No data was sent in either direction for ten minutes, so API Gateway closed the connection.",
    next_step: "Send a small message every few minutes, for example to a `heartbeat` route.",
};

/// The largest age of a connection.
pub const AGE_LIMIT: CloseExplanation = CloseExplanation {
    code: 1001,
    certainty: Likely,
    rows: &["M14", "X4"],
    cause: "The connection reached API Gateway's limit of two hours.",
    next_step: "Reconnect before two hours have passed, at a random time, so that clients do not all reconnect at once. \
                The limit cannot be raised.",
};

/// A DELETE request to @connections.
pub const DELETED: CloseExplanation = CloseExplanation {
    code: 1000,
    certainty: Certain,
    rows: &["M15", "X4"],
    cause: "A DELETE request to @connections closed the connection.",
    next_step: "Look for DeleteConnection in the stack's functions. They may end sessions, remove users, or replace an older login.",
};

/// A code that the reference does not list.
pub const UNLISTED: CloseExplanation = CloseExplanation {
    code: 0,
    certainty: Possible,
    rows: &["X4"],
    cause: "The reference does not list this code.",
    next_step: "Look for it in the client's code, and in proxies in between.",
};

/// Causes of codes that have only one.
const CODES: [CloseExplanation; 6] = [
    CloseExplanation {
        code: 1003,
        certainty: Likely,
        rows: &["M10", "X4"],
        cause: "A binary frame was sent, but WebSocket APIs accept only text.",
        next_step: "Send base64 in a text message. ContentHandlingStrategy determines how the integration receives it.",
    },
    CloseExplanation {
        code: 1006,
        certainty: Likely,
        rows: &["X3"],
        cause: "TCP ended without a close frame. Typical causes are NAT, a proxy, a VPN, sleep, or a server that was killed.",
        next_step: "Send a message every minute, which keeps NAT and proxies from dropping the connection, and reconnect when it is lost.",
    },
    CloseExplanation {
        code: 1008,
        certainty: Likely,
        rows: &["M19", "X4"],
        cause: "The client sent too many requests, so API Gateway closed its connection.",
        next_step: "Send less often, or put several messages into one, and reconnect after a delay that grows.",
    },
    CloseExplanation {
        code: 1009,
        certainty: Certain,
        rows: &["M11", "X4"],
        cause: "A frame of more than 32 KB or a message of more than 128 KB was sent.",
        next_step: "Send smaller messages. Most clients send a message as one frame, so their limit is 32 KB. Store large data \
                    in S3 and send its location.",
    },
    CloseExplanation {
        code: 1011,
        certainty: Possible,
        rows: &["X4"],
        cause: "The server failed. The Developer Guide lists this code for an error inside API Gateway.",
        next_step: "If it happens again, check the proxies in between, and note the connectionId and the time for AWS support.",
    },
    CloseExplanation {
        code: 1012,
        certainty: Likely,
        rows: &["X4"],
        cause: "The server restarts. API Gateway closes connections with this code when it restarts, and the local gateway \
                when it stops.",
        next_step: "Reconnect, after a random delay, so that clients do not all reconnect at once.",
    },
];

impl CloseExplanation {
    /// Returns the cause of a code that has only one.
    pub fn of_code(code: u16) -> Option<CloseExplanation> {
        CODES.into_iter().find(|known| known.code == code)
    }

    /// Returns the first step of the advice, as a part of a sentence.
    pub fn advice(&self) -> String {
        let step = self.next_step.split_once(". ");
        let step = step.map_or(self.next_step, |(step, _)| step);
        let step = step.trim_end_matches('.');
        let first = step.chars().next().into_iter();
        let first = first.flat_map(char::to_lowercase);
        first.chain(step.chars().skip(1)).collect()
    }

    /// Returns the explanation.
    pub fn explanation(&self) -> Explanation {
        Explanation::new(self.certainty, self.rows, self.cause).with_next_step(self.next_step)
    }
}
