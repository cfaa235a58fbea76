//! Reading the closes of connections from logs.
//!
//! The access log has all disconnects, and the age of a connection: the time of its `$disconnect`, and `connectedAt`. The close
//! code is only in the event of `$disconnect` (row E3), so the log of its function has it, if the function logs it, and the
//! execution log.

use std::collections::BTreeMap;
use std::time::Duration;

use stackgen_deploy::account::ApiPartKind;
use stackgen_deploy::{DeployError, FunctionName};

use super::{ExaminedAccount, Gatherer};
use crate::doctor::checks::invocations;
use crate::doctor::evidence::{ClosedConnection, ClosedConnections};
use crate::doctor::part::EvidencePart;
use crate::doctor::ports::{FoundLines, LogSearch, LoggedLine};
use crate::doctor::reader::EvidenceReader;
use crate::logs::{
    AccessEvent, AccessFormat, ExecutionLevel, LineFact, LogSource, SourceKind, StageLogSettings,
    parse_line,
};

/// Largest number of lines of one log.
const MOST_LINES: usize = 1_000;

/// A log of closes: its source, and a text that its lines about them contain.
struct CloseLog {
    source: LogSource,
    word: &'static str,
    /// True if every disconnect has a line.
    lists_disconnects: bool,
}

impl CloseLog {
    /// Log of a function, whose code decides what it contains.
    fn of_function(function: &FunctionName, group: &str) -> Self {
        CloseLog {
            source: LogSource::new(function.as_str(), group, SourceKind::Function),
            word: "connectionId",
            lists_disconnects: false,
        }
    }

    fn access(group: &str, format: &str) -> Self {
        let format = AccessFormat::parse(format);
        let word = match format.is_empty() || format.has("eventType") {
            true => "DISCONNECT",
            false => "$disconnect",
        };
        let has_event = format.has("eventType") || format.has("routeKey");
        CloseLog {
            word,
            lists_disconnects: has_event && format.has("connectionId"),
            source: LogSource::new("access", group, SourceKind::Access(format)),
        }
    }

    fn execution(group: &str, settings: &StageLogSettings) -> Self {
        CloseLog {
            source: LogSource::new("execution", group, SourceKind::Execution),
            word: "Close reason",
            lists_disconnects: settings.execution_level == ExecutionLevel::Info
                && !settings.execution_differs,
        }
    }
}

impl<A: ExaminedAccount> Gatherer<'_, A> {
    pub(super) async fn closes(
        &self,
        evidence: &EvidenceReader<'_>,
    ) -> Result<ClosedConnections, DeployError> {
        let mut collector = CloseCollector::default();
        if self.needs(EvidencePart::Logs) {
            for log in close_logs(evidence) {
                let lines = self.lines(&log).await?;
                collector.add_log(&log, lines.as_ref());
            }
            self.done(EvidencePart::Logs, evidence);
        }
        Ok(collector.finish())
    }

    /// Returns the lines of a log; `None` if it does not exist or cannot be read.
    async fn lines(&self, log: &CloseLog) -> Result<Option<FoundLines>, DeployError> {
        let search = LogSearch {
            group: log.source.group.clone(),
            pattern: format!("\"{}\"", log.word),
            since: (self.ctx.now)() - self.request.since,
            limit: MOST_LINES,
        };
        let found = self
            .find(EvidencePart::Logs, || self.account.log_lines(&search))
            .await?;
        Ok(found.flatten())
    }
}

/// Returns the logs that tell how connections closed.
fn close_logs(evidence: &EvidenceReader<'_>) -> Vec<CloseLog> {
    let mut logs = Vec::new();
    if let Some(function) = disconnect_function(evidence) {
        let details = evidence.functions().get(&function);
        let group = details.and_then(|facts| facts.details.as_ref()?.log_group.clone());
        let group = group.unwrap_or_else(|| format!("/aws/lambda/{function}"));
        logs.push(CloseLog::of_function(&function, &group));
    }
    let Some(settings) = evidence.stage().map(|stage| &stage.logs) else {
        return logs;
    };
    if let Some(group) = settings.access_log_group() {
        let format = settings.access_log_format.as_deref().unwrap_or_default();
        logs.push(CloseLog::access(group, format));
    }
    if settings.has_execution_log() {
        let group = LogSource::execution_group(&evidence.api().id, evidence.stage_name());
        logs.push(CloseLog::execution(&group, settings));
    }
    logs
}

