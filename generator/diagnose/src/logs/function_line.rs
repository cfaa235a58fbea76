//! Lines of a function's log: those of Lambda in both of its formats, lines of JSON, and the text lines of Lambda's runtimes.

use std::borrow::Cow;

use super::entry::LineLevel;
use super::json_line;
use super::line::{LineFact, ParsedLine, ReportedInvocation, close_in_text, is_lambda_id};

/// Parses a line.
pub(crate) fn parse(message: &str) -> ParsedLine<'_> {
    let text = message.trim_end();
    if text.starts_with('{')
        && let Some(line) = json_line::parse(text)
    {
        return line;
    }
    if let Some(line) = of_lambda(text) {
        return line;
    }
    of_runtime(text).unwrap_or_else(|| plain(text))
}

/// Parses a line of Lambda in its text format.
fn of_lambda(text: &str) -> Option<ParsedLine<'_>> {
    let (word, rest) = text.split_once(' ')?;
    if word == "INIT_START" || word == "INIT_REPORT" {
        let failed = text.contains("Status: error") || text.contains("Status: timeout");
        return Some(ParsedLine {
            level: Some(if failed {
                LineLevel::Error
            } else {
                LineLevel::Debug
            }),
            message: Cow::Borrowed(text),
            fact: if failed {
                LineFact::FunctionFailed
            } else {
                LineFact::Init
            },
            ..ParsedLine::default()
        });
    }
    let id = rest.strip_prefix("RequestId: ")?.get(..36)?;
    let id = is_lambda_id(id).then_some(Cow::Borrowed(id));
    let mut line = ParsedLine {
        level: Some(LineLevel::Debug),
        lambda: id,
        message: Cow::Borrowed(text),
        ..ParsedLine::default()
    };
    match word {
        "START" => line.fact = LineFact::Start,
        "END" => line.fact = LineFact::End,
        "REPORT" => {
            let report = report(text);
            if report.failed {
                line.level = Some(LineLevel::Error);
            }
            line.message = report_text(&report, text).into();
            line.fact = LineFact::Report(report);
        }
        _ => return None,
    }
    Some(line)
}

fn report(text: &str) -> ReportedInvocation {
    let millis = |name: &str| {
        let part = text
            .split('\t')
            .find_map(|part| part.trim().strip_prefix(name))?;
        part.trim().trim_end_matches(" ms").parse().ok()
    };
    ReportedInvocation {
        duration_ms: millis("Duration: ")
            .or_else(|| millis_of_first(text))
            .unwrap_or_default(),
        init_ms: millis("Init Duration: "),
        failed: text.contains("Status: timeout") || text.contains("Status: error"),
    }
}

/// Returns the duration if it stands in the first part, after the ID.
fn millis_of_first(text: &str) -> Option<f64> {
    let (_, rest) = text.split_once("Duration: ")?;
    rest.split(' ').next()?.parse().ok()
}

fn report_text(report: &ReportedInvocation, text: &str) -> String {
    let memory = text
        .split_once("Max Memory Used: ")
        .and_then(|(_, rest)| rest.split(['\t', '\n']).next());
    let mut message = format!("REPORT {:.1} ms", report.duration_ms);
    if let Some(init) = report.init_ms {
        message += &format!(", init {init:.1} ms");
    }
    if let Some(memory) = memory {
        message += &format!(", {}", memory.trim());
    }
    if let Some((_, status)) = text.split_once("Status: ") {
        message += &format!(", {}", status.trim().replace('\t', ", "));
    }
    message
}

/// Parses a line in the text format of a runtime: fields between tabs, which are a time, Lambda's request ID, a level and the
/// message, in the runtime's order.
fn of_runtime(text: &str) -> Option<ParsedLine<'_>> {
    let mut line = ParsedLine::default();
    let mut rest = text;
    while let Some((field, after)) = rest.split_once('\t') {
        let word = field.trim_matches(['[', ']']);
        if is_lambda_id(word) {
            line.lambda = Some(Cow::Borrowed(word));
        } else if let Some(level) = LineLevel::parse(word) {
            line.level = Some(level);
        } else if !(is_time(word) || word == "undefined") {
            break;
        }
        rest = after;
    }
    if rest.len() == text.len() {
        return None;
    }
    let body = plain(rest.trim_end());
    let level = line.level.or(body.level);
    Some(ParsedLine {
        level,
        lambda: line.lambda.or(body.lambda),
        ..body
    })
}

/// Returns a line of text without a known format.
fn plain(text: &str) -> ParsedLine<'_> {
    if text.starts_with('{')
        && let Some(line) = json_line::parse(text)
    {
        return line;
    }
    let mut line = ParsedLine {
        message: Cow::Borrowed(without_prefix(text)),
        ..ParsedLine::default()
    };
    if is_crash(text) {
        line.level = Some(LineLevel::Error);
        line.fact = LineFact::FunctionFailed;
    } else {
        line.level = leading_level(text);
    }
    if let Some(close) = close_in_text(text) {
        line.fact = LineFact::Closed(close);
    }
    line.lambda = first_lambda_id(text).map(Cow::Borrowed);
    line.connection = value_after(text, "connectionId").map(Cow::Borrowed);
    line
}

