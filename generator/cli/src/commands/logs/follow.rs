//! Following logs until Ctrl-C.

use std::cell::Cell;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use stackgen_deploy::{AccountError, DeployError, OperationContext};
use stackgen_diagnose::logs::{
    FollowEvent, FollowOptions, FollowedEntry, Joiner, LIVE_TAIL_USD_PER_MINUTE, LifeFilter,
    LineLinks, LogSource, follow, parse_line,
};

use super::denied::DeniedCalls;
use super::lines::{LineLayout, line_json};
use super::notes;
use super::options::{LogOptions, LogRequest};
use super::target::LogTarget;
use crate::account::{AccountClient, StepProgress};
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::text::counted;
use crate::ui::Ui;

/// Interval between two notes about lines that live tail leaves out.
const SAMPLED_EVERY: Duration = Duration::from_secs(30);

/// A command that follows.
pub(super) struct Following<'a> {
    pub(super) request: &'a LogRequest,
    pub(super) is_local: bool,
}

impl Following<'_> {
    pub(super) async fn run(
        &self,
        account: &AccountClient,
        target: &LogTarget,
        denied: &DeniedCalls,
        progress: &StepProgress<'_>,
        ctx: OperationContext<'_>,
        ui: &Ui,
    ) -> Result<CommandOutcome, CliError> {
        progress.pause();
        notes::print(&target.gaps, denied, ui);
        let mut following = FollowOptions::since(self.request.range.start);
        following.live_tail = !self.request.options.no_live_tail && !self.is_local;
        if self.is_local {
            following.poll_interval = Duration::from_millis(500);
            following.hold = Duration::from_millis(500);
        }
        let started = Instant::now();
        let mut printer = FollowPrinter {
            options: &self.request.options,
            filter: &self.request.filter,
            sources: &target.sources,
            layout: LineLayout::new(&self.request.options, &target.sources, ui),
            joiner: Joiner::default(),
            last_sampled: None,
            sessions: Cell::new(0),
            failure: None,
            ui,
        };
        let result = follow(
            &account.aws,
            &target.sources,
            &following,
            &mut |event| printer.report(event),
            ctx,
        )
        .await;
        let (sessions, failure) = (printer.sessions.get(), printer.failure);
        if let Some(failure) = failure {
            return Err(failure);
        }
        match result {
            Err(DeployError::Interrupted) | Ok(()) => {
                print_price(sessions, started.elapsed(), ui);
                Ok(CommandOutcome::Done)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Prints what live tail cost. AWS bills each session by the minute.
fn print_price(sessions: usize, elapsed: Duration, ui: &Ui) {
    if sessions > 0 {
        let minutes = elapsed.as_secs().div_ceil(60).max(1) * sessions as u64;
        #[allow(
            clippy::cast_precision_loss,
            reason = "a price is shown with two decimals"
        )]
        let price = minutes as f64 * LIVE_TAIL_USD_PER_MINUTE;
        // Terminals show `^C` at the beginning of this line.
        let start = if std::io::stderr().is_terminal() {
            "\n"
        } else {
            ""
        };
        let minutes = counted(usize::try_from(minutes).unwrap_or(usize::MAX), "minute");
        ui.aside(&format!(
            "{start}live tail: {minutes}, ${price:.2} in us-east-1 unless the free tier covers them"
        ));
    }
}

struct FollowPrinter<'a> {
    options: &'a LogOptions,
    filter: &'a LifeFilter,
    sources: &'a [LogSource],
    layout: LineLayout,
    joiner: Joiner,
    last_sampled: Option<Instant>,
    sessions: Cell<usize>,
    failure: Option<CliError>,
    ui: &'a Ui,
}

impl FollowPrinter<'_> {
    fn report(&mut self, event: FollowEvent<'_>) {
        match event {
            FollowEvent::Lines(lines) => {
                if let Err(error) = self.print(&lines) {
                    self.failure.get_or_insert(error);
                }
            }
            FollowEvent::Tailing { sessions, groups } => {
                self.sessions.set(sessions);
                let each = if sessions == 1 { "" } else { " each" };
                self.ui.aside(&format!(
                    "following {groups} log groups in {}: ${LIVE_TAIL_USD_PER_MINUTE:.2} a minute{each} in us-east-1 after 1,800 free minutes a month; `--no-live-tail` polls instead",
                    match sessions {
                        1 => "a session of live tail".to_owned(),
                        count => format!("{count} sessions of live tail"),
                    }
                ));
            }
            FollowEvent::Polling { groups, reason } => self.polling(&groups, reason),
            FollowEvent::Sampled => self.sampled(),
            FollowEvent::Renewed => self.ui.detail(|| "live tail: a new session".to_owned()),
            FollowEvent::Failed { group, error } => {
                self.ui.note(
                    &format!("cannot read {group}: {error}"),
                    error.hint().as_deref(),
                );
            }
        }
    }

    fn polling(&self, groups: &[&str], reason: Option<&AccountError>) {
        let groups = counted(groups.len(), "log group");
        match reason {
            None => self.ui.aside(&format!(
                "following {groups} by polls of FilterLogEvents; Ctrl-C ends it"
            )),
            Some(error) => self.ui.note(
                &format!("{groups} are polled instead of tailed: {error}"),
                error.hint().as_deref(),
            ),
        }
    }

    fn sampled(&mut self) {
        if self
            .last_sampled
            .is_none_or(|last| last.elapsed() > SAMPLED_EVERY)
        {
            self.last_sampled = Some(Instant::now());
            self.ui.note(
                "live tail left out lines: it sends at most 500 a second",
                Some("`--no-live-tail` shows all of them"),
            );
        }
    }

    fn print(&mut self, lines: &[FollowedEntry]) -> Result<(), CliError> {
        // A line can be joined by a later one that arrived with it.
        let links: Vec<LineLinks> = lines
            .iter()
            .map(|line| {
                let source = &self.sources[line.entry.source];
                let parsed = parse_line(source, &line.entry.message);
                self.joiner.add(source, &line.entry, &parsed)
            })
            .collect();
        let (mut text, mut values) = (String::new(), Vec::new());
        for (line, links) in lines.iter().zip(links) {
            let source = &self.sources[line.entry.source];
            let parsed = parse_line(source, &line.entry.message);
            let connection = self.joiner.connection_id(links);
            let id = connection.unwrap_or_default();
            let is_selected = self.filter.selects(id, self.filter.passed(&parsed));
            if !(self.filter.is_empty() || is_selected) || !self.layout.shows(&parsed) {
                continue;
            }
            match self.ui.wants_json() {
                true => values.push(line_json(
                    source,
                    &line.entry,
                    &parsed,
                    connection,
                    self.options.raw,
                )),
                false => {
                    text +=
                        &self
                            .layout
                            .text(source, &line.entry, &parsed, connection, line.is_late)
                }
            }
        }
        self.ui.json_lines(&values)?;
        self.ui.print(&text)
    }
}
