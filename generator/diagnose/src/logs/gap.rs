//! Gaps in the logs of a stage, the settings that close them, and their prices.

use serde::Serialize;
use stackgen_deploy::FunctionName;

use super::access_format::AccessFormat;
use super::entry::{LogSource, SourceKind};
use super::ports::{ExecutionLevel, FunctionLogSettings, StageLogSettings};

/// Price of a GB of logs that CloudWatch Logs receives, in us-east-1.
const INGESTION: &str = "CloudWatch Logs takes $0.50 a GB in us-east-1";

/// Something that the logs do not contain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogGap {
    /// The missing part, and the facts that are unknown without it.
    pub missing: String,
    /// The setting that adds it.
    pub setting: String,
    /// Price of the setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<String>,
    /// Log that it is about.
    #[serde(skip)]
    pub kind: GapKind,
}

/// Log that a gap is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapKind {
    /// There is no access log.
    AccessLog,
    /// The execution log is off, or contains only errors.
    ExecutionLog,
    /// Something else.
    Other,
}

impl LogGap {
    fn new(missing: impl Into<String>, setting: impl Into<String>) -> LogGap {
        LogGap {
            missing: missing.into(),
            setting: setting.into(),
            cost: None,
            kind: GapKind::Other,
        }
    }
}

/// Variables of the access log that a connection's life is made of, and what each of them shows.
const VARIABLES: [(&str, &str); 8] = [
    ("connectionId", "the connection of a request"),
    (
        "requestId",
        "the lines of other logs that belong to a request",
    ),
    ("eventType", "handshakes and disconnects"),
    ("routeKey", "the route"),
    ("status", "refused and failed requests"),
    ("authorizer.error", "why the authorizer refused a client"),
    ("integrationLatency", "how long a function took"),
    ("error.message", "API Gateway's error frames"),
];

/// Returns what a stage's settings leave out.
pub(crate) fn of_stage(settings: &StageLogSettings) -> Vec<LogGap> {
    let mut gaps = Vec::new();
    match (&settings.access_log_arn, &settings.access_log_format) {
        (Some(arn), _) if settings.access_log_group().is_none() => gaps.push(LogGap::new(
            format!("the access log goes to {arn}, and only log groups can be read"),
            "a log group as AccessLogSettings.DestinationArn of the stage",
        )),
        (Some(_), Some(format)) => gaps.extend(of_format(&AccessFormat::parse(format))),
        _ => gaps.push(LogGap {
            cost: Some(format!("{INGESTION}: $0.30 for a million requests of 0.6 KB")),
            kind: GapKind::AccessLog,
            ..LogGap::new(
                "the stage has no access log, so statuses of handshakes, latencies and refused messages are unknown",
                "`stage: { accessLogs: {} }` in stackgen.yaml, or AccessLogSettings of the stage",
            )
        }),
    }
    if settings.execution_level < ExecutionLevel::Info {
        let level = match settings.execution_level {
            ExecutionLevel::Off => "the stage has no execution log",
            _ => "the execution log contains only errors",
        };
        gaps.push(LogGap {
            cost: Some(format!("{INGESTION}: about $1.50 for a million requests of 3 KB")),
            kind: GapKind::ExecutionLog,
            ..LogGap::new(
                format!("{level}, so failures inside API Gateway, and close codes that no function logs, are unknown"),
                "`stage: { executionLogs: { level: INFO } }` in stackgen.yaml, or LoggingLevel INFO in DefaultRouteSettings",
            )
        });
    }
    gaps
}

/// Returns what the format of an access log leaves out.
fn of_format(format: &AccessFormat) -> Option<LogGap> {
    let lacks = |variable: &str| match variable {
        // Either of them tells.
        "requestId" => !format.has("requestId") && !format.has("extendedRequestId"),
        "eventType" => !format.has("eventType") && !format.has("routeKey"),
        "error.message" => !format.has("error.message") && !format.has("error.messageString"),
        "integrationLatency" => {
            !format.has("integrationLatency") && !format.has("integration.latency")
        }
        variable => !format.has(variable),
    };
    let missing: Vec<_> = VARIABLES.iter().filter(|(name, _)| lacks(name)).collect();
    if missing.is_empty() {
        return None;
    }
    let shows: Vec<_> = missing.iter().map(|(_, shows)| *shows).collect();
    let names: Vec<_> = missing
        .iter()
        .map(|(name, _)| format!("$context.{name}"))
        .collect();
    Some(LogGap::new(
        format!(
            "the access log's format does not contain: {}",
            shows.join("; ")
        ),
        format!("{} in its format", names.join(", ")),
    ))
}

