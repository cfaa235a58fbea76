//! Reports of loads as a web page, which needs no script and no other file.

use std::fmt::Write;
use std::time::Duration;

use stackgen_probe::{Explanation, LatencySummary, LoadSample, LoadTestReport};

use super::human::{millis, notes};
use crate::text::grouped;

/// Width and height of a chart.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 160.0;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:760px;margin:2rem auto;padding:0 1rem;color:#1b1f24}\
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}\
td,th{padding:.25rem .5rem;border-bottom:1px solid #d8dee4;text-align:right}td:first-child,th:first-child{text-align:left}\
.bad{color:#b42318}.note{color:#57606a}svg{width:100%;height:auto;background:#f6f8fa}\
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}svg{background:#161b22}td,th{border-color:#30363d}.note{color:#8b949e}}";

/// A line of a chart.
struct ChartLine {
    name: &'static str,
    color: &'static str,
    values: Vec<f64>,
}

/// Returns the page.
pub(super) fn page(report: &LoadTestReport) -> String {
    let url = escaped(&report.url);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Load of {url}</title>\n<style>{STYLE}</style>\n\
         <h1>Load of {url}</h1>\n"
    );
    page += &overview(report);
    page += &problems(report);
    page += &messages(report);
    page += &charts(&report.timeline);
    page += &histogram(report);
    page + "</html>\n"
}

fn overview(report: &LoadTestReport) -> String {
    let sent = report.total(|message| message.sent);
    let seconds = report.took.as_secs_f64().max(0.001);
    let rows = [
        (
            "Connections opened",
            format!(
                "{} of {}",
                grouped(report.opened),
                grouped(report.planned as u64)
            ),
        ),
        ("Open at a time, at most", grouped(report.peak)),
        ("Callers", grouped(report.callers as u64)),
        ("Time", format!("{seconds:.1} s")),
        ("Messages sent", grouped(sent)),
        (
            "Messages per second",
            format!("{:.0}", sent as f64 / seconds),
        ),
        ("Other messages received", grouped(report.other_messages)),
    ];
    let mut text = String::from("<table>\n");
    for (name, value) in rows {
        let _ = writeln!(text, "<tr><td>{name}</td><td>{value}</td></tr>");
    }
    text += "</table>\n";
    if report.interrupted {
        text += "<p class=\"bad\">The load was stopped before its end.</p>\n";
    }
    text
}

fn problems(report: &LoadTestReport) -> String {
    let mut items = String::new();
    for refusal in &report.refusals {
        let what = format!("handshakes refused with {}", refusal.status);
        items += &problem(refusal.count, &what, refusal.explanation.as_ref());
    }
    for error in &report.handshake_errors {
        let what = format!("handshakes not answered: {}", error.reason);
        items += &problem(error.count, &what, None);
    }
    for close in &report.closes {
        let what = format!(
            "connections closed by the server with {} {}",
            close.code, close.reason
        );
        items += &problem(close.count, &what, close.explanation.as_ref());
    }
    for frame in &report.error_frames {
        let what = format!("messages refused with the error frame {:?}", frame.message);
        items += &problem(frame.count, &what, frame.explanation.as_ref());
    }
    match items.is_empty() {
        true => String::new(),
        false => format!("<h2>Refusals and closes</h2>\n<ul>\n{items}</ul>\n"),
    }
}

fn problem(count: u64, what: &str, explanation: Option<&Explanation>) -> String {
    let mut text = format!(
        "<li><span class=\"bad\">{} {}</span>",
        grouped(count),
        escaped(what)
    );
    if let Some(explanation) = explanation {
        let rows = escaped(&explanation.rows.join(", "));
        let _ = write!(
            text,
            "<br>{} ({}, rows {rows})<br>Next: {}",
            escaped(&explanation.cause),
            explanation.certainty.name(),
            escaped(&explanation.next_step)
        );
    }
    text + "</li>\n"
}

fn messages(report: &LoadTestReport) -> String {
    let mut text = String::from(
        "<h2>Messages</h2>\n<table>\n<tr><th>Message</th><th>sent</th><th>answered</th><th>lost</th><th>refused</th>\
         <th>out of order</th><th>p50</th><th>p90</th><th>p99</th><th>max</th></tr>\n",
    );
    let count = |count: Option<u64>| count.map_or("unknown".to_owned(), grouped);
    for message in &report.messages {
        let _ = writeln!(
            text,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>{}</tr>",
            escaped(&message.name),
            grouped(message.sent),
            count(message.answered),
            count(message.lost),
            grouped(message.refused),
            count(message.reordered),
            times(&message.latency)
        );
    }
    let handshakes = times(&report.handshakes);
    let _ = writeln!(
        text,
        "<tr><td>handshakes</td><td>{}</td><td>{}</td><td></td><td></td><td></td>{handshakes}</tr>",
        grouped(report.started as u64),
        grouped(report.opened)
    );
    text += "</table>\n";
    for note in notes(report) {
        let _ = writeln!(text, "<p class=\"note\">{}</p>", escaped(&note));
    }
    text
}

fn times(summary: &LatencySummary) -> String {
    let times = [summary.p50, summary.p90, summary.p99, summary.max];
    let cells = times.map(|time| format!("<td>{}</td>", time.map_or("-".to_owned(), millis)));
    cells.concat()
}

fn charts(timeline: &[LoadSample]) -> String {
    if timeline.len() < 2 {
        return String::new();
    }
    let line = |name, color, value: fn(&LoadSample) -> f64| ChartLine {
        name,
        color,
        values: timeline.iter().map(value).collect(),
    };
    let ms = |time: Option<Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1000.0);
    let seconds = timeline
        .last()
        .map_or(0.0, |sample| sample.at.as_secs_f64());
    let mut text = format!("<h2>Over {seconds:.0} seconds</h2>\n");
    text += &chart(
        "Messages per second",
        &[
            line("sent", "#0969da", |sample| sample.sent_per_second),
            line("answered", "#1a7f37", |sample| sample.answered_per_second),
        ],
    );
    text += &chart(
        "Open connections",
        &[line("open", "#8250df", |sample| sample.open as f64)],
    );
    text += &chart(
        "Handshakes per second",
        &[
            line("accepted", "#1a7f37", |sample| sample.opened_per_second),
            line("not accepted", "#b42318", |sample| {
                sample.not_opened_per_second
            }),
        ],
    );
    let percentile = |name, color, value: fn(&LoadSample) -> Option<Duration>| ChartLine {
        name,
        color,
        values: timeline.iter().map(|sample| ms(value(sample))).collect(),
    };
    text + &chart(
        "Milliseconds to an answer",
        &[
            percentile("p50", "#0969da", |sample| sample.p50),
            percentile("p99", "#b42318", |sample| sample.p99),
        ],
    )
}

