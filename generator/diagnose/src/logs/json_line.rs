//! Lines of JSON: those of loggers, of Lambda's JSON format, and metrics in embedded format.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

use super::entry::LineLevel;
use super::field::LineField;
use super::line::{
    CloseFact, LineFact, ParsedLine, ReportedInvocation, close_in_text, is_lambda_id,
};

/// Largest depth of nested objects whose members become fields.
const MAX_DEPTH: usize = 5;

/// Keys of the message, by preference.
const MESSAGE: [&str; 4] = ["message", "msg", "@message", "text"];

/// Parses a line; `None` if it is not a JSON object.
pub(crate) fn parse<'m>(text: &str) -> Option<ParsedLine<'m>> {
    let Ok(Json::Object(members)) = serde_json::from_str(text) else {
        return None;
    };
    if let Some(kind) = members.get("type").and_then(Json::as_str)
        && let Some(kind) = kind.strip_prefix("platform.")
    {
        return Some(of_platform(kind, members.get("record")));
    }
    let is_metrics = members.contains_key("_aws");
    let mut line = ParsedLine::default();
    let mut close = (None, None);
    collect(&mut line, &mut close, members, "", 0);
    if is_metrics {
        line.level = Some(LineLevel::Debug);
        line.message = "metrics".into();
    }
    set_fact(&mut line, close, text);
    Some(line)
}

/// Parses a line of Lambda in its JSON format.
fn of_platform<'m>(kind: &str, record: Option<&Json>) -> ParsedLine<'m> {
    let empty = Json::Null;
    let record = record.unwrap_or(&empty);
    let id = record["requestId"].as_str();
    let status = record["status"].as_str().unwrap_or("success");
    let failed = matches!(status, "error" | "timeout" | "failure");
    let millis = |name: &str| record["metrics"][name].as_f64();
    let mut line = ParsedLine {
        level: Some(if failed {
            LineLevel::Error
        } else {
            LineLevel::Debug
        }),
        message: format!("platform.{kind}").into(),
        lambda: id.map(|id| Cow::Owned(id.to_owned())),
        ..ParsedLine::default()
    };
    match kind {
        "start" => line.fact = LineFact::Start,
        "report" => {
            let report = ReportedInvocation {
                duration_ms: millis("durationMs").unwrap_or_default(),
                init_ms: millis("initDurationMs"),
                failed,
            };
            let mut message = format!("REPORT {:.1} ms", report.duration_ms);
            if let Some(init) = report.init_ms {
                message += &format!(", init {init:.1} ms");
            }
            if let Some(memory) = record["metrics"]["maxMemoryUsedMB"].as_u64() {
                message += &format!(", {memory} MB");
            }
            if failed {
                message += &format!(", {status}");
            }
            line.message = message.into();
            line.fact = LineFact::Report(report);
        }
        "initStart" => line.fact = LineFact::Init,
        _ if failed => line.fact = LineFact::FunctionFailed,
        _ => {}
    }
    line
}

/// Moves members into the line. Members of nested objects follow those of the outer object, so that these win.
fn collect(
    line: &mut ParsedLine<'_>,
    close: &mut (Option<u16>, Option<String>),
    members: Map<String, Json>,
    path: &str,
    depth: usize,
) {
    let mut nested = Vec::new();
    for (key, value) in members {
        match value {
            Json::Null => {}
            Json::Object(inner) if key == "_aws" => drop(inner),
            Json::Object(inner) if depth < MAX_DEPTH => nested.push((key, inner)),
            Json::String(text) => put(line, close, path, key, text),
            other => put(line, close, path, key, other.to_string()),
        }
    }
    for (key, inner) in nested {
        let path = join(path, &key);
        collect(line, close, inner, &path, depth + 1);
    }
}

/// Moves a scalar into the line.
fn put(
    line: &mut ParsedLine<'_>,
    close: &mut (Option<u16>, Option<String>),
    path: &str,
    key: String,
    value: String,
) {
    let is_outer = path.is_empty() || path == "message";
    match key.as_str() {
        key if is_outer && MESSAGE.contains(&key) && line.message.is_empty() => {
            line.message = value.into();
            return;
        }
        "level" | "levelname" | "severity" | "log_level" | "lvl" if is_outer => {
            line.level = line.level.or_else(|| level(&value));
            return;
        }
        "timestamp" | "time" | "@timestamp" | "ts" | "datetime" if is_outer => return,
        "connectionId" | "connection_id" | "connectionID" | "ConnectionId"
            if line.connection.is_none() =>
        {
            line.connection = Some(value.into());
            return;
        }
        "routeKey" | "route_key" if line.route.is_none() => {
            line.route = Some(value.clone().into());
        }
        "requestId"
        | "request_id"
        | "requestID"
        | "RequestId"
        | "awsRequestId"
        | "AWSRequestId"
        | "aws_request_id"
        | "function_request_id"
        | "lambdaRequestId"
        | "lambda_request_id"
        | "extendedRequestId" => {
            let id = match is_lambda_id(&value) {
                true => &mut line.lambda,
                false => &mut line.request,
            };
            if id.is_none() {
                *id = Some(value.into());
            }
            return;
        }
        "disconnectStatusCode" | "disconnect_status_code" | "closeCode" | "close_code" => {
            close.0 = value.parse().ok();
        }
        "disconnectReason" | "disconnect_reason" | "closeReason" | "close_reason" => {
            close.1 = Some(value.clone());
        }
        _ => {}
    }
    line.fields.push(LineField {
        name: join(path, &key).into(),
        value: value.into(),
    });
}

