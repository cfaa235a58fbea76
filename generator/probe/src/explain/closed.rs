//! Explains the end of a connection by its close code and its age (rows X1 to X4).

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Certainty::{Certain, Likely, Possible};
use super::Explanation;
use crate::connection::{ClosedBy, ConnectionEnd};
use crate::report::{ObservationKind, ProbeReport};

/// Seconds without data that suggest the idle timeout of ten minutes (row M13).
const IDLE_TIMEOUT: RangeInclusive<u64> = 585..=630;

/// Ages in seconds that suggest the limit of two hours (row M14).
const AGE_LIMIT: RangeInclusive<u64> = 7_140..=7_260;

/// Maximum size of a frame in bytes (row M11).
const MAX_FRAME: usize = 32 * 1024;

/// Explains why the server or the network ended the connection. Returns `None` if the client closed it.
pub(super) fn explain(report: &ProbeReport) -> Option<Explanation> {
    let close = report.close.as_ref()?;
    let age = report.age.unwrap_or_default();
    let facts = EndFacts {
        close,
        age,
        idle_time: idle_time(report, age),
        largest_message: largest_message(report),
    };
    let explanation = match (close.by, close.code) {
        (ClosedBy::Client, _) => return None,
        (ClosedBy::Network, _) => facts.lost(),
        (ClosedBy::Server, 1000) => facts.deleted(),
        (ClosedBy::Server, 1001) => facts.going_away(sent_pings(report)),
        (ClosedBy::Server, 1003) => facts.binary(),
        (ClosedBy::Server, 1005) => facts.bare(),
        (ClosedBy::Server, 1008) => facts.too_many(),
        (ClosedBy::Server, 1009) => facts.too_large(),
        (ClosedBy::Server, 1011) => facts.failed(),
        (ClosedBy::Server, 1012) => facts.restart(),
        (ClosedBy::Server, code) => facts.other(code),
    };
    let reason = match close.reason.as_str() {
        "" => String::new(),
        reason => format!(" {reason:?}"),
    };
    let explanation = explanation.with_evidence(format!(
        "{}{reason} at an age of {:.1} s",
        close.code,
        age.as_secs_f64()
    ));
    Some(match facts.idle_time {
        idle if idle != age => {
            explanation.with_evidence(format!("no data for {:.1} s before", idle.as_secs_f64()))
        }
        _ => explanation,
    })
}

/// Facts about the end of a connection.
struct EndFacts<'a> {
    close: &'a ConnectionEnd,
    age: Duration,
    /// Time between the last data in either direction and the end.
    idle_time: Duration,
    /// Size of the largest message that the client sent.
    largest_message: usize,
}

