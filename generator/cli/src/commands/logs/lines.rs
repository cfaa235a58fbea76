//! Lines of logs, laid out for people or as JSON.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::{Map, Value, json};
use stackgen_cfn::terminal::escape;
use stackgen_diagnose::logs::{
    AccessEvent, ConnectionLives, LifeFilter, LineFact, LineLevel, LogLine, LogSource, ParsedLine,
    parse_line,
};

use super::options::LogOptions;
use super::range::{date, iso8601, time_of_day};
use super::target::LogTarget;
use crate::error::CliError;
use crate::style::{BOLD, DIM, RED};
use crate::ui::Ui;

/// Bytes that are printed at a time.
const CHUNK: usize = 64 * 1024;

/// Columns of the name of a source.
const MAX_NAME: usize = 30;

/// Columns of a connection ID of API Gateway.
const CONNECTION: usize = 16;

/// Characters of a field, unless all details are wanted.
const MAX_FIELD: usize = 120;

/// Further lines of a message, such as a stack trace, unless all details are wanted.
const MAX_LINES: usize = 12;

const YELLOW: Style = AnsiColor::Yellow.on_default();

/// Colours of sources, in turn.
const COLORS: [AnsiColor; 6] = [
    AnsiColor::Cyan,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::Green,
    AnsiColor::Yellow,
    AnsiColor::BrightBlue,
];

/// Fields that are the same in every line, or repeat what is shown already.
const NOISE: [&str; 19] = [
    "target",
    "service",
    "location",
    "cold_start",
    "function_name",
    "function_arn",
    "function_memory_size",
    "xray_trace_id",
    "hostname",
    "pid",
    "v",
    "logger",
    "module",
    "filename",
    "lineno",
    "taskName",
    "errorMessage",
    "code",
    "reason",
];

/// Layout of lines.
pub(super) struct LineLayout {
    name_width: usize,
    raw: bool,
    details: bool,
    level: Option<LineLevel>,
    last_date: Option<i64>,
}

impl LineLayout {
    pub(super) fn new(options: &LogOptions, sources: &[LogSource], ui: &Ui) -> Self {
        let widths = sources.iter().map(|source| source.name.chars().count());
        LineLayout {
            name_width: widths.max().unwrap_or_default().min(MAX_NAME),
            raw: options.raw,
            details: ui.shows_details(),
            level: options.level,
            last_date: None,
        }
    }

    /// True if a line is to be shown.
    pub(super) fn shows(&self, line: &ParsedLine<'_>) -> bool {
        let level = line.level.unwrap_or(LineLevel::Info);
        if self.level.is_some_and(|least| level < least) {
            return false;
        }
        let is_noise = match line.fact {
            LineFact::Start | LineFact::End | LineFact::Init => true,
            _ => line.message == "metrics" || line.message == "platform.runtimeDone",
        };
        self.details || self.raw || !is_noise
    }

    /// Formats a line.
    pub(super) fn text(
        &mut self,
        source: &LogSource,
        entry: &LogLine,
        line: &ParsedLine<'_>,
        connection: Option<&str>,
        is_late: bool,
    ) -> String {
        let mut text = String::new();
        let day = entry.at.div_euclid(86_400_000);
        if self.last_date != Some(day) {
            self.last_date = Some(day);
            let _ = writeln!(text, "{DIM}{} UTC{DIM:#}", date(entry.at));
        }
        let time = time_of_day(entry.at);
        let color = COLORS[entry.source % COLORS.len()].on_default();
        let name = padded(&source.name, self.name_width);
        let _ = write!(text, "{DIM}{time}{DIM:#} {color}{name}{color:#} ");
        if self.raw {
            let _ = writeln!(text, "{}", escape(entry.message.trim_end()));
            return text;
        }
        let connection = padded(connection.unwrap_or_default(), CONNECTION);
        let _ = write!(text, "{} {DIM}{connection}{DIM:#} ", level_text(line.level));
        let indent = time.len() + self.name_width + CONNECTION + 9;
        text += &self.message(line, indent);
        if is_late {
            let seconds = (entry.ingested - entry.at) / 1000;
            let _ = write!(text, " {DIM}(late: received after {seconds} s){DIM:#}");
        }
        text.push('\n');
        text
    }

    /// Formats message and fields. Further lines of the message are indented.
    pub(super) fn message(&self, line: &ParsedLine<'_>, indent: usize) -> String {
        let is_error = line.level == Some(LineLevel::Error);
        let mut lines = line.message.trim_end().lines();
        let first = escape(lines.next().unwrap_or_default());
        let mut text = match is_error {
            true => format!("{RED}{first}{RED:#}"),
            false => first.into_owned(),
        };
        let is_handshake = match &line.fact {
            LineFact::Access(record) => record.event() == Some(AccessEvent::Connect),
            _ => true,
        };
        for field in &line.fields {
            let last = field.name.rsplit('.').next().unwrap_or(&field.name);
            let is_code = matches!(line.fact, LineFact::Closed(_)) || is_error;
            let is_noise = NOISE.contains(&last)
                && !(is_code && matches!(last, "code" | "reason" | "errorMessage"));
            let is_repeated = !is_handshake && matches!(last, "principalId" | "sourceIp");
            if (is_noise || is_repeated) && !self.details {
                continue;
            }
            let value = match self.details {
                true => field.value.clone(),
                false => shortened(&field.value, MAX_FIELD).into(),
            };
            let (name, value) = (escape(&field.name), escape(&value));
            let value = match value.contains(' ') || value.is_empty() {
                true => format!("{value:?}"),
                false => value.into_owned(),
            };
            let _ = write!(text, " {DIM}{name}={DIM:#}{value}");
        }
        let more: Vec<_> = lines.collect();
        let shown = if self.details { more.len() } else { MAX_LINES };
        for line in more.iter().take(shown) {
            let _ = write!(text, "\n{:indent$}{}", "", escape(line));
        }
        if more.len() > shown {
            let _ = write!(
                text,
                "\n{:indent$}{DIM}… {} more lines{DIM:#}",
                "",
                more.len() - shown
            );
        }
        text
    }
}

