//! Events as lines of text.

use std::time::Duration;

use anstyle::Style;
use stackgen_cfn::terminal::escape;
use stackgen_gateway::{
    ApiId, DeploymentId, Event, FailureEvidence, MessageOutcome, RouteKey, log_without_error,
};

use crate::style::{CYAN, DIM, GREEN, RED};

/// Indentation of the lines below an event, as wide as the event's name.
const INDENT: &str = "           ";

/// Format of events.
#[derive(Debug)]
pub(super) struct EventLines {
    /// Include the logs of functions.
    logs: bool,
}

impl EventLines {
    pub(super) fn new(logs: bool) -> Self {
        EventLines { logs }
    }

    /// Returns the line of an event; `None` for events that are left out.
    pub(super) fn line(&self, event: &Event, name: impl Fn(&ApiId) -> String) -> Option<String> {
        let evidence = match event {
            Event::Message { evidence, .. }
            | Event::Refused { evidence, .. }
            | Event::Batch { evidence, .. }
            | Event::Scheduled { evidence, .. }
            | Event::DisconnectFailed { evidence, .. } => evidence.as_ref(),
            _ => None,
        };
        let line = self.first_line(event, name)?;
        Some(line + &self.details(evidence))
    }

    /// Returns the lines about a failed function, each after a line break: its error, and its log unless that is shown anyway.
    fn details(&self, evidence: Option<&FailureEvidence>) -> String {
        let Some(FailureEvidence { error, log }) = evidence else {
            return String::new();
        };
        let mut lines = Vec::new();
        if let Some(error) = error {
            lines.push(format!("{}: {}", error.error_type, error.message));
            lines.extend(error.trace.iter().cloned());
        }
        if !self.logs {
            let log = log_without_error(log, error.as_ref());
            lines.extend(log.map(|line| format!("log: {}", log_text(line))));
        }
        let lines = lines.iter();
        let lines = lines.map(|line| format!("\n{INDENT}{DIM}{}{DIM:#}", escape(line)));
        lines.collect()
    }

    fn first_line(&self, event: &Event, name: impl Fn(&ApiId) -> String) -> Option<String> {
        Some(match event {
            Event::Connected { .. } | Event::Refused { .. } => handshake(event, name),
            Event::Message {
                connection,
                route,
                bytes: size,
                outcome,
                took,
                ..
            } => message(connection.as_str(), route.as_ref(), *size, outcome, *took),
            Event::Posted {
                connection,
                bytes: size,
                status,
                reason,
                ..
            } => posted(connection.as_str(), *size, *status, reason.as_deref()),
            Event::Closed { .. } => closed(event),
            Event::Request { .. } => request(event),
            Event::Deployed { .. } | Event::Activated { .. } | Event::Undeployed { .. } => {
                deployment(event, name)
            }
            Event::Disconnected { .. } => return None,
            Event::Log { .. } if !self.logs => return None,
            Event::Log {
                function,
                line: text,
            } => log(function, text),
            Event::FunctionFailed { function, reason } => {
                let rest = format!("{function}  {reason}");
                line(RED, "failed", &rest, None)
            }
            Event::ServiceNotRun {
                service,
                operation,
                reason,
            } => line(
                RED,
                "not run",
                &format!("{service} {operation}  {reason}"),
                None,
            ),
            Event::Batch { .. } => batch(event),
            Event::Scheduled { .. } => scheduled(event),
            Event::AccountCalled {
                caller,
                service,
                operation,
                status,
            } => account_call(caller, service, operation, *status),
            Event::DisconnectFailed {
                connection, reason, ..
            } => {
                let rest = format!("{connection}  $disconnect: {reason} (row M18)");
                line(RED, "failed", &rest, None)
            }
        })
    }
}

/// Returns the line of a call that `--aws` sent to the user's account.
fn account_call(caller: &str, service: &str, operation: &str, status: Option<u16>) -> String {
    let status = status.map_or("no answer".to_owned(), |status| status.to_string());
    let rest = format!("{caller}  {service} {operation}  {status}");
    line(CYAN, "aws", &rest, None)
}

