//! A running gateway: its events, and changes of the project.

use std::pin::pin;
use std::time::Duration;

use stackgen_cfn::terminal::escape;
use stackgen_gateway::gateway::Gateway;
use stackgen_gateway::outbound::ServicesUrl;
use stackgen_gateway::stack::{ApplyMode, ApplyResult, StackTemplate};
use stackgen_gateway::{ApiId, Event, StreamLine, StreamNote};
use stackgen_model::Model;
use stackgen_model::diff::diff;
use tokio::time::timeout;

use super::args::DevCommand;
use super::feed::{EventBatch, EventFeed};
use super::lines::EventLines;
use super::reload::Reload;
use super::stop::StopReasons;
use super::{banner, changes, variables};
use crate::error::CliError;
use crate::local::LocalGateway;
use crate::outcome::CommandOutcome;
use crate::source::{self, PreparedStack};
use crate::style::{CYAN, DIM};
use crate::ui::Ui;

/// The longest wait for clients' close frames after a second signal.
const GOODBYE: Duration = Duration::from_millis(500);

/// A gateway that runs a project.
pub(super) struct DevSession<'a> {
    pub(super) command: &'a DevCommand,
    pub(super) ui: &'a Ui,
    pub(super) gateway: Gateway,
    pub(super) prepared: PreparedStack,
    pub(super) lines: EventLines,
}

