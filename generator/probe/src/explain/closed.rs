//! How a connection ended: codes and ages (rows X1 to X4).

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Certainty::{Certain, Likely, Possible};
use super::Explanation;
use crate::connection::{Close, Side};
use crate::report::{Report, Seen};

/// Seconds without data that look like the ten minutes of row M13.
const IDLE: RangeInclusive<u64> = 585..=630;

/// Seconds of age that look like the two hours of row M14.
const LIMIT: RangeInclusive<u64> = 7_140..=7_260;

/// The largest frame (row M11).
const FRAME: usize = 32 * 1024;

/// Why the other side, or the network, ended it; nothing when this side did.
pub(super) fn explain(report: &Report) -> Option<Explanation> {
    let close = report.close.as_ref()?;
    let age = report.age.unwrap_or_default();
    let ended = Ended {
        close,
        age,
        quiet: quiet(report, age),
        largest: largest(report),
    };
    let explanation = match (close.by, close.code) {
        (Side::Client, _) => return None,
        (Side::Network, _) => ended.lost(),
        (Side::Server, 1000) => ended.deleted(),
        (Side::Server, 1001) => ended.going_away(pinged(report)),
        (Side::Server, 1003) => ended.binary(),
        (Side::Server, 1005) => ended.bare(),
        (Side::Server, 1009) => ended.too_large(),
        (Side::Server, 1011) => ended.failed(),
        (Side::Server, code) => ended.other(code),
    };
    let reason = match close.reason.as_str() {
        "" => String::new(),
        reason => format!(" {reason:?}"),
    };
    let explanation = explanation.seen(format!(
        "{}{reason} at an age of {:.1} s",
        close.code,
        age.as_secs_f64()
    ));
    Some(match ended.quiet {
        quiet if quiet != age => {
            explanation.seen(format!("no data for {:.1} s before", quiet.as_secs_f64()))
        }
        _ => explanation,
    })
}

struct Ended<'a> {
    close: &'a Close,
    age: Duration,
    /// How long before its end data went one way or the other.
    quiet: Duration,
    /// The largest message that was sent.
    largest: usize,
}