fn handshake(event: &Event, name: impl Fn(&ApiId) -> String) -> String {
    match event {
        Event::Connected {
            api,
            stage,
            connection,
            principal,
            took,
            ..
        } => {
            let caller = principal
                .as_ref()
                .map(|principal| format!("  as {principal}"));
            let caller = caller.unwrap_or_default();
            let rest = format!("{connection}  {}/{stage}{caller}", name(api));
            line(GREEN, "connected", &rest, Some(*took))
        }
        Event::Refused {
            api,
            stage,
            status,
            reason,
            row,
            took,
            ..
        } => {
            let rest = format!("{status}  {}/{stage}  {reason}{}", name(api), row_text(row));
            line(RED, "refused", &rest, Some(*took))
        }
        _ => String::new(),
    }
}

fn posted(connection: &str, size: usize, status: u16, reason: Option<&str>) -> String {
    let why = match (status, reason) {
        (403, Some(reason)) => &format!("  {reason} (rows K1, K5)"),
        (403, None) => "  not allowed, or not of this stage (rows K1, K5)",
        (410, _) => "  the connection is gone (row K4)",
        (413, _) => "  too large (row K6)",
        (429, _) => "  the client does not read (row K7)",
        _ => "",
    };
    let style = if status == 200 { DIM } else { RED };
    let rest = format!("{connection}  {}  {status}{why}", bytes(size));
    line(style, "posted", &rest, None)
}

fn closed(event: &Event) -> String {
    let Event::Closed {
        connection,
        code,
        reason,
        meaning,
        row,
        age,
    } = event
    else {
        return String::new();
    };
    let reason = match reason.is_empty() {
        true => String::new(),
        false => format!(" {reason}"),
    };
    let (row, age) = (row_text(row), time(*age));
    let rest = format!("{connection}  {code}{reason}: {meaning}{row}  after {age}");
    line(CYAN, "closed", &rest, None)
}

fn request(event: &Event) -> String {
    let Event::Request {
        method,
        path,
        route,
        status,
        reason,
        took,
        ..
    } = event
    else {
        return String::new();
    };
    let route = route.as_ref().map(|route| format!("  {route}"));
    let reason = reason.as_ref().map(|reason| format!("  {reason}"));
    let rest = format!(
        "{method} {path}  {status}{}{}",
        route.unwrap_or_default(),
        reason.unwrap_or_default()
    );
    let style = if *status < 400 { GREEN } else { RED };
    line(style, "request", &rest, Some(*took))
}

fn deployment(event: &Event, name: impl Fn(&ApiId) -> String) -> String {
    let id = |id: &Option<DeploymentId>| match id {
        Some(id) => id.to_string(),
        None => "none".to_owned(),
    };
    match event {
        Event::Deployed {
            api,
            deployment,
            description,
        } => {
            let description = description.as_ref().map(|text| format!("  {text}"));
            let description = description.unwrap_or_default();
            let rest = format!("{}  {deployment}{description}", name(api));
            line(GREEN, "deployed", &rest, None)
        }
        Event::Activated {
            api,
            stage,
            previous,
            deployment,
        } => {
            let (before, after) = (id(previous), id(deployment));
            let rest = format!("{}/{stage} serves {after} (was {before})", name(api));
            line(GREEN, "activated", &rest, None)
        }
        Event::Undeployed { api, what } => {
            let api = name(api);
            let rest = format!("{api}  {what}: no stage serves it (row D1)");
            line(CYAN, "undeployed", &rest, None)
        }
        _ => String::new(),
    }
}

fn message(
    connection: &str,
    route: Option<&RouteKey>,
    size: usize,
    outcome: &MessageOutcome,
    took: Duration,
) -> String {
    let route = route.map_or("no route", RouteKey::as_str);
    let (style, result) = match outcome {
        MessageOutcome::Taken => (DIM, "taken".to_owned()),
        MessageOutcome::Answered { bytes: answer } => (DIM, format!("answered {}", bytes(*answer))),
        MessageOutcome::Failed {
            status,
            bytes: answer,
        } => {
            let sent = match answer {
                Some(answer) => format!("answered {}, ", bytes(*answer)),
                None => String::new(),
            };
            let result =
                format!("{sent}the integration returned {status}, which the client does not see");
            (RED, result + &row_text("M7"))
        }
        MessageOutcome::Error {
            message,
            reason,
            row,
        } => (RED, format!("{message}: {reason}{}", row_text(row))),
    };
    let rest = format!("{connection}  {route}  {}  {result}", bytes(size));
    line(style, "message", &rest, Some(took))
}

