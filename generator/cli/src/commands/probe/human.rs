//! Reports of probes as text.

use std::fmt::Write;
use std::time::Duration;

use stackgen_probe::{
    CheckResult, ClosedBy, ConnectionEnd, Explanation, HandshakeOutcome, HandshakeResponse,
    Latency, Observation, ObservationKind, ProbeCaller, ProbeEvent, ProbePlan, ProbeReport,
    ProbeTarget,
};

use crate::explanation::explanation_text;
use crate::style::{BOLD, CYAN, DIM, GREEN, RED};
use crate::text::{REPORT, wrap};

/// Maximum length of a shown message; `--json` has more.
const MAX_SHOWN: usize = 160;

/// Formats URL and caller.
pub(super) fn opening(target: &ProbeTarget, plan: &ProbePlan) -> String {
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

/// Formats an event, without the end of its line.
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
            } = &**handshake;
            let style = if handshake.is_accepted() { GREEN } else { RED };
            let peer = match &handshake.proxy {
                Some(proxy) => format!("through the proxy {proxy}"),
                None => format!("to {}", handshake.peer),
            };
            let mut text = format!(
                "connected {peer} {DIM}(DNS {}, TCP {}",
                ms(timings.dns),
                ms(timings.tcp)
            );
            if let Some(took) = timings.proxy {
                let _ = write!(text, ", tunnel {}", ms(took));
            }
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
    let text = match &observation.kind {
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
        "{DIM}{:>9.3} s{DIM:#}  {text}",
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
                "; the other side did not answer the close frame"
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
    let or_dash = |duration: Option<Duration>| duration.map_or("-".to_owned(), ms);
    let mut text = format!(
        "{BOLD}{} exchanges{BOLD:#} over {} connections in {:.3} s: p50 {}, p99 {}, min {}, max {}, {:.0} per second",
        latency.answered,
        latency.connections,
        latency.took.as_secs_f64(),
        or_dash(latency.p50),
        or_dash(latency.p99),
        or_dash(latency.min),
        or_dash(latency.max),
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

/// Formats explanations, the view of a browser, and unmet expectations.
pub(super) fn ending(report: &ProbeReport, explanations: &[Explanation], browser: bool) -> String {
    let mut text = String::new();
    // An expected refusal needs no explanation.
    let is_expected = report.passed()
        && !report
            .handshake()
            .is_some_and(HandshakeResponse::is_accepted);
    let mut seen = Vec::new();
    for explanation in explanations.iter().filter(|_| !is_expected) {
        text.push_str(&explanation_text(explanation, &mut seen));
    }
    let view = report.browser();
    if browser || !(view.opens || is_expected) {
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

fn browser_view(report: &ProbeReport) -> String {
    let view = report.browser();
    let view_text = match (view.opens, view.code) {
        (false, _) => "a page sees only close code 1006: no status, no reason (row X2)".to_owned(),
        (true, None) => "a page sees the connection open".to_owned(),
        (true, Some(code)) => {
            format!(
                "a page sees the connection open, and later close with code {code} and reason {:?}",
                view.reason
            )
        }
    };
    let mut text = format!("\n{BOLD}in a browser{BOLD:#}\n");
    text.push_str(&wrap(
        "  ",
        "  ",
        &format!("{view_text}; {}.", view.why),
        REPORT,
    ));
    let headers: Vec<_> = report
        .headers
        .iter()
        .filter(|name| !is_sent_by_browsers(name))
        .cloned()
        .collect();
    if !headers.is_empty() {
        let cannot = format!(
            "A page cannot send {} with a handshake.",
            headers.join(", ")
        );
        text.push_str(&wrap("  ", "  ", &cannot, REPORT));
    }
    text
}

/// Returns true for headers that browsers send by themselves.
fn is_sent_by_browsers(name: &str) -> bool {
    let headers = ["accept-language", "cookie", "host", "origin", "user-agent"];
    headers.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Formats a duration with a useful number of digits.
fn ms(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1000.0;
    match ms {
        ms if ms < 10.0 => format!("{ms:.2} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.2} s", ms / 1000.0),
    }
}

/// Returns the beginning of a text from the server, in one line and without control characters.
fn shown(text: &str) -> String {
    let clean: String = text
        .trim()
        .chars()
        .take(MAX_SHOWN + 1)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    match clean.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &clean[..end]),
        None => clean,
    }
}