/// Returns the function of `$disconnect`.
fn disconnect_function(evidence: &EvidenceReader<'_>) -> Option<FunctionName> {
    let description = evidence.wiring()?;
    let mut parts = description.parts.iter();
    let route = parts.find(|part| part.text("RouteKey") == Some("$disconnect"))?;
    let target = route.text("Target")?.strip_prefix("integrations/")?;
    let all = invocations(description, evidence);
    let mut of_route = all
        .into_iter()
        .filter(|one| one.part.kind == ApiPartKind::Integration);
    let of_route = of_route.find(|one| one.part.id == target)?;
    Some(of_route.function.function)
}

/// Collects the closes of all logs by connection. `$disconnect` may be invoked more than once for one.
#[derive(Default)]
struct CloseCollector {
    closes: BTreeMap<String, ClosedConnection>,
    lists_disconnects: bool,
    has_ages: bool,
    is_cut_off: bool,
    lacks_lines: bool,
}

impl CloseCollector {
    /// Adds the lines of a log; `None` if it does not exist or cannot be read.
    fn add_log(&mut self, log: &CloseLog, found: Option<&FoundLines>) {
        let Some(found) = found else {
            return;
        };
        let mut lists_disconnects = log.lists_disconnects;
        if let SourceKind::Access(format) = &log.source.kind {
            self.has_ages |= log.lists_disconnects && format.has("connectedAt");
        }
        for line in &found.lines {
            // The format of lines may be unknown, or have changed.
            lists_disconnects |= self.add(&log.source, line);
        }
        self.lists_disconnects |= lists_disconnects;
        self.is_cut_off |= lists_disconnects && found.is_cut_off;
        self.lacks_lines |= found.is_cut_off;
    }

    /// Adds a line. Returns true if it is the access log's line about a disconnect.
    fn add(&mut self, source: &LogSource, line: &LoggedLine) -> bool {
        let parsed = parse_line(source, &line.message);
        let Some(id) = &parsed.connection else {
            return false;
        };
        match &parsed.fact {
            LineFact::Closed(close) => {
                self.closes.entry(id.to_string()).or_default().code = Some(close.code);
                false
            }
            LineFact::Access(record) if record.event() == Some(AccessEvent::Disconnect) => {
                let ended = i64::try_from(line.at.unix_timestamp_nanos() / 1_000_000).ok();
                let connected = record.connected_at;
                let age = ended.zip(connected).and_then(|(ended, connected)| {
                    let age = u64::try_from(ended - connected).ok()?;
                    Some(Duration::from_millis(age))
                });
                self.has_ages |= age.is_some();
                let close = self.closes.entry(id.to_string()).or_default();
                close.age = close.age.or(age);
                true
            }
            _ => false,
        }
    }