fn batch(event: &Event) -> String {
    let Event::Batch {
        source,
        function,
        records,
        failed,
        reason,
        took,
        ..
    } = event
    else {
        return String::new();
    };
    let plural = if *records == 1 { "" } else { "s" };
    let mut rest = format!("{source}  {records} record{plural} to {function}");
    let style = match reason {
        None => DIM,
        Some(reason) => {
            rest += &match failed == records {
                true => format!("  {reason}"),
                false => format!("  {failed} failed: {reason}"),
            };
            RED
        }
    };
    line(style, "batch", &rest, Some(*took))
}

/// Returns the line of a run of a schedule.
fn scheduled(event: &Event) -> String {
    let Event::Scheduled {
        schedule,
        function,
        reason,
        took,
        ..
    } = event
    else {
        return String::new();
    };
    let (style, result) = match reason {
        None => (DIM, String::new()),
        Some(reason) => (RED, format!("  {reason}")),
    };
    let rest = format!("{schedule}  to {function}{result}");
    line(style, "schedule", &rest, Some(*took))
}

fn log(function: &str, text: &str) -> String {
    let word = "log";
    format!(
        "{DIM}{word:<10}{DIM:#} {}  {}",
        escape(function),
        log_text(text)
    )
}

/// Formats a line. `rest` contains names that others chose, and is escaped.
fn line(style: Style, word: &str, rest: &str, took: Option<Duration>) -> String {
    let rest = escape(rest);
    let took = took.map(|took| format!("  {DIM}{}{DIM:#}", time(took)));
    format!(
        "{style}{word:<10}{style:#} {rest}{}",
        took.unwrap_or_default()
    )
}

fn row_text(row: &str) -> String {
    match row.is_empty() {
        true => String::new(),
        false => format!(" (row {row})"),
    }
}

/// Returns a log line without colours, and with other control characters escaped. Tabs stay, because Lambda's own lines
/// contain them.
fn log_text(text: &str) -> String {
    let plain = without_colors(text);
    let columns: Vec<_> = plain.split('\t').map(escape).collect();
    columns.join("\t")
}

/// Removes sequences that set colours (SGR). `strip_str` would also drop text: single control characters, and all that
/// follows an unfinished sequence.
fn without_colors(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, ';' | ':'));
        match rest.strip_prefix('m') {
            Some(rest) => plain.push_str(rest),
            None => {
                plain.push_str("\u{1b}[");
                plain.push_str(part);
            }
        }
    }
    plain
}

fn bytes(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        _ => format!("{:.1} KiB", bytes as f64 / 1024.0),
    }
}

