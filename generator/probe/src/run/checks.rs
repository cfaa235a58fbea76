//! Compares the plan's expectations with what the probe observed.

use std::future::Future;

use super::ProbeRun;
use crate::connection::{ClosedBy, ConnectionEnd};
use crate::expect::CheckResult;

impl<S: Future<Output = ()>> ProbeRun<'_, S> {
    /// Fills the report's checks.
    pub(super) fn evaluate_expectations(&mut self) {
        let expected = self.plan.expected_status;
        let handshake = self.report.handshake();
        let status = handshake.map(|handshake| handshake.status);
        let accepted = handshake.is_some_and(|handshake| handshake.is_accepted());
        let mut checks = vec![CheckResult {
            expected: format!("the handshake is answered with {expected}"),
            met: status == Some(expected) && (accepted || expected != 101),
            actual: status.map_or("no answer".to_owned(), |status| status.to_string()),
        }];
        for (expected, met) in self.plan.expects.iter().zip(&self.met) {
            checks.push(CheckResult {
                expected: format!(
                    "a message with {} arrives",
                    self.target.secrets().hide(&expected.text())
                ),
                met: met.is_some(),
                actual: match met {
                    Some(at) => format!("after {:.3} s", at.as_secs_f64()),
                    None => format!("{} other messages", self.messages),
                },
            });
        }
        checks.extend(self.check_end().filter(|_| accepted));
        checks.extend(self.report.latency.as_ref().map(|latency| CheckResult {
            expected: "every exchange is answered".to_owned(),
            met: latency.failed == 0 && latency.refused == 0,
            actual: format!("{} answered, {} not", latency.answered, latency.failed),
        }));
        self.report.checks = checks;
    }

    fn check_end(&self) -> Option<CheckResult> {
        let close = self.report.close.as_ref();
        let not_by_client = close.filter(|close| close.by != ClosedBy::Client);
        let actual = |close: Option<&ConnectionEnd>| match (close, self.report.age) {
            (Some(close), Some(age)) => format!("{} after {:.3} s", close.code, age.as_secs_f64()),
            _ => "it stays open".to_owned(),
        };
        match self.plan.expected_close {
            Some(code) => Some(CheckResult {
                expected: format!("the connection ends with {code}"),
                met: not_by_client.is_some_and(|close| close.code == code),
                actual: actual(not_by_client),
            }),
            None => Some(CheckResult {
                expected: "the connection stays open until the client closes it".to_owned(),
                met: not_by_client.is_none(),
                actual: actual(not_by_client),
            }),
        }
    }
}
