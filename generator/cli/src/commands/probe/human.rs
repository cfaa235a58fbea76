//! Output of `stackgen probe` for people.

use std::borrow::Cow;
use std::fmt::Write;
use std::time::Duration;

use stackgen_probe::{
    CheckResult, ClosedBy, ConnectionEnd, Explanation, HandshakeOutcome, HandshakeResponse,
    Latency, Observation, ObservationKind, ProbeCaller, ProbeEvent, ProbePlan, ProbeReport,
    ProbeTarget,
};

use crate::ui::{BOLD, CYAN, DIM, GREEN, RED};

/// Maximum width of a line of an explanation.
const WIDTH: usize = 100;

/// Maximum number of characters of a message to show; `--json` contains more.
const MAX_TEXT: usize = 160;

/// Returns the first line: URL and caller.
pub(super) fn opening_line(target: &ProbeTarget, plan: &ProbePlan) -> String {
    let caller = match &plan.caller {
        ProbeCaller::Anonymous => "anonymous".to_owned(),
        ProbeCaller::Authenticated {
            name: Some(name),
            token_in,
        } => {
            format!("{name}, with a token in the {token_in}")
        }
        ProbeCaller::Authenticated {
            name: None,
            token_in,
        } => format!("a caller with a token in the {token_in}"),
    };
    format!("{BOLD}{}{BOLD:#} as {caller}", target.url())
}

/// Returns the text for an event, without the final line end.
pub(super) fn event(event: ProbeEvent<'_>) -> String {
    match event {
        ProbeEvent::Handshake(report) => handshake_outcome(report),
        ProbeEvent::Observed(observation) => observation_line(observation),
        ProbeEvent::Measured(latency) => latency_line(latency),
    }
}

fn handshake_outcome(report: &ProbeReport) -> String {
    match &report.outcome {
        HandshakeOutcome::Error(error) => format!("{RED}no answer{RED:#}: {error}"),
        HandshakeOutcome::Handshake(handshake) => {
            let HandshakeResponse {
                status,
                reason,
                timings,
                ..
            } = handshake;
            let style = if handshake.is_accepted() { GREEN } else { RED };
            let mut text = format!(
                "connected to {} {DIM}(DNS {}, TCP {}",
                handshake.peer,
                ms(timings.dns),
                ms(timings.tcp)
            );
            if let (Some(took), Some(version)) = (timings.tls, &handshake.tls) {
                let _ = write!(text, ", {version} {}", ms(took));
            }
            let _ = write!(
                text,
                "){DIM:#}\n{style}{status}{style:#} {reason} after {}",
                ms(timings.upgrade)
            );
            if let Some(subprotocol) = &handshake.subprotocol {
                let _ = write!(text, ", subprotocol {subprotocol}");
            }
            if !handshake.body.is_empty() {
                let _ = write!(text, ": {}", shown(&handshake.body));
            }
            text
        }
    }
}

fn observation_line(observation: &Observation) -> String {
    let event = match &observation.kind {
        ObservationKind::Sent { text, .. } => format!("sent      {}", shown(text)),
        ObservationKind::Received {
            text, error: None, ..
        } => format!("received  {}", shown(text)),
        ObservationKind::Received { text, .. } => format!("{RED}received{RED:#}  {}", shown(text)),
        ObservationKind::Binary { bytes } => format!("received  {bytes} bytes, binary"),
        ObservationKind::PingSent => "ping sent".to_owned(),
        ObservationKind::Pong { after } => format!("pong after {}", ms(*after)),
        ObservationKind::Ping => "ping received".to_owned(),
        ObservationKind::Silence { waited } => format!(
            "{CYAN}silence{CYAN:#}   no answer within {} s",
            waited.as_secs_f64()
        ),
        ObservationKind::Closed(close) => end_of_connection(close),
    };
    format!(
        "{DIM}{:>9.3} s{DIM:#}  {event}",
        observation.at.as_secs_f64()
    )
}

fn end_of_connection(close: &ConnectionEnd) -> String {
    let ConnectionEnd {
        code,
        reason,
        by,
        clean,
    } = close;
    let reason = match reason.as_str() {
        "" => String::new(),
        reason => format!(" {}", shown(reason)),
    };
    match by {
        ClosedBy::Client => {
            let unanswered = if *clean {
                ""
            } else {
                "; the server did not answer the close frame"
            };
            let code = if *code == 1005 {
                "without a code".to_owned()
            } else {
                format!("with {code}")
            };
            format!("closed by the client {code}{unanswered}")
        }
        ClosedBy::Server => format!("{RED}closed by the server with {code}{RED:#}{reason}"),
        ClosedBy::Network => format!("{RED}connection lost, {code}{RED:#}:{reason}"),
    }
}