/// Returns a text without the time and Lambda's request ID with which it begins.
fn without_prefix(text: &str) -> &str {
    let mut rest = text;
    while let Some((word, after)) = rest.split_once(' ')
        && (is_time(word) || is_lambda_id(word))
    {
        rest = after.trim_start();
    }
    rest
}

/// Returns the level with which a text begins: `[WARN] …`, `ERROR: …`, or `2026-… INFO …`.
fn leading_level(text: &str) -> Option<LineLevel> {
    let words = text.split_whitespace().take(3);
    words
        .take_while(|word| word.len() < 40)
        .find_map(|word| LineLevel::parse(word.trim_matches(['[', ']', ':'])))
}

/// True for a line with which a runtime or Lambda reports a failed invocation.
fn is_crash(text: &str) -> bool {
    text.contains("Task timed out after")
        || text.contains("Runtime.ExitError")
        || text.contains("Runtime.UnhandledPromiseRejection")
        || text.contains("Invoke Error")
        || text.starts_with("[ERROR] ")
        || text.starts_with("RequestId: ") && text.contains(" Error: ")
}

fn first_lambda_id(text: &str) -> Option<&str> {
    let mut words = text.split(|c: char| !(c.is_ascii_hexdigit() || c == '-'));
    words.find(|word| is_lambda_id(word))
}

/// Returns the ID after a key, as JSON or as a program prints an object: `connectionId: 'C='`.
fn value_after<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(key)?;
    let rest = rest.trim_start_matches(['"', '\'', '\\', ':', '=', ' ']);
    let is_of_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '=');
    let end = rest.find(|c| !is_of_id(c)).unwrap_or(rest.len());
    // API Gateway's IDs have 16 characters. Shorter words are text.
    (end >= 8).then(|| &rest[..end])
}

/// True for a time in ISO 8601.
fn is_time(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.len() >= 19 && bytes[4] == b'-' && bytes[10] == b'T' && bytes[0].is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "71952965-d5cc-4974-ae08-6e2138b2275c";

    #[test]
    fn lambdas_own_lines_name_their_invocation() {
        let start = format!("START RequestId: {ID} Version: $LATEST\n");
        let line = parse(&start);
        assert_eq!(
            (line.lambda.as_deref(), line.fact),
            (Some(ID), LineFact::Start)
        );
        let report = format!(
            "REPORT RequestId: {ID}\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tInit Duration: 100.50 ms\t\n"
        );
        let line = parse(&report);
        assert_eq!(line.message, "REPORT 12.3 ms, init 100.5 ms, 30 MB");
        let expected = ReportedInvocation {
            duration_ms: 12.34,
            init_ms: Some(100.5),
            failed: false,
        };
        assert_eq!(line.fact, LineFact::Report(expected));
        let timeout = format!(
            "REPORT RequestId: {ID}\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tStatus: timeout"
        );
        let line = parse(&timeout);
        assert_eq!(line.message, "REPORT 3000.0 ms, 30 MB, timeout");
        assert_eq!(line.level, Some(LineLevel::Error));
    }

    #[test]
    fn text_lines_of_runtimes_are_split_at_tabs() {
        let node = format!(
            "2026-11-30T08:00:00.000Z\t{ID}\tINFO\tconnected {{ connectionId: 'L0SM9cOFvHcCIhw=' }}\n"
        );
        let line = parse(&node);
        assert_eq!(
            (line.level, line.lambda.as_deref()),
            (Some(LineLevel::Info), Some(ID))
        );
        assert_eq!(line.connection.as_deref(), Some("L0SM9cOFvHcCIhw="));
        assert_eq!(
            line.message,
            "connected { connectionId: 'L0SM9cOFvHcCIhw=' }"
        );
        let python = format!("[WARNING]\t2026-11-30T08:00:00.000Z\t{ID}\tslow\n");
        let line = parse(&python);
        assert_eq!(
            (line.level, line.message.as_ref()),
            (Some(LineLevel::Warn), "slow")
        );
    }

    #[test]
    fn crashes_and_timeouts_are_failures() {
        for text in [
            format!("2026-11-30T08:00:00.000Z {ID} Task timed out after 3.00 seconds"),
            format!("RequestId: {ID} Error: Runtime exited with error: exit status 1"),
            "[ERROR] Exception: thrown\nTraceback (most recent call last):".to_owned(),
        ] {
            let line = parse(&text);
            assert_eq!(
                (line.level, line.fact),
                (Some(LineLevel::Error), LineFact::FunctionFailed),
                "{text}"
            );
        }
        assert_eq!(parse("WARN: low").level, Some(LineLevel::Warn));
        assert_eq!(parse("all is well").level, None);
    }

    #[test]
    fn a_printed_event_of_disconnect_has_code_and_reason() {
        let text = "event { connectionId: 'L0SM9cOFvHcCIhw=', disconnectStatusCode: 1005, disconnectReason: 'Client-side close frame status not set' }";
        let LineFact::Closed(close) = parse(text).fact else {
            panic!("no close");
        };
        assert_eq!(
            (close.code, close.reason.as_ref()),
            (1005, "Client-side close frame status not set")
        );
    }
}