/// Prints the lines of all selected connections, or all lines.
pub(super) fn print(
    options: &LogOptions,
    target: &LogTarget,
    lives: &ConnectionLives,
    entries: &[LogLine],
    filter: &LifeFilter,
    ui: &Ui,
) -> Result<(), CliError> {
    let mut layout = LineLayout::new(options, &target.sources, ui);
    let mut text = String::new();
    let mut is_any = false;
    for (entry, life) in entries.iter().zip(&lives.life_of_entry) {
        let life = life.map(|life| &lives.lives[life as usize]);
        if !filter.is_empty() && !life.is_some_and(|life| life.selected) {
            continue;
        }
        let source = &target.sources[entry.source];
        let line = parse_line(source, &entry.message);
        if !layout.shows(&line) {
            continue;
        }
        is_any = true;
        let connection = life.map(|life| life.id.as_str());
        text += &layout.text(source, entry, &line, connection, false);
        if text.len() >= CHUNK {
            ui.print(&text)?;
            text.clear();
        }
    }
    ui.print(&text)?;
    if !is_any {
        ui.note(
            "no line matches",
            Some("`--since 2h` reads more; a stage without requests writes no lines"),
        );
    }
    Ok(())
}

/// Prints the same lines as JSON, one a line.
pub(super) fn print_json(
    options: &LogOptions,
    target: &LogTarget,
    lives: &ConnectionLives,
    entries: &[LogLine],
    filter: &LifeFilter,
    ui: &Ui,
) -> Result<(), CliError> {
    let layout = LineLayout::new(options, &target.sources, ui);
    let mut values = Vec::new();
    for (entry, life) in entries.iter().zip(&lives.life_of_entry) {
        let life = life.map(|life| &lives.lives[life as usize]);
        if !filter.is_empty() && !life.is_some_and(|life| life.selected) {
            continue;
        }
        let source = &target.sources[entry.source];
        let line = parse_line(source, &entry.message);
        if layout.level.is_some() && !layout.shows(&line) {
            continue;
        }
        let connection = life.map(|life| life.id.as_str());
        values.push(line_json(source, entry, &line, connection, options.raw));
        if values.len() >= 1000 {
            ui.json_lines(&values)?;
            values.clear();
        }
    }
    ui.json_lines(&values)
}

/// Returns a line as JSON.
pub(super) fn line_json(
    source: &LogSource,
    entry: &LogLine,
    line: &ParsedLine<'_>,
    connection: Option<&str>,
    raw: bool,
) -> Value {
    let mut value = json!({
        "time": iso8601(entry.at),
        "source": source.name,
        "kind": source.kind.word(),
        "group": source.group,
        "stream": &*entry.stream,
        "connectionId": connection,
    });
    if raw {
        value["message"] = json!(&*entry.message);
        return value;
    }
    let fields: Map<String, Value> = line
        .fields
        .iter()
        .map(|field| (field.name.to_string(), Value::from(field.value.as_ref())))
        .collect();
    value["requestId"] = json!(line.request);
    value["lambdaRequestId"] = json!(line.lambda);
    value["routeKey"] = json!(line.route);
    value["level"] = json!(line.level);
    value["message"] = json!(line.message);
    value["fields"] = Value::Object(fields);
    value
}

pub(super) fn level_text(level: Option<LineLevel>) -> String {
    match level {
        Some(level @ LineLevel::Error) => format!("{RED}{BOLD}{}{BOLD:#}{RED:#}", level.word()),
        Some(level @ LineLevel::Warn) => format!("{YELLOW}{} {YELLOW:#}", level.word()),
        Some(level) => format!("{DIM}{:5}{DIM:#}", level.word()),
        None => "     ".to_owned(),
    }
}

/// Returns a text with exactly this many columns.
pub(super) fn padded(text: &str, width: usize) -> String {
    let text = shortened(&escape(text), width);
    let missing = width.saturating_sub(text.chars().count());
    text + &" ".repeat(missing)
}

/// Returns a text with at most this many characters.
pub(super) fn shortened(text: &str, width: usize) -> String {
    match text.chars().count() > width {
        true => text
            .chars()
            .take(width.saturating_sub(1))
            .chain(['…'])
            .collect(),
        false => text.to_owned(),
    }
}
