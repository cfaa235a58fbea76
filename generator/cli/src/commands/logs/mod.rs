//! `stackgen logs`

mod denied;
mod follow;
mod json;
mod life_view;
mod lines;
mod notes;
mod options;
mod range;
mod search;
mod table;
mod target;

use std::cell::Cell;

use clap::Args;
use stackgen_deploy::{DeployStep, OffsetDateTime, OperationContext};
use stackgen_diagnose::logs::{
    FieldFilter, FilteredField, GapKind, LifeFilter, LineLevel, LogLine, TimeRange,
    connection_lives, read_range,
};

use crate::account::{
    AccountArgs, AccountClient, ProjectScope, StepProgress, TargetArgs, account_defaults,
    interrupt_after, interrupt_on_signals,
};
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::runtime::block_on;
use crate::ui::Ui;
use crate::values::name_and_value;

use denied::DeniedCalls;
use options::{LogOptions, LogRequest};
use target::LogTarget;

/// Show the logs of a WebSocket API's stage, joined by connection
///
/// Reads the access log, the execution log, and the logs of the authorizer and of all functions, in one stream ordered by
/// time. `--connections` shows one line for each connection, the unhealthy first, and `--connection` the life of one:
/// handshake, authorizer, messages, errors, and the end with its code. Notes on stderr say what is not logged, and which setting
/// would change that.
///
/// `--follow` uses live tail of CloudWatch Logs, which AWS bills by the minute, or polls FilterLogEvents. Long ranges can be
/// searched with Logs Insights, which AWS bills by the bytes that it scans.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LogsCommand {
    /// Begin of the range: a duration before now such as `90s`, `10m`, `2h`, or a UTC time such as `2026-11-30T08:00:00Z`
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = range::parse, help_heading = "Range")]
    since: range::TimeArg,

    /// End of the range, like `--since` (default: now)
    #[arg(long, value_name = "TIME", value_parser = range::parse, conflicts_with = "follow", help_heading = "Range")]
    until: Option<range::TimeArg>,

    /// Show new lines as they arrive, until Ctrl-C
    #[arg(long, conflicts_with_all = ["connections", "why", "insights"], help_heading = "Range")]
    follow: bool,

    /// Follow without live tail, by polls of FilterLogEvents, which cost nothing
    #[arg(long, requires = "follow", help_heading = "Range")]
    no_live_tail: bool,

    /// ID of the connection to show
    #[arg(long, value_name = "ID", help_heading = "Selection")]
    connection: Option<String>,

    /// Session whose connections to show: the value of a field such as `sessionId`
    #[arg(long, value_name = "ID", help_heading = "Selection")]
    session: Option<String>,

    /// User whose connections to show: the authorizer's principal, or the value of a field such as `userId`
    #[arg(long, value_name = "USER", help_heading = "Selection")]
    user: Option<String>,

    /// Field that a line of the connection must have; repeatable
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = name_and_value, help_heading = "Selection")]
    fields: Vec<(String, String)>,

    /// Least level of lines to show; connections have none
    #[arg(long, value_name = "LEVEL", value_parser = level, conflicts_with_all = ["connections", "why"], help_heading = "Selection")]
    level: Option<LineLevel>,

    /// Show a table with one line for each connection, the unhealthy first
    #[arg(long, help_heading = "Output")]
    connections: bool,

    /// Show causes and next steps of unhealthy connections
    #[arg(long, help_heading = "Output")]
    why: bool,

    /// Show lines as they are
    #[arg(long, conflicts_with_all = ["connections", "why"], help_heading = "Output")]
    raw: bool,

    /// Largest number of connections to show; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 40, help_heading = "Output")]
    limit: usize,

    /// Log group to read too; repeatable
    #[arg(long = "log-group", value_name = "NAME", help_heading = "Target")]
    groups: Vec<String>,

    /// Search with Logs Insights; the default for a selection in more than 24 hours
    #[arg(long, help_heading = "Range")]
    insights: bool,

    /// Search without a question, however much Logs Insights scans
    #[arg(long, short, help_heading = "Range")]
    yes: bool,

    #[command(flatten)]
    target: TargetArgs,

    #[command(flatten)]
    account: AccountArgs,
}

const EXAMPLES: &str = "\
Examples:
  stackgen logs --env prod --since 1h
  stackgen logs --env prod --connections --why
  stackgen logs --env prod --connection 'L0SM9cOFvHcCIhw=' --since 2h
  stackgen logs --local --follow
  stackgen logs --api-id a1b2c3d4e5 --stage-name prod --user alice --since 7d --json";

/// Parses a level.
fn level(text: &str) -> Result<LineLevel, String> {
    LineLevel::parse(text).ok_or_else(|| "write trace, debug, info, warn or error".to_owned())
}

