//! Lines of an execution log (row L4): `(JKJaXmPLvHcESHA=) Method completed with status: 200`.
//!
//! AWS does not document their texts. These are the texts that public recordings show.

use std::borrow::Cow;

use super::entry::LineLevel;
use super::line::{CloseFact, LineFact, ParsedLine, close_in_text, is_lambda_id};

/// Parses a line.
pub(crate) fn parse(message: &str) -> ParsedLine<'_> {
    let (request, text) = match message
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(") "))
    {
        Some((request, text)) => (Some(Cow::Borrowed(request)), text),
        None => (None, message),
    };
    let text = text.trim_end();
    let failed = is_failure(text);
    let mut line = ParsedLine {
        level: Some(match failed {
            true => LineLevel::Error,
            false => LineLevel::Info,
        }),
        message: Cow::Borrowed(text),
        request,
        connection: between(text, "[Connection Id: ", "]").map(Cow::Borrowed),
        route: between(text, "WebSocket Request Route: [", "]").map(Cow::Borrowed),
        lambda: lambda_id(text).map(Cow::Borrowed),
        ..ParsedLine::default()
    };
    if line.connection.is_none() {
        line.connection = value_of(text, "connectionId").map(Cow::Borrowed);
    }
    line.fact = fact(text);
    line
}

fn fact(text: &str) -> LineFact<'_> {
    if let Some(close) = between(text, "Close reason: [", "]") {
        let (code, reason) = close.split_once(':').unwrap_or((close, ""));
        if let Ok(code) = code.trim().parse() {
            let reason = Cow::Borrowed(reason.trim());
            return LineFact::Closed(CloseFact { code, reason });
        }
    }
    if let Some(close) = close_in_text(text) {
        return LineFact::Closed(close);
    }
    if text.contains("connected to API [") && text.contains("successfully") {
        return LineFact::Connected;
    }
    let status = text
        .strip_prefix("Method completed with status: ")
        .or_else(|| between(text, "with response status code [", "]"));
    match status.and_then(|status| status.trim().parse().ok()) {
        Some(status) => LineFact::Status(status),
        None => LineFact::None,
    }
}

fn is_failure(text: &str) -> bool {
    const STARTS: [&str; 6] = [
        "Execution failed",
        "Lambda execution failed",
        "Lambda invocation failed",
        "Endpoint request timed out",
        "Unauthorized",
        "Gateway response type:",
    ];
    let starts = STARTS.iter().any(|start| text.starts_with(start));
    let status = text.strip_prefix("Method completed with status: ");
    starts
        || text.contains("not authorized to access this resource")
        || status.is_some_and(|status| status.starts_with(['4', '5']))
}

/// Returns the ID of the Lambda invocation that a line names.
fn lambda_id(text: &str) -> Option<&str> {
    let named = text
        .strip_prefix("AWS Integration Endpoint RequestId : ")
        .or_else(|| text.split_once("Lambda request id: ").map(|(_, id)| id))
        .or_else(|| text.split_once("x-amzn-RequestId=").map(|(_, id)| id))?;
    let id = named.get(..36)?;
    is_lambda_id(id).then_some(id)
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    let (found, _) = rest.split_once(after)?;
    (!found.is_empty()).then_some(found)
}

/// Returns the value after a quoted key of JSON.
fn value_of<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(key)?;
    let rest = rest.strip_prefix('"')?.trim_start().strip_prefix(':')?;
    let (value, _) = rest.trim_start().strip_prefix('"')?.split_once('"')?;
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_name_connection_route_invocation_and_close_code() {
        let line = parse("(R=) Client [Connection Id: C=] connected to API [a1] successfully.");
        assert_eq!(
            (line.request.as_deref(), line.connection.as_deref()),
            (Some("R="), Some("C="))
        );
        assert_eq!(line.fact, LineFact::Connected);
        let line = parse("(R=) WebSocket Request Route: [sendAudio]");
        assert_eq!(line.route.as_deref(), Some("sendAudio"));
        let line =
            parse("(R=) AWS Integration Endpoint RequestId : 71952965-d5cc-4974-ae08-6e2138b2275c");
        assert_eq!(
            line.lambda.as_deref(),
            Some("71952965-d5cc-4974-ae08-6e2138b2275c")
        );
        let line = parse(
            "(R=) Client [Connection Id: C=] disconnected from API [a1] with integration response status code [200]. Close reason: [1005: Client-side close frame status not set]",
        );
        let close = CloseFact {
            code: 1005,
            reason: "Client-side close frame status not set".into(),
        };
        assert_eq!(line.fact, LineFact::Closed(close));
        let line = parse(
            r#"(R=) Endpoint request body after transformations: {"connectionId":"C=","disconnectStatusCode":1001,"disconnectReason":"Going away"}"#,
        );
        assert_eq!(line.connection.as_deref(), Some("C="));
        assert_eq!(
            line.fact,
            LineFact::Closed(CloseFact {
                code: 1001,
                reason: "Going away".into()
            })
        );
    }

    #[test]
    fn failures_are_errors() {
        let line = parse("(R=) Method completed with status: 502");
        assert_eq!(
            (line.level, line.fact),
            (Some(LineLevel::Error), LineFact::Status(502))
        );
        let line = parse(
            "(R=) Execution failed due to configuration error: Invalid permissions on Lambda function",
        );
        assert_eq!(line.level, Some(LineLevel::Error));
        let line = parse("no request");
        assert_eq!((line.request, line.level), (None, Some(LineLevel::Info)));
    }
}
