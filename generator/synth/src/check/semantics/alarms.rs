//! Alarms.

use std::collections::BTreeMap;

use super::{SpecChecker, words};
use crate::LocatedError;
use crate::render::built_in_names;
use crate::spec::{AlarmSpec, AlarmsSpec, Duration, MetricAlarmSpec};

/// Maximum number of actions of an alarm (a CloudWatch quota).
const MAX_ACTIONS: usize = 5;
/// Maximum number of dimensions of a metric (a CloudWatch quota).
const MAX_DIMENSIONS: usize = 30;
const HOUR: Duration = Duration::from_millis(3_600_000);
const DAY: Duration = Duration::from_millis(86_400_000);
const WEEK: Duration = Duration::from_millis(7 * 86_400_000);
/// Default period of an alarm.
const DEFAULT_PERIOD: Duration = Duration::from_millis(300_000);

impl SpecChecker<'_> {
    pub(super) fn alarms(&mut self) {
        let Some(alarms) = &self.spec.alarms else {
            return;
        };
        let actions = alarms.actions.len();
        if actions > MAX_ACTIONS {
            let span = self.spans.key(&["alarms", "actions"]);
            let message = format!("{actions} actions; an alarm can have at most {MAX_ACTIONS}");
            self.report(
                LocatedError::new(span, message).hint("use one SNS topic with many subscribers"),
            );
        }
        self.metric_alarms(&alarms.metrics);
        self.alarm_names(alarms);
        let of_websocket = [
            (
                "websocketIntegrationErrors",
                alarms.websocket_integration_errors,
            ),
            (
                "websocketExecutionErrors",
                alarms.websocket_execution_errors,
            ),
            ("websocketClientErrors", alarms.websocket_client_errors),
        ]
        .map(|(name, alarm)| (name, alarm, "websocket"));
        let of_others = [
            ("functionErrors", alarms.function_errors, "functions"),
            ("functionThrottles", alarms.function_throttles, "functions"),
            ("httpServerErrors", alarms.http_server_errors, "http"),
            ("tableThrottles", alarms.table_throttles, "tables"),
        ];
        for (name, alarm, section) in of_websocket.into_iter().chain(of_others) {
            let Some(alarm) = alarm else {
                continue;
            };
            self.period(&["alarms", name], alarm);
            if !self.has(section) {
                let subject = match section {
                    "functions" | "tables" => section,
                    _ => "an API",
                };
                let message = format!("`{name}` monitors {subject} that the stack does not have");
                let span = self.spans.key(&["alarms", name]);
                self.report(
                    LocatedError::new(span, message).hint(format!("remove it, or add `{section}`")),
                );
            }
        }
    }

    /// Reports alarms that would get the same name. CloudWatch has only one alarm of a name.
    fn alarm_names(&mut self, alarms: &AlarmsSpec) {
        let mut taken = BTreeMap::new();
        for (name, key) in built_in_names(self.spec, alarms) {
            let span = self.spans.key(&["alarms", key]);
            match taken.get(&name) {
                None => {
                    taken.insert(name, span);
                }
                Some(other) => {
                    let message = format!("two alarms get the name `{name}`");
                    let error = LocatedError::new(span, message).related(*other, "the other one");
                    self.report(error.hint("rename the function or the table"));
                }
            }
        }
        for name in alarms.metrics.keys() {
            if let Some(other) = taken.get(name) {
                let span = self.spans.key(&["alarms", "metrics", name]);
                let message = format!("another alarm has the name `{name}`");
                let error = LocatedError::new(span, message).related(*other, "declared here");
                self.report(error.hint("give this alarm another name"));
            }
        }
    }

    /// Checks the alarms on metrics of functions.
    fn metric_alarms(&mut self, metrics: &BTreeMap<String, MetricAlarmSpec>) {
        for (name, alarm) in metrics {
            let path = ["alarms", "metrics", name.as_str()];
            self.period(
                &path,
                AlarmSpec {
                    threshold: 1,
                    period: alarm.period,
                    evaluation_periods: alarm.evaluation_periods,
                },
            );
            if let Some(function) = &alarm.function {
                let path = ["alarms", "metrics", name, "function"];
                self.has_function(self.spans.value(&path), function);
                if alarm.dimensions.contains_key("FunctionName") {
                    let span =
                        self.spans
                            .key(&["alarms", "metrics", name, "dimensions", "FunctionName"]);
                    let error = LocatedError::new(
                        span,
                        "`function` already sets the dimension `FunctionName`",
                    );
                    self.report(error.hint("remove one of them"));
                }
            }
            let count = alarm.dimensions.len() + usize::from(alarm.function.is_some());
            if count > MAX_DIMENSIONS {
                let span = self.spans.key(&["alarms", "metrics", name, "dimensions"]);
                let message =
                    format!("{count} dimensions; a metric can have at most {MAX_DIMENSIONS}");
                self.report(LocatedError::new(span, message));
            }
        }
    }

    /// Checks the period and the number of periods. CloudWatch evaluates at most one day, or seven days if the period
    /// is an hour or more.
    fn period(&mut self, alarm_path: &[&str], alarm: AlarmSpec) {
        let path: Vec<&str> = alarm_path.iter().copied().chain(["period"]).collect();
        let period = alarm.period.unwrap_or(DEFAULT_PERIOD);
        if period.millis() == 0 || !period.millis().is_multiple_of(60_000) {
            let span = self.spans.value(&path);
            self.report(
                LocatedError::new(span, "an alarm's period must be a multiple of one minute")
                    .hint("write `1m` or `5m`"),
            );
            return;
        }
        let most = if period >= HOUR { WEEK } else { DAY };
        let periods = u64::from(alarm.evaluation_periods.unwrap_or(1));
        if period.millis().saturating_mul(periods) > most.millis() {
            let span = self.spans.key(alarm_path);
            let message = format!(
                "{periods} periods of {} are longer than an alarm can evaluate",
                words(period)
            );
            self.report(LocatedError::new(span, message).hint(
                "keep `period` times `evaluationPeriods` within one day, or within seven days if the period is an \
                 hour or more",
            ));
        }
    }
}
