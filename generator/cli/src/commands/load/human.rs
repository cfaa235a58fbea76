//! Reports of loads as text.

use std::fmt::Write;
use std::time::Duration;

use stackgen_cfn::terminal::escape;
use stackgen_probe::{Explanation, LatencySummary, LoadTestReport, MessageResults};

use crate::explanation::row_list;
use crate::style::{BOLD, DIM, GREEN, RED};
use crate::text::{REPORT, counted, grouped, wrap};

/// Formats the report.
pub(super) fn report(report: &LoadTestReport) -> String {
    let mut text = connections(report);
    text += &problems(report);
    text += &messages(report);
    text += &latency(report);
    if report.interrupted {
        let _ = writeln!(text, "{RED}Stopped before the end.{RED:#}");
    }
    text
}

fn connections(report: &LoadTestReport) -> String {
    let mut text = format!(
        "{BOLD}Connections{BOLD:#}\n  {} of {} opened",
        grouped(report.opened),
        grouped(report.planned as u64)
    );
    if let Some(within) = report.opened_within.filter(|_| report.opened > 1) {
        let rate = report.opened as f64 / within.as_secs_f64().max(0.001);
        let _ = write!(text, " within {}, {rate:.0} a second", seconds(within));
    }
    let _ = writeln!(text, "; at most {} at a time", grouped(report.peak));
    if report.handshakes.count > 0 {
        let _ = writeln!(text, "  handshake: {}", summary(&report.handshakes));
    }
    text + "\n"
}

/// Formats refusals, errors, closes and error frames with their causes.
fn problems(report: &LoadTestReport) -> String {
    let mut text = String::new();
    for refusal in &report.refusals {
        let what = format!("refused with {}", refusal.status);
        text += &problem(
            refusal.count,
            "handshake",
            &what,
            refusal.explanation.as_ref(),
        );
    }
    for error in &report.handshake_errors {
        let what = format!("not answered: {}", escape(&error.reason));
        text += &problem(error.count, "handshake", &what, None);
    }
    for close in &report.closes {
        let reason = match close.reason.as_str() {
            "" => String::new(),
            reason => format!(" {}", escape(reason)),
        };
        let what = format!("closed by the server with {}{reason}", close.code);
        text += &problem(close.count, "connection", &what, close.explanation.as_ref());
    }
    for frame in &report.error_frames {
        let what = format!("refused with the error frame {:?}", escape(&frame.message));
        text += &problem(frame.count, "message", &what, frame.explanation.as_ref());
    }
    match text.is_empty() {
        true => String::new(),
        false => format!("{BOLD}Refusals and closes{BOLD:#}\n{text}\n"),
    }
}

fn problem(count: u64, noun: &str, what: &str, explanation: Option<&Explanation>) -> String {
    let mut text = format!("  {RED}{} {what}{RED:#}\n", counted(count, noun));
    if let Some(explanation) = explanation {
        let rows = row_list(&explanation.rows);
        let certainty = explanation.certainty.name();
        let cause = format!("{certainty} ({rows}): {}", explanation.cause);
        text += &wrap("      ", "      ", &cause, REPORT);
        text += &wrap(
            "      next: ",
            "            ",
            &explanation.next_step,
            REPORT,
        );
    }
    text
}

fn messages(report: &LoadTestReport) -> String {
    let sent = report.total(|message| message.sent);
    if report.messages.is_empty() {
        return String::new();
    }
    let rate = sent as f64 / report.took.as_secs_f64().max(0.001);
    let mut text = format!(
        "{BOLD}Messages{BOLD:#}\n  {} sent in {}, {rate:.0} a second\n",
        grouped(sent),
        seconds(report.took)
    );
    for message in &report.messages {
        text += &message_line(message);
    }
    if report.other_messages > 0 {
        let others = counted(report.other_messages, "message");
        let _ = writeln!(
            text,
            "  {others} arrived that answer none of the connection's own, such as posts"
        );
    }
    for note in notes(report) {
        text += &format!("{DIM}{}{DIM:#}", wrap("  ", "  ", &note, REPORT));
    }
    text + "\n"
}

fn message_line(message: &MessageResults) -> String {
    let mut line = format!(
        "  {}: {} sent",
        escape(&message.name),
        grouped(message.sent)
    );
    if let Some(answered) = message.answered {
        let _ = write!(line, ", {} answered", grouped(answered));
    }
    for (count, what) in [
        (message.lost, "lost"),
        (Some(message.refused), "refused"),
        (message.reordered, "out of order"),
    ] {
        if let Some(count) = count.filter(|count| *count > 0) {
            let _ = write!(line, ", {RED}{} {what}{RED:#}", grouped(count));
        }
    }
    if message.latency.count > 0 {
        let _ = write!(line, "; {}", summary(&message.latency));
    }
    line + "\n"
}

/// Returns what the figures do not show.
pub(super) fn notes(report: &LoadTestReport) -> Vec<String> {
    let mut notes = Vec::new();
    let unnumbered: Vec<_> = report
        .messages
        .iter()
        .filter(|message| {
            message.sent > 0 && message.answered.is_some() && message.reordered.is_none()
        })
        .map(|message| escape(&message.name).into_owned())
        .collect();
    if !unnumbered.is_empty() {
        notes.push(format!(
            "Order is unknown for {}: the messages have no number, so each answer counts for the oldest one that waits. \
             Write <number> where the server returns it.",
            unnumbered.join(", ")
        ));
    }
    let unanswered = report
        .messages
        .iter()
        .filter(|message| message.sent > 0 && message.answered == Some(0) && message.refused == 0);
    let unanswered: Vec<_> = unanswered
        .map(|message| escape(&message.name).into_owned())
        .collect();
    if !unanswered.is_empty() {
        notes.push(format!(
            "Nothing answered {}: the route may be one-way (row M7), or the answer does not contain the number. `--no-answer` \
             counts no message as lost.",
            unanswered.join(", ")
        ));
    }
    if report
        .messages
        .iter()
        .any(|message| message.answered.is_none())
    {
        notes.push(
            "Without answers, it is unknown whether messages were lost or reordered.".to_owned(),
        );
    }
    notes
}

fn latency(report: &LoadTestReport) -> String {
    if report.latency.count == 0 {
        return String::new();
    }
    let mut text = format!("{BOLD}From a message to its answer{BOLD:#}\n");
    let most = report
        .histogram
        .iter()
        .map(|bucket| bucket.count)
        .max()
        .unwrap_or(1);
    for bucket in &report.histogram {
        let width = (bucket.count as f64 / most as f64 * 40.0).ceil();
        // At most 40.
        let bar = "█".repeat(width as usize);
        let _ = writeln!(
            text,
            "  up to {:>9}  {GREEN}{bar:<40}{GREEN:#} {}",
            millis(bucket.up_to),
            grouped(bucket.count)
        );
    }
    let _ = writeln!(text, "  {}", summary(&report.latency));
    text
}

fn summary(summary: &LatencySummary) -> String {
    let times = [
        ("p50", summary.p50),
        ("p90", summary.p90),
        ("p99", summary.p99),
        ("max", summary.max),
    ];
    let times = times.map(|(name, time)| format!("{name} {}", time.map_or("-".to_owned(), millis)));
    times.join(", ")
}

/// Formats a duration with a useful number of digits.
pub(super) fn millis(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1000.0;
    match ms {
        ms if ms < 10.0 => format!("{ms:.2} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.2} s", ms / 1000.0),
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
