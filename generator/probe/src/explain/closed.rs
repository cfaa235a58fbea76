//! Explains the end of a connection by its close code and its age (rows X1 to X4).

use std::time::Duration;

use super::Certainty::{Likely, Possible};
use super::Explanation;
use super::codes::{
    AGE_LIMIT, AGE_LIMIT_SECONDS, CloseExplanation, DELETED, IDLE_SECONDS, IDLE_TIMEOUT, UNLISTED,
};
use crate::connection::{ClosedBy, ConnectionEnd};
use crate::report::{ObservationKind, ProbeReport};

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
        (ClosedBy::Server, 1000) => DELETED.explanation(),
        (ClosedBy::Server, 1001) => facts.going_away(sent_pings(report)),
        (ClosedBy::Server, 1005) => facts.bare(),
        (ClosedBy::Server, 1009) => facts.too_large(),
        (ClosedBy::Server, code) => match CloseExplanation::of_code(code) {
            Some(cause) => cause.explanation(),
            None => other(code),
        },
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
        IDLE_SECONDS.contains(&self.idle_time.as_secs())
    }

    fn is_at_age_limit(&self) -> bool {
        AGE_LIMIT_SECONDS.contains(&self.age.as_secs())
    }

    fn going_away(&self, sent_pings: bool) -> Explanation {
        if self.is_at_age_limit() {
            return AGE_LIMIT.explanation();
        }
        if self.is_idle_timeout() {
            let cause = IDLE_TIMEOUT.cause;
            return match sent_pings {
                true => Explanation::new(
                    IDLE_TIMEOUT.certainty,
                    &["M13", "M12", "X4"],
                    format!("{cause} Pings did not prevent it; AWS does not document whether they count."),
                )
                .with_next_step(IDLE_TIMEOUT.next_step),
                false => IDLE_TIMEOUT.explanation(),
            };
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
        let cause = CloseExplanation::of_code(1009).unwrap_or(UNLISTED);
        let size = format!("the largest message had {} bytes", self.largest_message);
        cause.explanation().with_evidence(size)
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
        let cause = CloseExplanation::of_code(1006).unwrap_or(UNLISTED);
        cause
            .explanation()
            .with_evidence(format!("network error: {}", self.close.reason))
        .with_next_step(
            "Compare this age with the one in the $disconnect log. If the connection lived longer there, something in \
             between dropped it; a message every minute keeps NAT and proxies from doing so.",
        )
    }
}

fn other(code: u16) -> Explanation {
    let cause = match code {
        1002 | 1007 | 1010 => "The server reports a violation of the WebSocket protocol.",
        1013 => "The server is overloaded. API Gateway is not known to send this code.",
        3000..=4999 => {
            "This is an application's own code. API Gateway cannot send one, so something else closed the connection."
        }
        _ => UNLISTED.cause,
    };
    Explanation::new(UNLISTED.certainty, UNLISTED.rows, cause).with_next_step(
        "Check whether API Gateway answers at this URL, and look for proxies in between.",
    )
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
