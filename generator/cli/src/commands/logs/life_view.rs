//! The life of a connection.

use std::fmt::Write as _;

use stackgen_cfn::terminal::escape;
use stackgen_diagnose::logs::{
    ConnectionLife, ConnectionLives, LineLevel, LogLine, RequestStep, duration_text, parse_line,
};

use super::lines::{LineLayout, level_text, padded};
use super::options::LogOptions;
use super::range::{date, time_of_day};
use super::table::{problem_text, style};
use super::target::LogTarget;
use crate::error::CliError;
use crate::explanation::row_list;
use crate::style::{BOLD, DIM, GREEN, RED};
use crate::ui::Ui;

/// Columns of a route key.
const ROUTE: usize = 18;

/// An event of a life.
enum LifeEvent<'a> {
    Requests(Vec<&'a RequestStep>),
    Line(usize),
    Closed,
}

/// Prints the selected lives.
pub(super) fn print(
    options: &LogOptions,
    target: &LogTarget,
    lives: &ConnectionLives,
    entries: &[LogLine],
    ui: &Ui,
) -> Result<(), CliError> {
    let selected: Vec<_> = lives.lives.iter().filter(|life| life.selected).collect();
    if selected.is_empty() {
        let title = target.title();
        ui.note(
            &format!("no line of {title} belongs to such a connection"),
            Some("`--since 2h` reads more; `--connections` shows the connections that the logs contain"),
        );
        return Ok(());
    }
    let limit = options.shown(selected.len());
    let view = LifeView {
        options,
        target,
        entries,
        layout: LineLayout::new(options, &target.sources, ui),
        details: ui.shows_details(),
    };
    for (number, life) in selected.iter().take(limit).enumerate() {
        let gap = if number > 0 { "\n" } else { "" };
        ui.print(&format!("{gap}{}", view.text(life)))?;
    }
    let hidden = selected.len() - limit;
    if hidden > 0 {
        ui.print(&format!(
            "\n{DIM}… and {hidden} more; `--limit 0` shows all{DIM:#}\n"
        ))?;
    }
    Ok(())
}

struct LifeView<'a> {
    options: &'a LogOptions,
    target: &'a LogTarget,
    entries: &'a [LogLine],
    layout: LineLayout,
    details: bool,
}