fn latency_line(latency: &Latency) -> String {
    let ms_or_dash = |duration: Option<Duration>| duration.map_or("-".to_owned(), ms);
    let mut text = format!(
        "{BOLD}{} exchanges{BOLD:#} over {} connections in {:.3} s: p50 {}, p99 {}, min {}, max {}, {:.0} per second",
        latency.answered,
        latency.connections,
        latency.took.as_secs_f64(),
        ms_or_dash(latency.p50),
        ms_or_dash(latency.p99),
        ms_or_dash(latency.min),
        ms_or_dash(latency.max),
        latency.per_second(),
    );
    if latency.failed > 0 {
        let _ = write!(text, "; {RED}{} not answered{RED:#}", latency.failed);
    }
    if latency.refused > 0 {
        let _ = write!(
            text,
            "; {RED}{} connections refused{RED:#}",
            latency.refused
        );
    }
    text
}

/// Returns the text after the end of the probe: explanations, the browser's view, and unmet expectations.
pub(super) fn conclusion(
    report: &ProbeReport,
    explanations: &[Explanation],
    browser: bool,
) -> String {
    let mut text = String::new();
    // An expected refusal needs no explanation.
    let expected_refusal = report.passed()
        && !report
            .handshake()
            .is_some_and(HandshakeResponse::is_accepted);
    let mut shown_evidence = Vec::new();
    for explanation in explanations.iter().filter(|_| !expected_refusal) {
        text.push_str(&explanation_text(explanation, &mut shown_evidence));
    }
    let view = report.browser();
    if browser || !(view.opens || expected_refusal) {
        text.push_str(&browser_view(report));
    }
    for check in report.checks.iter().filter(|check| !check.met) {
        let CheckResult {
            expected, actual, ..
        } = check;
        let _ = writeln!(text, "\n{RED}not as expected{RED:#}: {expected} ({actual})");
    }
    text
}

/// Returns an explanation without the evidence that an earlier one has shown.
fn explanation_text<'a>(explanation: &'a Explanation, shown_evidence: &mut Vec<&'a str>) -> String {
    let Explanation {
        cause,
        evidence,
        next_step,
        rows,
        certainty,
        doubts,
    } = explanation;
    let mut text = format!(
        "\n{BOLD}{}{BOLD:#} {DIM}({}){DIM:#}\n",
        certainty.name(),
        row_list(rows)
    );
    text.push_str(&wrapped("  ", "  ", cause));
    for evidence in evidence {
        if shown_evidence.contains(&evidence.as_str()) {
            continue;
        }
        shown_evidence.push(evidence);
        text.push_str(&wrapped("  seen: ", "        ", evidence));
    }
    text.push_str(&wrapped("  next: ", "        ", next_step));
    for doubt in doubts {
        text.push_str(&wrapped("  doubt: ", "         ", doubt));
    }
    text
}

fn row_list(rows: &[Cow<'_, str>]) -> String {
    match rows {
        [] => "no row".to_owned(),
        [row] => format!("row {row}"),
        rows => format!("rows {}", rows.join(", ")),
    }
}

fn browser_view(report: &ProbeReport) -> String {
    let view = report.browser();
    let events = match (view.opens, view.code) {
        (false, _) => {
            "a page sees close code 1006 and nothing else: no status, no reason (row X2)".to_owned()
        }
        (true, None) => "a page sees the connection open".to_owned(),
        (true, Some(code)) => {
            format!(
                "a page sees the connection open, and later close with code {code} and reason {:?}",
                view.reason
            )
        }
    };
    let mut text = format!("\n{BOLD}in a browser{BOLD:#}\n");
    text.push_str(&wrapped("  ", "  ", &format!("{events}; {}.", view.why)));
    let headers: Vec<_> = report
        .headers
        .iter()
        .filter(|name| !is_sent_by_browsers(name))
        .cloned()
        .collect();
    if !headers.is_empty() {
        let cannot = format!("A page cannot send {} in a handshake.", headers.join(", "));
        text.push_str(&wrapped("  ", "  ", &cannot));
    }
    text
}

/// Returns true for headers that browsers send by themselves.
fn is_sent_by_browsers(name: &str) -> bool {
    let headers = ["accept-language", "cookie", "host", "origin", "user-agent"];
    headers.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Formats a duration with about three significant digits.
fn ms(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1000.0;
    match ms {
        ms if ms < 10.0 => format!("{ms:.2} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.2} s", ms / 1000.0),
    }
}

/// Returns the beginning of a text in one line, without control characters, which terminals would interpret.
fn shown(text: &str) -> String {
    let clean: String = text
        .trim()
        .chars()
        .take(MAX_TEXT + 1)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    match clean.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &clean[..end]),
        None => clean,
    }
}

/// Wraps a paragraph. `first` starts its first line and `other` the following ones.
fn wrapped(first: &str, other: &str, text: &str) -> String {
    let (mut lines, mut line) = (String::new(), first.to_owned());
    let mut empty = true;
    for word in text.split_whitespace() {
        let word: String = word
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push_str(line.trim_end());
            lines.push('\n');
            line = other.to_owned();
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(&word);
        empty = false;
    }
    lines + line.trim_end() + "\n"
}