impl Ended<'_> {
    fn idle(&self) -> bool {
        IDLE.contains(&self.quiet.as_secs())
    }

    fn old(&self) -> bool {
        LIMIT.contains(&self.age.as_secs())
    }

    fn deleted(&self) -> Explanation {
        Explanation::new(
            Certain,
            &["M15", "X4"],
            "The connection was deleted on purpose, by a DELETE @connections.",
        )
        .next("Look for DeleteConnection in the functions of the stack: ended sessions, kicked users, a second login.")
    }

    fn going_away(&self, pinged: bool) -> Explanation {
        if self.old() {
            return Explanation::new(
                Likely,
                &["M14", "X4"],
                "The connection reached API Gateway's limit of two hours.",
            )
            .next("Connect anew before that: nothing lengthens it. Let clients do so at random times.");
        }
        if self.idle() {
            let (rows, pings): (&[_], _) = match pinged {
                true => (
                    &["M13", "M12", "X4"],
                    " Pings did not help here; whether they count is not documented.",
                ),
                false => (&["M13", "X4"], ""),
            };
            let cause = format!(
                "Nothing was sent either way for ten minutes, and API Gateway closed the connection.{pings}"
            );
            return Explanation::new(Likely, rows, cause)
                .next("Send a small message every few minutes, such as to a `heartbeat` route.");
        }
        Explanation::new(
            Possible,
            &["M13", "X4"],
            "The server went away: API Gateway says so to idle connections, and servers when they stop. The age fits \
             neither ten minutes without data nor two hours.",
        )
        .next("With the local gateway: was it stopped, or was `--idle-timeout` made shorter? Otherwise compare with the $disconnect log.")
    }

    fn binary(&self) -> Explanation {
        Explanation::new(Likely, &["M10", "X4"], "A binary frame was sent, and WebSocket APIs take text alone.")
            .next("Send base64 in a text message. ContentHandlingStrategy decides how the integration gets it.")
    }

    fn bare(&self) -> Explanation {
        Explanation::new(
            Likely,
            &["X1"],
            "The server's close frame has no status. API Gateway always sends one, so something else closed it.",
        )
        .next(
            "Look at proxies in between. In a $disconnect log, 1005 means the other way round: the client called \
             `close()` without a code.",
        )
    }

    fn too_large(&self) -> Explanation {
        Explanation::new(
            Certain,
            &["M11", "X4"],
            "A frame of more than 32 KB or a message of more than 128 KB was sent.",
        )
        .seen(format!("the largest message had {} bytes", self.largest))
        .next(
            "Send less at a time. Most clients send a message as one frame, so 32 KB is the limit for them; keep large \
             data in S3 and send where it is.",
        )
    }

    fn failed(&self) -> Explanation {
        Explanation::new(
            Possible,
            &["X4"],
            "The server failed. The reference knows no case in which API Gateway itself says so.",
        )
        .next("If it comes again, look at what stands in between, and note connectionId and time for AWS support.")
    }

    fn other(&self, code: u16) -> Explanation {
        let cause = match code {
            1002 | 1007 | 1010 => {
                "One side did not like what the other sent: the WebSocket protocol was broken."
            }
            1008 => "The server refuses by a policy of its own. API Gateway has no such close.",
            1012 | 1013 => "The server restarts or is overloaded. API Gateway has no such close.",
            3000..=4999 => {
                "An application's own code. API Gateway cannot send one, so something else closed it."
            }
            _ => "The reference does not know this code.",
        };
        Explanation::new(Possible, &["X4"], cause)
            .next("Is it API Gateway that answers at this URL? Look at what stands in between.")
    }

    fn lost(&self) -> Explanation {
        if self.old() {
            return Explanation::new(
                Likely,
                &["X3", "M14"],
                "TCP ended without a close frame at the age of API Gateway's limit of two hours.",
            )
            .next("Connect anew before that: nothing lengthens it.");
        }
        if self.idle() {
            return Explanation::new(
                Likely,
                &["X3", "M13"],
                "TCP ended without a close frame after ten minutes without data, which is when API Gateway closes.",
            )
            .next("Send a small message every few minutes, such as to a `heartbeat` route.");
        }
        if self.largest > FRAME {
            return Explanation::new(
                Possible,
                &["M11", "X3"],
                "TCP ended without a close frame after a message of more than 32 KB; its 1009 may have been lost.",
            )
            .seen(format!("the largest message had {} bytes", self.largest))
            .next("Send less than 32 KB in a frame.");
        }
        Explanation::new(
            Likely,
            &["X3"],
            "TCP was lost without a close frame: NAT, a proxy, a VPN, sleep, or a server that was killed.",
        )
        .seen(format!("the network says: {}", self.close.reason))
        .next(
            "Compare this age with the server's in the $disconnect log. If the server thinks that the connection lived \
             on, the loss is in between; a message every minute keeps NAT and proxies awake.",
        )
    }
}

/// How long before the end data last went one way or the other (row M13); pings are not data.
fn quiet(report: &Report, age: Duration) -> Duration {
    let data = report.observations.iter().rev().find(|observation| {
        matches!(
            observation.seen,
            Seen::Sent { .. } | Seen::Received { .. } | Seen::Binary { .. }
        )
    });
    data.map_or(age, |data| age.saturating_sub(data.at))
}

fn pinged(report: &Report) -> bool {
    let mut observations = report.observations.iter();
    observations.any(|observation| matches!(observation.seen, Seen::PingSent))
}

fn largest(report: &Report) -> usize {
    let sent = report
        .observations
        .iter()
        .filter_map(|observation| match observation.seen {
            Seen::Sent { bytes, .. } => Some(bytes),
            _ => None,
        });
    sent.max().unwrap_or_default()
}