impl LogsCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let now = range::millis(OffsetDateTime::now_utc());
        let request = LogRequest {
            filter: self.filter()?,
            range: range::range(&self.since, self.until.as_ref(), now)?,
            now,
            options: LogOptions {
                raw: self.raw,
                why: self.why,
                level: self.level,
                limit: self.limit,
                yes: self.yes,
                no_live_tail: self.no_live_tail,
            },
        };
        block_on(self.show(&request, ui))
    }

    async fn show(&self, request: &LogRequest, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let gateway = self.account.gateway(&self.target.file).await?;
        let is_local = gateway.is_some();
        let targets = self
            .target
            .resolve(ProjectScope::Names, gateway.as_ref(), ui)?;
        let defaults = account_defaults(&targets);
        let account = self.account.connect(gateway.as_ref(), defaults, ui).await?;
        let stage = targets.first();
        let stage = stage.ok_or_else(|| CliError::input("the stack has no API"))?;
        let progress = StepProgress::new(ui);
        let interrupt = match self.follow {
            true => interrupt_after(|| ()),
            false => interrupt_on_signals(&progress),
        };
        let steps = |step: DeployStep<'_>| progress.step(&step);
        let ctx = account.context(&steps, &interrupt);
        progress.begin("looking for log groups");
        let mut denied = DeniedCalls::default();
        let mut target = target::find(&account, stage, &mut denied, ctx).await?;
        target.add_groups(&self.groups);
        if is_local {
            // The local gateway writes none.
            target.gaps.retain(|gap| gap.kind != GapKind::ExecutionLog);
        }
        if target.sources.is_empty() {
            progress.pause();
            notes::print(&target.gaps, &denied, ui);
            return Err(notes::nothing_to_read(&target, &denied));
        }
        if self.follow {
            let following = follow::Following { request, is_local };
            return following
                .run(&account, &target, &denied, &progress, ctx, ui)
                .await;
        }
        let entries = match self.uses_insights(request, is_local) {
            true => search::search(request, &account, &target, &progress, ctx, ui).await?,
            false => {
                self.read(
                    request.range,
                    &account,
                    &target,
                    &mut denied,
                    &progress,
                    ctx,
                )
                .await?
            }
        };
        drop(progress);
        self.print(request, &entries, &mut target, &denied, ui)?;
        Ok(CommandOutcome::Done)
    }

    async fn read(
        &self,
        range: TimeRange,
        account: &AccountClient,
        target: &LogTarget,
        denied: &mut DeniedCalls,
        progress: &StepProgress<'_>,
        ctx: OperationContext<'_>,
    ) -> Result<Vec<LogLine>, CliError> {
        let count = Cell::new(0);
        let groups = target.sources.len();
        let on_page = |events: usize| {
            count.set(count.get() + events);
            progress.begin(format!(
                "reading {groups} log groups: {} lines",
                count.get()
            ));
        };
        progress.begin(format!("reading {groups} log groups"));
        let read = read_range(&account.aws, &target.sources, range, &on_page, ctx).await?;
        let is_all = read.failed.len() == groups;
        for (_, error) in read.failed {
            denied.add(error);
        }
        if is_all {
            return Err(denied.error());
        }
        Ok(read.entries)
    }

    fn print(
        &self,
        request: &LogRequest,
        entries: &[LogLine],
        target: &mut LogTarget,
        denied: &DeniedCalls,
        ui: &Ui,
    ) -> Result<(), CliError> {
        let LogRequest {
            filter, options, ..
        } = request;
        let lives = connection_lives(&target.sources, entries, filter);
        target.note_unknown_closes(&lives);
        target.wants_lines = !self.connections;
        let shows_lives = self.connections || self.why || !filter.is_empty() && !self.raw;
        // With a level, lines are shown: a connection has none.
        let shows_lives = shows_lives && self.level.is_none();
        if ui.wants_json() {
            return match shows_lives {
                true => ui.json_result(&json::report(target, &lives, entries, denied)),
                false => lines::print_json(options, target, &lives, entries, filter, ui),
            };
        }
        if self.connections || self.why && filter.is_empty() {
            table::print(options, target, &lives, ui)?;
        } else if shows_lives {
            life_view::print(options, target, &lives, entries, ui)?;
        } else {
            lines::print(options, target, &lives, entries, filter, ui)?;
        }
        notes::print(&target.gaps, denied, ui);
        Ok(())
    }

    /// Returns the selection of connections.
    fn filter(&self) -> Result<LifeFilter, CliError> {
        let mut fields = Vec::new();
        let mut add = |field: FilteredField, value: &Option<String>| {
            fields.extend(value.clone().map(|value| FieldFilter { field, value }));
        };
        add(FilteredField::Session, &self.session);
        add(FilteredField::User, &self.user);
        for (name, value) in &self.fields {
            add(FilteredField::Named(name.clone()), &Some(value.clone()));
        }
        if fields.len() > 16 {
            return Err(CliError::input("more than 16 fields are selected"));
        }
        if fields.iter().any(|field| field.value.is_empty())
            || self.connection.as_deref() == Some("")
        {
            return Err(CliError::input("the value of a selection is empty"));
        }
        Ok(LifeFilter {
            connection: self.connection.clone(),
            fields,
        })
    }

    /// True if a range is to be searched with Logs Insights.
    fn uses_insights(&self, request: &LogRequest, is_local: bool) -> bool {
        const DAY: i64 = 86_400_000;
        let range = request.range;
        let is_long = range.end.unwrap_or(request.now) - range.start > DAY;
        self.insights || is_long && !request.filter.is_empty() && !is_local
    }
}