/// Returns what a function's settings leave out.
pub(crate) fn of_function(
    function: &FunctionName,
    settings: &FunctionLogSettings,
) -> Option<LogGap> {
    let hides = |level: &Option<String>| {
        let level = level.as_deref().filter(|_| settings.json)?;
        matches!(level, "WARN" | "ERROR" | "FATAL").then(|| level.to_owned())
    };
    if let Some(level) = hides(&settings.application_level) {
        return Some(LogGap::new(
            format!(
                "function {function} logs only from level {level}, so what it does for a connection is unknown"
            ),
            "ApplicationLogLevel INFO in its LoggingConfig",
        ));
    }
    let level = hides(&settings.system_level)?;
    Some(LogGap::new(
        format!(
            "Lambda logs only from level {level} for function {function}, so durations and time-outs are unknown"
        ),
        "SystemLogLevel INFO in its LoggingConfig",
    ))
}

/// Returns the gap of an account without a role for logs (row L3).
pub(crate) fn no_role() -> LogGap {
    LogGap::new(
        "the account has no role with which API Gateway writes logs, so access logs and execution logs cannot be turned on (row L3)",
        "CloudWatchRoleArn of AWS::ApiGateway::Account, or `aws apigateway update-account`",
    )
}

/// Returns the gap of a log group that does not exist.
pub(crate) fn no_group(source: &LogSource) -> LogGap {
    let group = &source.group;
    let setting = match source.kind {
        SourceKind::Authorizer | SourceKind::Function => {
            "nothing, if it never ran; otherwise logs:CreateLogGroup, logs:CreateLogStream and logs:PutLogEvents for its role"
        }
        _ => {
            "nothing, if the stage had no request yet; otherwise the log group, and the account's role for logs (row L3)"
        }
    };
    LogGap::new(format!("there is no log group {group}"), setting)
}

/// Returns the gap of a function that the API invokes and that does not exist.
pub(crate) fn no_function(function: &FunctionName) -> LogGap {
    LogGap::new(
        format!("the API invokes function {function}, which does not exist"),
        "the function, or an integration of another one",
    )
}

/// Returns the gap of connections that ended with a code that no log contains (row L1).
pub fn no_close_codes(connections: usize) -> LogGap {
    let ends = match connections {
        1 => "the end of 1 connection".to_owned(),
        count => format!("the ends of {count} connections"),
    };
    LogGap::new(
        format!(
            "no log contains the close code for {ends}: the access log has no variable for it (row L1)"
        ),
        "`disconnectStatusCode` and `disconnectReason` in a line of the function of $disconnect, or the execution log",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_l1_a_format_without_the_connection_is_a_gap() {
        let settings = |format: &str| StageLogSettings {
            access_log_arn: Some("arn:aws:logs:r:1:log-group:a:*".to_owned()),
            access_log_format: Some(format.to_owned()),
            execution_level: ExecutionLevel::Info,
            ..StageLogSettings::default()
        };
        let gaps = of_stage(&settings(
            "$context.requestId $context.status $context.routeKey $context.authorizer.error $context.integrationLatency $context.error.message",
        ));
        let [gap] = gaps.as_slice() else {
            panic!("{gaps:?}");
        };
        assert_eq!(gap.setting, "$context.connectionId in its format");
        let all = VARIABLES.map(|(name, _)| format!("$context.{name}"));
        assert_eq!(of_stage(&settings(&all.join(" "))), []);
        let off = of_stage(&StageLogSettings::default());
        assert_eq!(off.len(), 2);
        assert!(
            off.iter()
                .all(|gap| gap.kind != GapKind::Other && gap.cost.is_some())
        );
    }
}