/// Draws lines over time.
fn chart(title: &str, lines: &[ChartLine]) -> String {
    let values = lines.iter().flat_map(|line| &line.values);
    let top = values.copied().fold(0.0_f64, f64::max).max(1.0);
    let mut svg = format!(
        "<h3>{title}</h3>\n<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{title}\">\n",
        HEIGHT + 24.0
    );
    for line in lines {
        let last = (line.values.len() - 1) as f64;
        let points = line.values.iter().enumerate().map(|(index, value)| {
            let x = index as f64 / last * WIDTH;
            let y = HEIGHT - value / top * (HEIGHT - 12.0);
            format!("{x:.1},{y:.1}")
        });
        let points: Vec<_> = points.collect();
        let _ = writeln!(
            svg,
            "<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"2\" points=\"{}\"/>",
            line.color,
            points.join(" ")
        );
    }
    for (index, line) in lines.iter().enumerate() {
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" font-size=\"13\" fill=\"{}\">{}</text>",
            4 + index * 110,
            HEIGHT + 18.0,
            line.color,
            line.name
        );
    }
    let top = format!("{top:.1}");
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"12\" font-size=\"13\" text-anchor=\"end\" fill=\"currentColor\">{}</text>\n</svg>",
        WIDTH - 4.0,
        top.trim_end_matches(".0")
    );
    svg
}

fn histogram(report: &LoadTestReport) -> String {
    let most = report
        .histogram
        .iter()
        .map(|bucket| bucket.count)
        .max()
        .unwrap_or(0);
    if most == 0 {
        return String::new();
    }
    let row = 22.0;
    let height = row * report.histogram.len() as f64 + 6.0;
    let mut svg = format!(
        "<h2>From a message to its answer</h2>\n<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"Histogram\">\n"
    );
    for (index, bucket) in report.histogram.iter().enumerate() {
        let y = index as f64 * row + 4.0;
        let width = bucket.count as f64 / most as f64 * (WIDTH - 260.0);
        let _ = writeln!(
            svg,
            "<text x=\"120\" y=\"{:.0}\" font-size=\"13\" text-anchor=\"end\" fill=\"currentColor\">up to {}</text>\
             <rect x=\"130\" y=\"{y:.0}\" width=\"{width:.1}\" height=\"16\" fill=\"#0969da\"/>\
             <text x=\"{:.1}\" y=\"{:.0}\" font-size=\"13\" fill=\"currentColor\">{}</text>",
            y + 13.0,
            millis(bucket.up_to),
            136.0 + width,
            y + 13.0,
            grouped(bucket.count)
        );
    }
    svg + "</svg>\n"
}

/// Escapes text for HTML.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}
