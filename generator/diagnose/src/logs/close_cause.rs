//! Why a connection was closed, by the code and the reason that `$disconnect` got, and by its age (rows M10 to M18, X1 to X4).

use std::ops::RangeInclusive;

use stackgen_probe::{Certainty, Explanation};

use super::life::ConnectionLife;
use super::problem::{ConnectionProblem, ProblemSeverity, explanation};

/// Seconds without data that suggest the idle timeout of ten minutes (row M13).
const IDLE_TIMEOUT: RangeInclusive<i64> = 585..=660;

/// Ages in seconds that suggest the limit of two hours (row M14).
const AGE_LIMIT: RangeInclusive<i64> = 7_140..=7_320;

/// A client that closes within this time, in milliseconds, hardly meant to use the connection.
const SHORT: i64 = 10_000;

/// Returns the problem of a connection's end; `None` for an end that is as it should be.
pub(crate) fn close_problem(life: &ConnectionLife) -> Option<ConnectionProblem> {
    let close = life.close.as_ref()?;
    let code = close.code?;
    let age = life.age_ms();
    let facts = CloseFacts {
        reason: &close.reason,
        age,
        is_idle: life
            .idle_ms()
            .is_some_and(|idle| IDLE_TIMEOUT.contains(&(idle / 1000))),
        is_at_age_limit: age.is_some_and(|age| AGE_LIMIT.contains(&(age / 1000))),
        is_short: age.is_some_and(|age| age < SHORT),
    };
    let (severity, cause) = facts.judge(code)?;
    let after = age.map(|age| format!(" after {}", duration_text(age)));
    Some(ConnectionProblem {
        severity,
        summary: format!("closed with {code}{}", after.unwrap_or_default()),
        causes: vec![cause],
    })
}

struct CloseFacts<'a> {
    reason: &'a str,
    age: Option<i64>,
    is_idle: bool,
    is_at_age_limit: bool,
    is_short: bool,
}

/// Cause that a close code alone tells.
struct CodeCause {
    code: u16,
    severity: ProblemSeverity,
    certainty: Certainty,
    row: &'static str,
    cause: &'static str,
    next_step: &'static str,
}

/// Codes whose cause depends on nothing else.
const CODES: [CodeCause; 7] = {
    use Certainty::{Likely, Possible};
    use ProblemSeverity::{Note, Warning};
    [
        CodeCause {
            code: 1003,
            severity: Warning,
            certainty: Likely,
            row: "M10",
            cause: "The client sent a binary frame, and WebSocket APIs accept only text.",
            next_step: "Send base64 in a text message.",
        },
        CodeCause {
            code: 1006,
            severity: Warning,
            certainty: Likely,
            row: "X3",
            cause: "The connection was lost without a close frame: NAT, a proxy, a VPN or a sleeping device.",
            next_step: "Let the client send a message every minute, and reconnect when it loses the connection.",
        },
        CodeCause {
            code: 1008,
            severity: Warning,
            certainty: Likely,
            row: "M19",
            cause: "The client sent too many requests, so API Gateway closed its connection.",
            next_step: "Send less often, or put several messages into one, and reconnect after a delay that grows.",
        },
        CodeCause {
            code: 1009,
            severity: Warning,
            certainty: Likely,
            row: "M11",
            cause: "The client sent a frame of more than 32 KB or a message of more than 128 KB.",
            next_step: "Send smaller messages. Most clients send a message as one frame, so their limit is 32 KB.",
        },
        CodeCause {
            code: 1011,
            severity: Warning,
            certainty: Possible,
            row: "X4",
            cause: "API Gateway had an error of its own.",
            next_step: "Reconnect. If it happens again, give the request IDs to AWS support.",
        },
        CodeCause {
            code: 1012,
            severity: Note,
            certainty: Likely,
            row: "X4",
            cause: "API Gateway, or the local gateway, restarted.",
            next_step: "Reconnect after a random delay.",
        },
        CodeCause {
            code: 0,
            severity: Warning,
            certainty: Possible,
            row: "X4",
            cause: "The reference does not list this code.",
            next_step: "Look for it in the client's code and in proxies in between.",
        },
    ]
};