impl LifeView<'_> {
    fn text(&self, life: &ConnectionLife) -> String {
        let mut text = self.title(life);
        for event in self.events(life) {
            match event {
                LifeEvent::Requests(steps) => text += &self.requests(&steps, life),
                LifeEvent::Line(at) => text += &self.line(at),
                LifeEvent::Closed => {
                    let at = life.close.as_ref().map_or(life.last_at, |close| close.at);
                    let close = close_text(life).unwrap_or_default();
                    let _ = writeln!(text, "  {DIM}{}{DIM:#}  {close}", time_of_day(at));
                }
            }
        }
        if life.close.is_none() && life.handshake().is_some_and(|step| !step.is_failure()) {
            let _ = writeln!(
                text,
                "  {DIM}no $disconnect in this range: it is open, or ended later{DIM:#}"
            );
        }
        for problem in &life.problems {
            let color = style(Some(problem.severity));
            let _ = write!(text, "\n{color}{}{color:#}", escape(&problem.summary));
            match (self.options.why, problem.causes.first()) {
                (true, _) => text += &problem_text(problem),
                (false, Some(cause)) if !cause.rows.is_empty() => {
                    let rows = row_list(&cause.rows);
                    let _ = writeln!(
                        text,
                        " {DIM}({rows}; `--why` shows cause and next step){DIM:#}"
                    );
                }
                (false, _) => text.push('\n'),
            }
        }
        text
    }

    fn title(&self, life: &ConnectionLife) -> String {
        let mut facts = Vec::new();
        facts.push(format!(
            "{} UTC",
            date(life.opened_at.unwrap_or(life.first_at))
        ));
        facts.extend(life.user.as_ref().map(|user| format!("user {user}")));
        facts.extend(
            life.session
                .as_ref()
                .map(|session| format!("session {session}")),
        );
        facts.extend(life.source_ip.clone());
        facts.extend(life.user_agent.clone());
        // Clients choose some of these values.
        format!(
            "{BOLD}connection {}{BOLD:#}  {DIM}{}{DIM:#}\n",
            escape(&life.id),
            escape(&facts.join(", "))
        )
    }

    /// Returns the events in order. Successful messages of one route that follow each other are one event.
    fn events<'l>(&self, life: &'l ConnectionLife) -> Vec<LifeEvent<'l>> {
        let mut all: Vec<(i64, u8, LifeEvent<'l>)> = Vec::new();
        let mut run: Vec<&RequestStep> = Vec::new();
        let lines = life.lines.iter().filter(|at| self.shows(**at));
        let lines: Vec<_> = lines.map(|at| (self.entries[*at].at, *at)).collect();
        let is_between = |from: i64, to: i64| lines.iter().any(|(at, _)| (from..=to).contains(at));
        for step in &life.requests {
            let joins = run.last().is_some_and(|last| {
                last.route == step.route
                    && !last.is_failure()
                    && !step.is_failure()
                    && !step.is_connect()
                    && !step.is_disconnect()
                    && (self.details || !is_between(last.at, step.at))
            });
            if !joins && let Some(first) = run.first() {
                all.push((first.at, 0, LifeEvent::Requests(std::mem::take(&mut run))));
            }
            run.push(step);
        }
        if let Some(first) = run.first() {
            all.push((first.at, 0, LifeEvent::Requests(run)));
        }
        let lines = lines.into_iter();
        all.extend(lines.map(|(at, index)| (at, 1, LifeEvent::Line(index))));
        // The row of $disconnect has the code, if there is one.
        let has_row = life.requests.iter().any(RequestStep::is_disconnect);
        if let Some(close) = life.close.as_ref().filter(|_| !has_row) {
            all.push((close.at, 2, LifeEvent::Closed));
        }
        all.sort_by_key(|(at, order, _)| (*at, *order));
        all.into_iter().map(|(_, _, event)| event).collect()
    }

    /// True for a line that is shown in a life: what functions wrote themselves, at least a warning unless all details are
    /// wanted.
    fn shows(&self, at: usize) -> bool {
        let entry = &self.entries[at];
        let line = parse_line(&self.target.sources[entry.source], &entry.message);
        let level = line.level.unwrap_or(LineLevel::Info);
        self.layout.shows(&line) && (self.details || level >= LineLevel::Warn)
    }

    fn requests(&self, steps: &[&RequestStep], life: &ConnectionLife) -> String {
        let (Some(first), Some(last)) = (steps.first(), steps.last()) else {
            return String::new();
        };
        let route = escape(first.route.as_deref().unwrap_or("(no route)"));
        let route = padded(&route, ROUTE);
        let status = match first.status {
            Some(status) if status >= 400 => format!("{RED}{status}{RED:#}"),
            Some(status) => format!("{GREEN}{status}{GREEN:#}"),
            None => "   ".to_owned(),
        };
        let mut facts = Vec::new();
        if let Some(authorizer) = first.authorizer.as_ref().filter(|_| first.is_connect()) {
            facts.extend(authorizer_text(authorizer, first));
        }
        facts.extend(latency(steps));
        facts.extend(
            first
                .error
                .as_ref()
                .map(|error| format!("{RED}{}{RED:#}", escape(error))),
        );
        facts.extend(
            first
                .integration_error
                .as_ref()
                .map(|error| escape(error).into_owned()),
        );
        if first.function_failed && first.error.is_none() {
            facts.push(format!("{RED}the function failed{RED:#}"));
        }
        if steps.len() > 1 {
            facts.push(format!("×{} until {}", steps.len(), time_of_day(last.at)));
        }
        if first.is_disconnect() {
            facts.extend(close_text(life));
        }
        format!(
            "  {DIM}{}{DIM:#}  {route}  {status}  {}\n",
            time_of_day(first.at),
            facts.join(", ")
        )
    }

    fn line(&self, at: usize) -> String {
        let entry = &self.entries[at];
        let source = &self.target.sources[entry.source];
        let line = parse_line(source, &entry.message);
        let message = self.layout.message(&line, 22);
        format!(
            "  {DIM}{}{DIM:#}    {} {DIM}{}{DIM:#} {message}\n",
            time_of_day(entry.at),
            level_text(line.level),
            source.name
        )
    }
}

/// Returns the authorizer's verdict; `None` if it was not invoked.
fn authorizer_text(
    authorizer: &stackgen_diagnose::logs::AuthorizerStep,
    step: &RequestStep,
) -> Option<String> {
    let is_unanswered = step.integration_status.is_none() && step.latency_ms.is_none();
    let verdict = match (&authorizer.error, authorizer.status, authorizer.latency_ms) {
        (Some(error), ..) => format!("refused: {error}"),
        (None, None, None) => return None,
        (None, Some(status), _) if status >= 400 => format!("refused with {status}"),
        _ if is_unanswered && matches!(step.status, Some(401 | 403)) => "refused".to_owned(),
        _ => "allowed".to_owned(),
    };
    Some(match authorizer.latency_ms {
        Some(ms) => format!("authorizer {verdict} in {ms} ms"),
        None => format!("authorizer {verdict}"),
    })
}

/// Returns the latency of one request, or the range of several.
fn latency(steps: &[&RequestStep]) -> Option<String> {
    let of_step = |step: &&RequestStep| {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is rounded"
        )]
        let of_function = step.function_ms.map(|ms| ms.round() as u64);
        step.latency_ms.or(of_function)
    };
    let all: Vec<_> = steps.iter().filter_map(of_step).collect();
    let (min, max) = (all.iter().min()?, all.iter().max()?);
    Some(match min == max {
        true => format!("integration {min} ms"),
        false => format!("integration {min} to {max} ms"),
    })
}

/// Returns code, reason and age of a connection that ended.
fn close_text(life: &ConnectionLife) -> Option<String> {
    let close = life.close.as_ref()?;
    let code = match close.code {
        Some(code) => format!("closed with {BOLD}{code}{BOLD:#}"),
        None => "closed; no log contains the code".to_owned(),
    };
    let reason = match close.reason.as_str() {
        "" => String::new(),
        reason => format!(" {reason:?}"),
    };
    let age = life.age_ms();
    let age = age.map(|age| format!(" after {}", duration_text(age)));
    Some(format!("{code}{reason}{}", age.unwrap_or_default()))
}