    fn finish(self) -> ClosedConnections {
        ClosedConnections {
            closes: self.closes.into_values().collect(),
            lists_disconnects: self.lists_disconnects,
            has_ages: self.has_ages,
            is_cut_off: self.is_cut_off,
            lacks_lines: self.lacks_lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use stackgen_deploy::OffsetDateTime;

    use super::*;

    fn line(at: i64, message: &str) -> LoggedLine {
        LoggedLine {
            at: OffsetDateTime::from_unix_timestamp(at).unwrap(),
            message: message.to_owned(),
        }
    }

    fn complete(lines: impl IntoIterator<Item = LoggedLine>) -> FoundLines {
        FoundLines {
            lines: lines.into_iter().collect(),
            is_cut_off: false,
        }
    }

    #[test]
    fn closes_of_all_logs_are_joined_by_connection() {
        let mut collector = CloseCollector::default();
        let lines = [
            line(
                1_601,
                r#"{"message":"Connection closed","code":1001,"reason":"Going away","routeKey":"$disconnect","connectionId":"L0SM9cOFvHcCIha="}"#,
            ),
            line(
                1_602,
                r#"2026 INFO {"requestContext":{"connectionId":"L0SM9cOFvHcCIhb=","disconnectStatusCode":1005}}"#,
            ),
            line(1_602, r#"{"connectionId":"L0SM9cOFvHcCIhb=","code":200}"#),
            line(
                1_603,
                r#"{"connectionId":"L0SM9cOFvHcCIhc=","closeCode":1006}"#,
            ),
            line(1_603, r#"{"closeCode":1006}"#),
        ];
        let function = CloseLog::of_function(&FunctionName::new("chat"), "chat");
        collector.add_log(&function, Some(&complete(lines)));
        let accesses = [
            line(1_601, "DISCONNECT L0SM9cOFvHcCIha= 1000000"),
            line(1_602, "DISCONNECT L0SM9cOFvHcCIhb= 1600500"),
            line(1_604, "DISCONNECT L0SM9cOFvHcCIhd= 1600500"),
            line(1_603, "of another format"),
        ];
        let format = "$context.eventType $context.connectionId $context.connectedAt";
        collector.add_log(
            &CloseLog::access("access", format),
            Some(&complete(accesses)),
        );
        let execution = CloseLog::execution("execution", &StageLogSettings::default());
        let lines = [line(
            1_603,
            "(R=) Client [Connection Id: L0SM9cOFvHcCIhe=] disconnected from API [a1]. Close reason: [1000: bye]",
        )];
        collector.add_log(&execution, Some(&complete(lines)));
        let found = collector.finish();
        assert!(found.lists_disconnects && found.has_ages);
        let closes = found.closes.iter();
        let closes: Vec<_> = closes
            .map(|one| (one.code, one.age.map(|age| age.as_millis())))
            .collect();
        assert_eq!(
            closes,
            [
                (Some(1001), Some(601_000)),
                (Some(1005), Some(1_500)),
                (Some(1006), None),
                (None, Some(3_500)),
                (Some(1000), None)
            ]
        );
    }

    #[test]
    fn a_log_tells_what_its_format_contains() {
        let tells = |format: &str, lines: Option<&FoundLines>| {
            let mut collector = CloseCollector::default();
            collector.add_log(&CloseLog::access("access", format), lines);
            let found = collector.finish();
            (found.lists_disconnects, found.has_ages)
        };
        let all = "$context.routeKey $context.connectionId $context.connectedAt";
        assert_eq!(tells(all, Some(&complete([]))), (true, true));
        assert_eq!(tells(all, None), (false, false));
        let without_age = "$context.eventType $context.connectionId";
        assert_eq!(tells(without_age, Some(&complete([]))), (true, false));
        assert_eq!(
            tells("$context.requestId", Some(&complete([]))),
            (false, false)
        );
    }

    #[test]
    fn closes_are_cut_off_if_a_log_of_all_disconnects_is() {
        let access = CloseLog::access("access", "$context.eventType $context.connectionId");
        let settings = StageLogSettings {
            execution_level: ExecutionLevel::Info,
            ..StageLogSettings::default()
        };
        let execution = CloseLog::execution("execution", &settings);
        let function = CloseLog::of_function(&FunctionName::new("chat"), "chat");
        let cut_off = |of_access, of_execution, of_function| {
            let logs = [
                (&access, of_access),
                (&execution, of_execution),
                (&function, of_function),
            ];
            let mut collector = CloseCollector::default();
            for (log, is_cut_off) in logs {
                let lines = Vec::new();
                collector.add_log(log, Some(&FoundLines { lines, is_cut_off }));
            }
            let found = collector.finish();
            (found.is_cut_off, found.lacks_lines)
        };
        assert_eq!(cut_off(true, false, false), (true, true));
        assert_eq!(cut_off(false, true, false), (true, true));
        assert_eq!(cut_off(false, false, false), (false, false));
        // Each line of a busy function may have a `connectionId`.
        assert_eq!(cut_off(false, false, true), (false, true));
    }

    #[test]
    fn an_access_log_of_an_unknown_format_lists_disconnects_if_a_line_is_one() {
        let cut_off = |message: &str| {
            let found = FoundLines {
                lines: vec![line(1_601, message)],
                is_cut_off: true,
            };
            let mut collector = CloseCollector::default();
            collector.add_log(&CloseLog::access("access", ""), Some(&found));
            let found = collector.finish();
            (found.lists_disconnects, found.is_cut_off)
        };
        let disconnect = r#"{"eventType":"DISCONNECT","connectionId":"L0SM9cOFvHcCIha="}"#;
        assert_eq!(cut_off(disconnect), (true, true));
        assert_eq!(cut_off("DISCONNECT"), (false, false));
    }

    #[test]
    fn an_execution_log_lists_all_disconnects_only_if_every_route_has_level_info() {
        let lists = |execution_level, execution_differs| {
            let settings = StageLogSettings {
                execution_level,
                execution_differs,
                ..StageLogSettings::default()
            };
            let mut collector = CloseCollector::default();
            collector.add_log(
                &CloseLog::execution("execution", &settings),
                Some(&complete([])),
            );
            collector.finish().lists_disconnects
        };
        assert!(lists(ExecutionLevel::Info, false));
        assert!(!lists(ExecutionLevel::Info, true));
        assert!(!lists(ExecutionLevel::Error, false));
    }
}