impl EndFacts<'_> {
    fn is_idle_timeout(&self) -> bool {
        IDLE_TIMEOUT.contains(&self.idle_time.as_secs())
    }

    fn is_at_age_limit(&self) -> bool {
        AGE_LIMIT.contains(&self.age.as_secs())
    }

    fn deleted(&self) -> Explanation {
        Explanation::new(
            Certain,
            &["M15", "X4"],
            "A DELETE request to @connections closed the connection.",
        )
        .with_next_step("Look for DeleteConnection in the stack's functions. They may end sessions, remove users, or replace an older login.")
    }

    fn going_away(&self, sent_pings: bool) -> Explanation {
        if self.is_at_age_limit() {
            return Explanation::new(
                Likely,
                &["M14", "X4"],
                "The connection reached API Gateway's limit of two hours.",
            )
            .with_next_step(
                "Reconnect before two hours have passed, at a random time, so that clients do not all reconnect at once. \
                 The limit cannot be raised.",
            );
        }
        if self.is_idle_timeout() {
            let (rows, pings): (&[_], _) = match sent_pings {
                true => (
                    &["M13", "M12", "X4"],
                    " Pings did not prevent it; AWS does not document whether they count.",
                ),
                false => (&["M13", "X4"], ""),
            };
            let cause = format!(
                "No data was sent in either direction for ten minutes, so API Gateway closed the connection.{pings}"
            );
            return Explanation::new(Likely, rows, cause).with_next_step(
                "Send a small message every few minutes, for example to a `heartbeat` route.",
            );
        }
        Explanation::new(
            Possible,
            &["M13", "X4"],
            "The server is going away. API Gateway closes idle connections with this code, and other servers use it \
             when they stop. The age matches neither ten minutes without data nor two hours.",
        )
        .with_next_step(
            "For the local gateway, check whether it runs with a short `--idle-timeout`. For AWS, compare with the \
             $disconnect log.",
        )
    }

    fn too_many(&self) -> Explanation {
        Explanation::new(
            Likely,
            &["M19", "X4"],
            "The client sent too many requests, so API Gateway closed its connection.",
        )
        .with_next_step("Send less often, or put several messages into one, and reconnect after a delay that grows.")
    }

    fn restart(&self) -> Explanation {
        Explanation::new(
            Likely,
            &["X4"],
            "The server restarts. API Gateway closes connections with this code when it restarts, and the local gateway \
             when it stops.",
        )
        .with_next_step("Reconnect, after a random delay, so that clients do not all reconnect at once.")
    }

    fn binary(&self) -> Explanation {
        Explanation::new(Likely, &["M10", "X4"], "A binary frame was sent, but WebSocket APIs accept only text.")
            .with_next_step("Send base64 in a text message. ContentHandlingStrategy determines how the integration receives it.")
    }

    fn bare(&self) -> Explanation {
        Explanation::new(
            Likely,
            &["X1"],
            "The server's close frame has no status. API Gateway always sends one, so something else closed the \
             connection.",
        )
        .with_next_step(
            "Check the proxies in between. A 1005 in a $disconnect log has another cause: the client called `close()` \
             without a code.",
        )
    }

    fn too_large(&self) -> Explanation {
        Explanation::new(
            Certain,
            &["M11", "X4"],
            "A frame of more than 32 KB or a message of more than 128 KB was sent.",
        )
        .with_evidence(format!("the largest message had {} bytes", self.largest_message))
        .with_next_step(
            "Send smaller messages. Most clients send a message as one frame, so their limit is 32 KB. Store large data \
             in S3 and send its location.",
        )
    }

    fn failed(&self) -> Explanation {
        Explanation::new(
            Possible,
            &["X4"],
            "The server failed. The Developer Guide lists this code for an error inside API Gateway.",
        )
        .with_next_step("If it happens again, check the proxies in between, and note the connectionId and the time for AWS support.")
    }

    fn other(&self, code: u16) -> Explanation {
        let cause = match code {
            1002 | 1007 | 1010 => "The server reports a violation of the WebSocket protocol.",
            1013 => "The server is overloaded. API Gateway is not known to send this code.",
            3000..=4999 => {
                "This is an application's own code. API Gateway cannot send one, so something else closed the connection."
            }
            _ => "The reference does not list this code.",
        };
        Explanation::new(Possible, &["X4"], cause).with_next_step(
            "Check whether API Gateway answers at this URL, and look for proxies in between.",
        )
    }

    fn lost(&self) -> Explanation {
        if self.is_at_age_limit() {
            return Explanation::new(
                Likely,
                &["X3", "M14"],
                "TCP ended without a close frame at the age of API Gateway's limit of two hours.",
            )
            .with_next_step("Reconnect before two hours have passed. The limit cannot be raised.");
        }
        if self.is_idle_timeout() {
            return Explanation::new(
                Likely,
                &["X3", "M13"],
                "TCP ended without a close frame after ten minutes without data, when API Gateway closes idle connections.",
            )
            .with_next_step("Send a small message every few minutes, for example to a `heartbeat` route.");
        }
        if self.largest_message > MAX_FRAME {
            return Explanation::new(
                Possible,
                &["M11", "X3"],
                "TCP ended without a close frame after a message of more than 32 KB. A close frame with 1009 may have been lost.",
            )
            .with_evidence(format!("the largest message had {} bytes", self.largest_message))
            .with_next_step("Send less than 32 KB per frame.");
        }
        Explanation::new(
            Likely,
            &["X3"],
            "TCP ended without a close frame. Typical causes are NAT, a proxy, a VPN, sleep, or a server that was killed.",
        )
        .with_evidence(format!("network error: {}", self.close.reason))
        .with_next_step(
            "Compare this age with the one in the $disconnect log. If the connection lived longer there, something in \
             between dropped it; a message every minute keeps NAT and proxies from doing so.",
        )
    }
}

/// Returns the time between the last data in either direction and the end (row M13). Pings do not count as data.
fn idle_time(report: &ProbeReport, age: Duration) -> Duration {
    let data = report.observations.iter().rev().find(|observation| {
        matches!(
            observation.kind,
            ObservationKind::Sent { .. }
                | ObservationKind::Received { .. }
                | ObservationKind::Binary { .. }
        )
    });
    data.map_or(age, |data| age.saturating_sub(data.at))
}

fn sent_pings(report: &ProbeReport) -> bool {
    let mut observations = report.observations.iter();
    observations.any(|observation| matches!(observation.kind, ObservationKind::PingSent))
}

fn largest_message(report: &ProbeReport) -> usize {
    let sent = report
        .observations
        .iter()
        .filter_map(|observation| match observation.kind {
            ObservationKind::Sent { bytes, .. } => Some(bytes),
            _ => None,
        });
    sent.max().unwrap_or_default()
}
