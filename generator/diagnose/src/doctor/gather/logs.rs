//! Reading the closes of connections from logs.
//!
//! The access log has the age of a connection: the time of its `$disconnect`, and `connectedAt`. The close code is only in the
//! event of `$disconnect` (row E3), so the log of its function has it, if the function logs it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use stackgen_deploy::account::ApiPartKind;
use stackgen_deploy::{DeployError, FunctionName};

use super::{ExaminedAccount, Gatherer};
use crate::doctor::checks::invocations;
use crate::doctor::evidence::{ClosedConnection, DoctorEvidence};
use crate::doctor::part::EvidencePart;
use crate::doctor::ports::{LogSearch, LoggedLine};

/// Largest number of lines of one log.
const MOST_LINES: usize = 1_000;

/// Members of a line that can hold the close code.
const CODES: [&str; 4] = [
    "code",
    "closeCode",
    "disconnectStatusCode",
    "disconnect_status_code",
];

impl<A: ExaminedAccount> Gatherer<'_, A> {
    pub(super) async fn closes(
        &self,
        evidence: &DoctorEvidence,
    ) -> Result<Vec<ClosedConnection>, DeployError> {
        let Some(function) =
            disconnect_function(evidence).filter(|_| self.needs(EvidencePart::Logs))
        else {
            return Ok(Vec::new());
        };
        let group = evidence
            .functions
            .get(&function)
            .and_then(|facts| facts.details.as_ref()?.log_group.clone());
        let group = group.unwrap_or_else(|| format!("/aws/lambda/{function}"));
        let access_log = evidence
            .stage
            .as_ref()
            .and_then(|stage| stage.access_log.as_deref());
        let access_log = access_log.and_then(|arn| arn.split(":log-group:").nth(1));
        let access_log = access_log.map(|name| name.trim_end_matches(":*").to_owned());
        let (lines, accesses) = tokio::join!(self.lines(group, "connectionId"), async {
            match access_log {
                Some(group) => self.lines(group, "DISCONNECT").await,
                None => Ok(Vec::new()),
            }
        });
        let ages = ages(&accesses?);
        self.done(EvidencePart::Logs);
        Ok(closed_connections(&lines?, &ages))
    }

    /// Returns the lines of a log group; none if there is no such group.
    async fn lines(&self, group: String, word: &str) -> Result<Vec<LoggedLine>, DeployError> {
        let search = LogSearch {
            group,
            pattern: format!("\"{word}\""),
            since: (self.ctx.now)() - self.request.since,
            limit: MOST_LINES,
        };
        let found = self
            .find(EvidencePart::Logs, || self.account.log_lines(&search))
            .await?;
        Ok(found.flatten().unwrap_or_default())
    }
}

/// Returns the function of `$disconnect`.
fn disconnect_function(evidence: &DoctorEvidence) -> Option<FunctionName> {
    let description = evidence.wiring.as_ref()?;
    let mut parts = description.parts.iter();
    let route = parts.find(|part| part.text("RouteKey") == Some("$disconnect"))?;
    let target = route.text("Target")?.strip_prefix("integrations/")?;
    let all = invocations(description, evidence);
    let mut of_route = all
        .into_iter()
        .filter(|one| one.part.kind == ApiPartKind::Integration);
    Some(
        of_route
            .find(|one| one.part.id == target)?
            .function
            .function,
    )
}

/// Returns the ages of connections by ID, from the lines of the access log about `$disconnect`.
fn ages(lines: &[LoggedLine]) -> BTreeMap<String, Duration> {
    let age = |line: &LoggedLine| {
        let json: Value = serde_json::from_str(&line.message).ok()?;
        let id = json.get("connectionId")?.as_str()?.to_owned();
        let connected = json.get("connectedAt")?;
        let connected = connected
            .as_i64()
            .or_else(|| connected.as_str()?.parse().ok())?;
        let ended = i64::try_from(line.at.unix_timestamp_nanos() / 1_000_000).ok()?;
        let age = u64::try_from(ended - connected).ok()?;
        Some((id, Duration::from_millis(age)))
    };
    lines.iter().filter_map(age).collect()
}

/// Returns the connections whose close code a line has. Lines that are no JSON have none.
fn closed_connections(
    lines: &[LoggedLine],
    ages: &BTreeMap<String, Duration>,
) -> Vec<ClosedConnection> {
    let closed = |line: &LoggedLine| {
        let start = line.message.find('{')?;
        let json: Value = serde_json::from_str(line.message[start..].trim()).ok()?;
        // The context of the event, if the function logs all of it.
        let context = json.get("requestContext").unwrap_or(&json);
        let code = CODES.iter().find_map(|name| context.get(*name)?.as_u64())?;
        let code = u16::try_from(code)
            .ok()
            .filter(|code| (1000..=1015).contains(code))?;
        let id = context.get("connectionId").and_then(Value::as_str)?;
        let reason = context
            .get("reason")
            .or_else(|| context.get("disconnectReason"));
        Some((
            id.to_owned(),
            ClosedConnection {
                code,
                reason: reason.and_then(Value::as_str).map(str::to_owned),
                age: ages.get(id).copied(),
            },
        ))
    };
    // `$disconnect` may be invoked more than once for a connection.
    let by_id: BTreeMap<_, _> = lines.iter().filter_map(closed).collect();
    by_id.into_values().collect()
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

    #[test]
    fn closes_of_the_function_get_their_ages_from_the_access_log() {
        let accesses = [
            line(
                1_601,
                r#"{"eventType":"DISCONNECT","connectionId":"a=","connectedAt":"1000000"}"#,
            ),
            line(
                1_602,
                r#"{"eventType":"DISCONNECT","connectionId":"b=","connectedAt":1600500}"#,
            ),
            line(1_603, "not JSON"),
        ];
        let lines = [
            line(
                1_601,
                r#"{"message":"Connection closed","code":1001,"reason":"Going away","connectionId":"a="}"#,
            ),
            line(
                1_602,
                r#"2026 INFO {"requestContext":{"connectionId":"b=","disconnectStatusCode":1005}}"#,
            ),
            line(1_602, r#"{"connectionId":"b=","code":200}"#),
            line(1_603, r#"{"connectionId":"c=","closeCode":1006}"#),
            line(1_603, r#"{"code":1006}"#),
        ];
        let closes = closed_connections(&lines, &ages(&accesses));
        let found: Vec<_> = closes
            .iter()
            .map(|one| (one.code, one.age.map(|age| age.as_millis())))
            .collect();
        assert_eq!(
            found,
            [(1001, Some(601_000)), (1005, Some(1_500)), (1006, None)]
        );
    }
}