fn set_fact(line: &mut ParsedLine<'_>, close: (Option<u16>, Option<String>), text: &str) {
    let field = |name: &str| {
        let found = line.fields.iter().find(|field| field.name == name);
        found.map(|field| field.value.as_ref())
    };
    let is_disconnect = line.route.as_deref() == Some("$disconnect");
    let of_disconnect = || {
        let code = field("code").filter(|_| is_disconnect)?;
        code.parse().ok().filter(|code| (1000..5000).contains(code))
    };
    let reason = || field("reason").filter(|_| is_disconnect);
    let reason = close.1.as_deref().or_else(reason).unwrap_or_default();
    let code = close.0.or_else(of_disconnect);
    let is_failure = line.level == Some(LineLevel::Error)
        && (field("errorType").is_some() || line.message.contains("Task timed out"));
    if let Some(code) = code {
        let reason = Cow::Owned(reason.to_owned());
        line.fact = LineFact::Closed(CloseFact { code, reason });
    } else if is_failure {
        line.fact = LineFact::FunctionFailed;
    } else if text.contains("disconnectStatusCode")
        && let Some(close) = close_in_text(text)
    {
        // An event that a string of the line contains.
        let reason = Cow::Owned(close.reason.into_owned());
        line.fact = LineFact::Closed(CloseFact { reason, ..close });
    }
}

/// Parses a level: a word, or pino's number.
fn level(value: &str) -> Option<LineLevel> {
    match value.parse::<u32>() {
        Ok(number) => Some(match number {
            0..20 => LineLevel::Trace,
            20..30 => LineLevel::Debug,
            30..40 => LineLevel::Info,
            40..50 => LineLevel::Warn,
            _ => LineLevel::Error,
        }),
        Err(_) => LineLevel::parse(value),
    }
}

fn join(path: &str, key: &str) -> String {
    match path {
        "" | "message" => key.to_owned(),
        path => format!("{path}.{key}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(line: &ParsedLine<'_>) -> String {
        let fields = line.fields.iter();
        let fields = fields.map(|field| format!("{}={}", field.name, field.value));
        fields.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_line_of_stackgens_handlers_is_taken_apart() {
        let line = parse(
            r#"{"timestamp":"t","level":"INFO","message":"Connection closed","target":"a","lambdaRequestId":"71952965-d5cc-4974-ae08-6e2138b2275c","requestId":"R=","connectionId":"C=","routeKey":"$disconnect","sessionId":"s","code":1005,"reason":"unset"}"#,
        )
        .unwrap();
        assert_eq!(line.level, Some(LineLevel::Info));
        assert_eq!(line.message, "Connection closed");
        assert_eq!(
            (line.connection.as_deref(), line.request.as_deref()),
            (Some("C="), Some("R="))
        );
        assert!(line.lambda.is_some());
        assert_eq!(
            fields(&line),
            "target=a routeKey=$disconnect sessionId=s code=1005 reason=unset"
        );
        assert_eq!(
            line.fact,
            LineFact::Closed(CloseFact {
                code: 1005,
                reason: "unset".into()
            })
        );
    }

    #[test]
    fn nested_events_and_messages_that_are_objects_are_flattened() {
        let line = parse(
            r#"{"level":30,"message":{"message":"hi","n":1},"event":{"requestContext":{"connectionId":"C=","requestId":"R=","routeKey":"$disconnect","disconnectStatusCode":1001}}}"#,
        )
        .unwrap();
        assert_eq!(
            (line.message.as_ref(), line.level),
            ("hi", Some(LineLevel::Info))
        );
        assert_eq!(line.connection.as_deref(), Some("C="));
        assert_eq!(
            line.fact,
            LineFact::Closed(CloseFact {
                code: 1001,
                reason: "".into()
            })
        );
        assert!(fields(&line).starts_with("n=1 "), "{}", fields(&line));
    }

    #[test]
    fn lambdas_json_lines_are_reports_and_failures() {
        let id = "71952965-d5cc-4974-ae08-6e2138b2275c";
        let report = format!(
            r#"{{"time":"t","type":"platform.report","record":{{"requestId":"{id}","metrics":{{"durationMs":12.5,"maxMemoryUsedMB":30}},"status":"timeout"}}}}"#
        );
        let line = parse(&report).unwrap();
        assert_eq!(line.message, "REPORT 12.5 ms, 30 MB, timeout");
        assert_eq!(
            (line.level, line.lambda.as_deref()),
            (Some(LineLevel::Error), Some(id))
        );
        let error = format!(
            r#"{{"level":"ERROR","requestId":"{id}","errorType":"TypeError","errorMessage":"x"}}"#
        );
        assert_eq!(parse(&error).unwrap().fact, LineFact::FunctionFailed);
        let metrics = parse(r#"{"_aws":{"Timestamp":1},"Connections":1}"#).unwrap();
        assert_eq!(
            (metrics.message.as_ref(), fields(&metrics)),
            ("metrics", "Connections=1".to_owned())
        );
        assert_eq!(parse("[1]"), None);
    }
}
