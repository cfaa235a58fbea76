//! Why a connection was closed, by the code and the reason that `$disconnect` got, and by its age (rows M10 to M18, X1 to X4).

use std::ops::RangeInclusive;

use stackgen_probe::{
    AGE_LIMIT, AGE_LIMIT_SECONDS, Certainty, CloseExplanation, DELETED, Explanation, IDLE_SECONDS,
    IDLE_TIMEOUT, UNLISTED,
};

use super::life::ConnectionLife;
use super::problem::{ConnectionProblem, ProblemSeverity, explanation};

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
        is_idle: is_in(life.idle_ms(), IDLE_SECONDS),
        is_at_age_limit: is_in(age, AGE_LIMIT_SECONDS),
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

/// True if milliseconds are within a range of seconds.
fn is_in(millis: Option<i64>, seconds: RangeInclusive<u64>) -> bool {
    let millis = millis.and_then(|millis| u64::try_from(millis).ok());
    millis.is_some_and(|millis| seconds.contains(&(millis / 1000)))
}

struct CloseFacts<'a> {
    reason: &'a str,
    age: Option<i64>,
    is_idle: bool,
    is_at_age_limit: bool,
    is_short: bool,
}

impl CloseFacts<'_> {
    fn judge(&self, code: u16) -> Option<(ProblemSeverity, Explanation)> {
        match code {
            1000 if self.reason == "Connection Closed Normally" => {
                Some((ProblemSeverity::Note, DELETED.explanation()))
            }
            1001 => self.going_away(),
            1005 if self.is_short => Some((ProblemSeverity::Warning, self.bare())),
            1005 => Some((ProblemSeverity::Note, self.bare())),
            // A normal end, and codes of the application.
            1000 | 3000..=4999 => None,
            code => {
                let cause = CloseExplanation::of_code(code).unwrap_or(UNLISTED);
                let severity = match code {
                    1012 => ProblemSeverity::Note,
                    _ => ProblemSeverity::Warning,
                };
                Some((severity, cause.explanation()))
            }
        }
    }

    /// Explains 1001: API Gateway sends it with a reason, a browser without one (row M17).
    fn going_away(&self) -> Option<(ProblemSeverity, Explanation)> {
        if self.is_at_age_limit {
            return Some((ProblemSeverity::Note, AGE_LIMIT.explanation()));
        }
        if !self.is_idle && self.reason != "Going away" {
            return None;
        }
        let mut text = IDLE_TIMEOUT.explanation();
        if !(self.is_idle && self.reason == "Going away") {
            text.certainty = Certainty::Possible;
        }
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
            "Warning closed with 1001 after 10 min 3 s M13,X4"
        );
        assert_eq!(
            problem(1001, "Going away", 7_200_000),
            "Note closed with 1001 after 2 h 0 min M14,X4"
        );
        assert_eq!(problem(1001, "", 30_000), "none");
        assert_eq!(
            problem(1000, "Connection Closed Normally", 5),
            "Note closed with 1000 after 5 ms M15,X4"
        );
        assert_eq!(problem(1000, "", 5), "none");
        assert_eq!(problem(4001, "", 5), "none");
        assert_eq!(
            problem(1006, "", 5),
            "Warning closed with 1006 after 5 ms X3"
        );
    }
}