impl<'a> DevSession<'a> {
    /// Prints URLs and endpoints.
    async fn print_banner(&self, applied: &ApplyResult) -> Result<(), CliError> {
        self.serve_page()?;
        let local = self.write_state().await?;
        let port = self.command.gateway.port;
        let is_taken = port != 0 && !local.state.endpoint.ends_with(&format!(":{port}"));
        if is_taken {
            let taken = format!("port {port} is in use; the gateway uses other ports");
            self.ui.note(&taken, None);
        }
        if let Some(services) = self.command.gateway.services.as_ref() {
            self.note_other_host(services);
        }
        let functions = &self.gateway.account().functions;
        let ignored = &applied.custom_resource_functions;
        let found = functions.runtime_notes(ignored).await;
        let (failures, found): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|note| note.is_failure);
        let found = found.into_iter().map(|note| note.message);
        let mut notes: Vec<String> = applied.notes.iter().cloned().chain(found).collect();
        notes.extend(self.missing_page());
        for note in &notes {
            self.ui.note(&escape(note), None);
        }
        let failures: Vec<String> = failures.into_iter().map(|note| note.message).collect();
        let console = self.console_link()?;
        match self.ui.wants_json() {
            true => {
                let taken = is_taken.then_some(port);
                let mut ready = banner::json(&local, &console, applied, taken);
                notes.extend(failures);
                ready["notes"] = notes.into();
                self.ui.json_line(&ready)
            }
            false => {
                self.ui.without_lookup();
                let flag = self.command.source.flag();
                let functions = functions.list();
                let runtimes: Vec<_> = functions
                    .iter()
                    .filter(|function| function.code.root.is_ok())
                    .map(|function| function.configuration.runtime.clone())
                    .collect();
                let services = local.state.services.as_deref();
                let resources = banner::emulated(services, &applied.emulated)
                    + &banner::not_run(&applied.not_run, &failures);
                self.ui.done(&banner::text(
                    &local, &console, &resources, &runtimes, &flag,
                ))
            }
        }
    }

    /// Creates a link that opens the console once.
    pub(super) fn console_link(&self) -> Result<String, CliError> {
        let link = self.gateway.console_link();
        link.map_err(|error| CliError::failed(error.to_string()))
    }

    /// Notes that calls leave this machine.
    fn note_other_host(&self, services: &ServicesUrl) {
        if !services.is_loopback() {
            let note = format!(
                "calls of services that do not run here leave this machine: they go to {services}"
            );
            self.ui.note(&escape(&note), None);
        }
    }

    /// Writes the file by which other commands find the gateway.
    async fn write_state(&self) -> Result<LocalGateway, CliError> {
        let local = LocalGateway {
            pid: std::process::id(),
            key: self.gateway.key().to_owned(),
            state: self.gateway.state().await,
        };
        local.write(self.command.source.path())?;
        Ok(local)
    }

    /// Prints events and applies changes until there is a reason to stop.
    pub(super) async fn follow(
        &mut self,
        applied: &ApplyResult,
        mut feed: EventFeed,
        mut reload: Reload<'a>,
        stops: &mut StopReasons,
    ) -> Result<(), CliError> {
        // The start of the stack is no news, except for what its pollers miss.
        let mut early = feed.arrived();
        early
            .events
            .retain(|recorded| matches!(recorded.event, Event::ServiceNotRun { .. }));
        self.print_banner(applied).await?;
        let mut opening = self.open_browser().await?;
        self.print(&early)?;
        loop {
            tokio::select! {
                _ = stops.recv() => return Ok(()),
                note = opening.failed() => self.ui.note(&note, None),
                batch = feed.next() => match batch {
                    Some(batch) => self.print(&batch)?,
                    None => return Ok(()),
                },
                prepared = reload.next(&self.command.source, self.ui) => {
                    // Before the change is reported, because readers of the report may change files at once.
                    if let Ok(prepared) = &prepared {
                        reload.watch(prepared).await?;
                    }
                    self.reload(prepared).await?;
                    // The change is reported already, so events about its undeployed parts say nothing new.
                    let mut batch = feed.arrived();
                    if !self.ui.wants_json() {
                        batch.events.retain(|recorded| {
                            !matches!(recorded.event, Event::Undeployed { .. })
                        });
                    }
                    self.print(&batch)?;
                }
            }
        }
    }

    /// Prints events in a single write.
    fn print(&self, batch: &EventBatch) -> Result<(), CliError> {
        if batch.dropped > 0 {
            let count = batch.dropped;
            if self.ui.wants_json() {
                let note = StreamNote::Dropped { count };
                self.ui.json_line(&StreamLine::Note(note))?;
            }
            self.ui.aside(&format!(
                "{count} events were dropped, because they came too fast"
            ));
        }
        if self.ui.wants_json() {
            let lines = batch.events.iter().map(|event| StreamLine::Recorded(event));
            return self.ui.json_lines(&lines.collect::<Vec<_>>());
        }
        if !self.ui.shows_progress() {
            return Ok(());
        }
        let apis = &self.gateway.account().apis;
        let name = |id: &ApiId| match apis.get_api(id) {
            Ok(api) => api.name.clone(),
            Err(_) => id.to_string(),
        };
        let lines = batch
            .events
            .iter()
            .filter_map(|recorded| self.lines.line(&recorded.event, name));
        let lines: Vec<String> = lines.collect();
        match lines.is_empty() {
            true => Ok(()),
            false => self.ui.done(&lines.join("\n")),
        }
    }

    /// Shuts down gracefully; a second signal ends the process at once.
    pub(super) async fn end(self, stops: &mut StopReasons) -> CommandOutcome {
        let open = self.gateway.connections();
        if open > 0 {
            let noun = if open == 1 {
                "connection"
            } else {
                "connections"
            };
            self.ui.aside(&format!(
                "closing {open} {noun}; press Ctrl-C again to stop at once"
            ));
        }
        let functions = self.gateway.account().functions.clone();
        let mut shutdown = pin!(self.gateway.shutdown());
        let signal = tokio::select! {
            // The shutdown is polled first, so that it begins before the signal is seen.
            biased;
            () = &mut shutdown => return CommandOutcome::Done,
            signal = stops.signal() => signal,
        };
        // Processes of functions are ended anyway, and clients get their close frames.
        functions.stop().await;
        let _ = timeout(GOODBYE, shutdown).await;
        CommandOutcome::Cut(signal)
    }

    /// Applies a prepared stack. After an error, the previous one stays.
    async fn reload(&mut self, prepared: Result<PreparedStack, CliError>) -> Result<(), CliError> {
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return self.print_refusal(&error),
        };
        let apply = match self.command.redeploy {
            true => ApplyMode::Everything,
            false => ApplyMode::WithoutDeployments,
        };
        let template = StackTemplate {
            apply,
            ..prepared.template.clone()
        };
        match self.gateway.apply(template).await {
            Ok(applied) => {
                let before = std::mem::replace(&mut self.prepared, prepared);
                self.serve_page()?;
                self.write_state().await?;
                self.print_changes(&before.model, &applied)
            }
            Err(wrong) => self.print_refusal(&source::problems(&prepared, wrong)),
        }
    }

    fn print_refusal(&self, error: &CliError) -> Result<(), CliError> {
        if self.ui.wants_json() {
            let errors = serde_json::json!({ "event": "notApplied", "refused": error.to_json() });
            return self.ui.json_line(&errors);
        }
        self.ui.error(error);
        self.ui.aside("the previous version keeps running");
        Ok(())
    }

    fn print_changes(&self, before: &Model, applied: &ApplyResult) -> Result<(), CliError> {
        let mut diff = diff(before, &self.prepared.model);
        diff.changes = variables::without_values(diff.changes);
        if self.ui.wants_json() {
            return self.ui.json_line(&serde_json::json!({
                "event": "applied",
                "changes": applied.changes,
                "undeployed": applied.undeployed,
                "needsDeployment": self.has_stale_stages(),
                "diff": diff.changes,
            }));
        }
        let mut lines = changes::code_lines(applied, &self.prepared.model);
        let wiring = changes::wiring_text(diff);
        lines.extend(
            wiring
                .lines()
                .map(|line| format!("{CYAN}changed{CYAN:#}    {line}")),
        );
        if lines.is_empty() {
            lines.push(format!(
                "{DIM}saved{DIM:#}      no running resource changed"
            ));
        } else if self.has_stale_stages() {
            let flag = self.command.source.flag();
            lines.push(format!(
                "{CYAN}waits{CYAN:#}      needs a deployment: `stackgen deploy --redeploy-stage --local{flag}`"
            ));
        }
        for line in lines {
            self.ui.done(&line)?;
        }
        Ok(())
    }

    /// Returns true if a stage is stale.
    fn has_stale_stages(&self) -> bool {
        let apis = &self.gateway.account().apis;
        let all = apis.list_apis();
        let mut stale = all.iter().map(|api| apis.stale_stages(&api.api_id));
        stale.any(|stages| stages.is_ok_and(|stages| !stages.is_empty()))
    }
}