impl CloseFacts<'_> {
    fn judge(&self, code: u16) -> Option<(ProblemSeverity, Explanation)> {
        match code {
            1000 if self.reason == "Connection Closed Normally" => Some((
                ProblemSeverity::Note,
                explanation(
                    Certainty::Likely,
                    &["M15"],
                    "A DELETE request to @connections closed the connection.",
                    "If it was not meant to end, look for DeleteConnection in the functions.",
                ),
            )),
            1001 => self.going_away(),
            1005 if self.is_short => Some((ProblemSeverity::Warning, self.bare())),
            1005 => Some((ProblemSeverity::Note, self.bare())),
            // A normal end, and codes of the application.
            1000 | 3000..=4999 => None,
            code => {
                let known = CODES.iter().find(|known| known.code == code);
                let cause = known.unwrap_or(&CODES[CODES.len() - 1]);
                let row = std::slice::from_ref(&cause.row);
                let text = explanation(cause.certainty, row, cause.cause, cause.next_step);
                Some((cause.severity, text))
            }
        }
    }

    /// Explains 1001: API Gateway sends it with a reason, a browser without one (row M17).
    fn going_away(&self) -> Option<(ProblemSeverity, Explanation)> {
        if self.is_at_age_limit {
            let cause =
                "The connection reached API Gateway's limit of two hours, which cannot be raised.";
            let next = "Reconnect before two hours have passed, at a random time.";
            let text = explanation(Certainty::Likely, &["M14"], cause, next);
            return Some((ProblemSeverity::Note, text));
        }
        if !self.is_idle && self.reason != "Going away" {
            return None;
        }
        let certainty = match self.is_idle && self.reason == "Going away" {
            true => Certainty::Likely,
            false => Certainty::Possible,
        };
        let cause = "API Gateway closed the connection, because no data was sent in either direction for ten minutes.";
        let next = "Send a small message every few minutes, for example to a `heartbeat` route.";
        let text = explanation(certainty, &["M13"], cause, next);
        Some((ProblemSeverity::Warning, text))
    }

    fn bare(&self) -> Explanation {
        let early = match (self.is_short, self.age) {
            (true, Some(age)) => format!(
                " It did so {} after the connection was opened, as the cleanup of a React effect or a reconnect loop does.",
                duration_text(age)
            ),
            _ => String::new(),
        };
        explanation(
            Certainty::Likely,
            &["X1", "M16"],
            format!(
                "The client called `close()` without a code: its close frame had no status.{early}"
            ),
            "Search the client's code for `close()`. The server is not the cause.",
        )
    }
}

/// Returns a duration with the unit that fits.
pub fn duration_text(millis: i64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let seconds = millis as f64 / 1000.0;
    match millis / 1000 {
        _ if millis < 1000 => format!("{millis} ms"),
        0..60 => format!("{seconds:.1} s"),
        whole @ 60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        whole => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::life::ConnectionClose;

    fn problem(code: u16, reason: &str, age: i64) -> String {
        let life = ConnectionLife {
            opened_at: Some(0),
            close: Some(ConnectionClose {
                at: age,
                code: Some(code),
                reason: reason.to_owned(),
            }),
            ..ConnectionLife::default()
        };
        match close_problem(&life) {
            None => "none".to_owned(),
            Some(problem) => {
                let rows = &problem.causes[0].rows;
                format!(
                    "{:?} {} {}",
                    problem.severity,
                    problem.summary,
                    rows.join(",")
                )
            }
        }
    }

    #[test]
    fn rows_x1_and_m13_to_m17_are_told_apart_by_code_reason_and_age() {
        assert_eq!(
            problem(1005, "Client-side close frame status not set", 1_000),
            "Warning closed with 1005 after 1.0 s X1,M16"
        );
        assert_eq!(
            problem(1005, "", 65_000),
            "Note closed with 1005 after 1 min 5 s X1,M16"
        );
        assert_eq!(
            problem(1001, "Going away", 603_900),
            "Warning closed with 1001 after 10 min 3 s M13"
        );
        assert_eq!(
            problem(1001, "Going away", 7_200_000),
            "Note closed with 1001 after 2 h 0 min M14"
        );
        assert_eq!(problem(1001, "", 30_000), "none");
        assert_eq!(
            problem(1000, "Connection Closed Normally", 5),
            "Note closed with 1000 after 5 ms M15"
        );
        assert_eq!(problem(1000, "", 5), "none");
        assert_eq!(problem(4001, "", 5), "none");
        assert_eq!(
            problem(1006, "", 5),
            "Warning closed with 1006 after 5 ms X3"
        );
    }
}