fn time(time: Duration) -> String {
    match time.as_secs() {
        0 if time.as_millis() == 0 => format!("{:.1} ms", time.as_secs_f64() * 1000.0),
        0 => format!("{} ms", time.as_millis()),
        seconds @ 1..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;
    use stackgen_gateway::{ConnectionId, FrameText, StageName};

    use super::*;

    fn lines(events: &[Event]) -> String {
        let lines = EventLines::new(false);
        let printed = events
            .iter()
            .filter_map(|event| lines.line(event, |_| "socket".to_owned()));
        let printed: Vec<_> = printed.collect();
        strip_str(&printed.join("\n")).to_string()
    }

    fn refused(stage: &str, reason: &str, took: Duration) -> Event {
        Event::Refused {
            api: ApiId::new("a"),
            stage: StageName::new(stage),
            connection: ConnectionId::new("abc="),
            status: 401,
            reason: reason.to_owned(),
            row: "A2",
            evidence: None,
            handshake: Box::default(),
            took,
        }
    }

    #[test]
    fn a_refused_post_says_why() {
        let posted = |status: u16, reason: Option<&str>| Event::Posted {
            connection: ConnectionId::new("abc="),
            bytes: 0,
            body: None,
            status,
            reason: reason.map(str::to_owned),
        };
        let refused = [
            posted(403, Some("the URL names no stage")),
            posted(403, None),
            posted(410, None),
        ];
        insta::assert_snapshot!(lines(&refused), @r"
        posted     abc=  0 B  403  the URL names no stage (rows K1, K5)
        posted     abc=  0 B  403  not allowed, or not of this stage (rows K1, K5)
        posted     abc=  0 B  410  the connection is gone (row K4)
        ");
    }

    #[test]
    fn names_cannot_forge_a_line_or_control_the_terminal() {
        let reason = "no stage\r\nconnected  \u{9b}2J";
        let refused = refused("prod\u{202e}", reason, Duration::from_millis(3));
        let lines = EventLines::new(true);
        let line = lines.line(&refused, |_| "api\n\u{200b}".to_owned());
        let plain = strip_str(&line.unwrap()).to_string();
        let expected =
            r"401  api\n\u{200b}/prod\u{202e}  no stage\r\nconnected  \u{9b}2J (row A2)  3 ms";
        assert_eq!(plain, format!("refused    {expected}"));
    }

    #[test]
    fn a_log_line_keeps_text_and_tabs_and_loses_colours() {
        let log = |text: &str| {
            let event = Event::Log {
                function: "echo".to_owned(),
                line: text.to_owned(),
            };
            let line = EventLines::new(true)
                .line(&event, |_| String::new())
                .unwrap();
            assert!(line.starts_with(&format!("{DIM}log       {DIM:#} echo  ")));
            line.split_once("echo  ").unwrap().1.to_owned()
        };
        for (text, expected) in [
            ("REPORT\tDuration: 1 ms", "REPORT\tDuration: 1 ms"),
            (
                "\u{1b}[32m INFO\u{1b}[0m müde 日本 🦀",
                " INFO müde 日本 🦀",
            ),
            ("a\rb\u{202e}c\u{200b}d", r"a\rb\u{202e}c\u{200b}d"),
            (r"C:\new", r"C:\new"),
            ("\u{1b}[38;5;1mred\u{1b}[m\u{7}", r"red\u{7}"),
            (
                "\u{1b}[2J\u{1b}]0;title \u{1b}[31",
                r"\u{1b}[2J\u{1b}]0;title \u{1b}[31",
            ),
        ] {
            assert_eq!(log(text), expected);
        }
    }

    #[test]
    fn a_service_that_does_not_run_is_named_with_the_operation_and_the_remedy() {
        let event = Event::ServiceNotRun {
            service: "sqs".to_owned(),
            operation: "Send\u{1b}Message".to_owned(),
            reason: "the local gateway has no sqs; start `stackgen dev` with --services URL"
                .to_owned(),
        };
        insta::assert_snapshot!(lines(&[event]), @r"not run    sqs Send\u{1b}Message  the local gateway has no sqs; start `stackgen dev` with --services URL");
    }

    #[test]
    fn a_refusal_has_its_reason_and_its_row() {
        let (api, stage) = (ApiId::new("a"), StageName::new("prod"));
        let connection = ConnectionId::new("abc=");
        let took = Duration::from_millis(3);
        let events = [
            Event::Connected {
                api: api.clone(),
                stage: stage.clone(),
                connection: connection.clone(),
                principal: Some("ada".to_owned()),
                handshake: Box::default(),
                took,
            },
            refused("prod", "there is no token", Duration::from_micros(150)),
            Event::Message {
                connection: connection.clone(),
                route: None,
                bytes: 1500,
                body: FrameText::copy("a"),
                call: None,
                answer: None,
                outcome: MessageOutcome::Error {
                    message: "Forbidden",
                    reason: "no route `a\u{1b}`".to_owned(),
                    row: "M3",
                },
                evidence: None,
                took,
            },
            Event::Closed {
                connection,
                code: 1001,
                reason: "Going away".to_owned(),
                meaning: "idle for too long",
                row: "M13",
                age: Duration::from_secs(600),
            },
            Event::Activated {
                api,
                stage,
                previous: None,
                deployment: Some(DeploymentId::new("d1")),
            },
            Event::Log {
                function: "echo".to_owned(),
                line: "not asked for".to_owned(),
            },
        ];
        insta::assert_snapshot!(lines(&events), @r"
        connected  abc=  socket/prod  as ada  3 ms
        refused    401  socket/prod  there is no token (row A2)  0.1 ms
        message    abc=  no route  1.5 KiB  Forbidden: no route `a\u{1b}` (row M3)  3 ms
        closed     abc=  1001 Going away: idle for too long (row M13)  after 10 min
        activated  socket/prod serves d1 (was none)
        ");
    }
}
