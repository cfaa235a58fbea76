//! A running gateway: its events, and changes of the project.

use std::pin::pin;
use std::time::Duration;

use stackgen_gateway::gateway::Gateway;
use stackgen_gateway::stack::{Applied, Apply, Template};
use stackgen_gateway::{ApiId, Event};
use stackgen_model::Model;
use stackgen_model::diff::diff;
use tokio::time::timeout;

use super::args::DevCommand;
use super::feed::{Batch, Feed};
use super::lines::Lines;
use super::reload::Reload;
use super::stop::Stops;
use super::{banner, changes, variables};
use crate::error::CliError;
use crate::local::Local;
use crate::outcome::Outcome;
use crate::source::{self, Prepared};
use crate::style::{CYAN, DIM};
use crate::ui::Ui;

/// The longest wait for clients' close frames after a second signal.
const GOODBYE: Duration = Duration::from_millis(500);

/// A gateway that serves a project.
pub(super) struct DevSession<'a> {
    pub(super) command: &'a DevCommand,
    pub(super) ui: &'a Ui,
    pub(super) gateway: Gateway,
    pub(super) prepared: Prepared,
    pub(super) lines: Lines,
}

impl<'a> DevSession<'a> {
    /// Tells where everything is.
    async fn print_banner(&self, applied: &Applied) -> Result<(), CliError> {
        let local = self.write_state().await?;
        let port = self.command.gateway.port;
        let is_taken = port != 0 && !local.state.endpoint.ends_with(&format!(":{port}"));
        if is_taken {
            let taken = format!("port {port} is taken: the gateway has others than usual");
            self.ui.note(&taken, None);
        }
        match self.ui.wants_json() {
            true => {
                let taken = is_taken.then_some(port);
                self.ui.json_line(&banner::json(&local, applied, taken))
            }
            false => {
                self.ui.without_lookup();
                let flag = self.command.source.flag();
                self.ui.done(&banner::text(&local, applied, &flag))
            }
        }
    }

    /// Leaves word for other commands.
    async fn write_state(&self) -> Result<Local, CliError> {
        let local = Local {
            pid: std::process::id(),
            key: self.gateway.key().to_owned(),
            state: self.gateway.state().await,
        };
        local.write(self.command.source.path())?;
        Ok(local)
    }

    /// Tells what happens and applies what changes, until it is told to stop.
    pub(super) async fn follow(
        &mut self,
        applied: &Applied,
        mut reload: Reload<'a>,
        stops: &mut Stops,
    ) -> Result<(), CliError> {
        let mut feed = Feed::new(self.gateway.events());
        self.print_banner(applied).await?;
        loop {
            tokio::select! {
                _ = stops.recv() => return Ok(()),
                batch = feed.next() => match batch {
                    Some(batch) => self.print(&batch)?,
                    None => return Ok(()),
                },
                prepared = reload.next(&self.command.source, self.ui) => {
                    // Before the change is told of: whoever hears of it may change its code next.
                    if let Ok(prepared) = &prepared {
                        reload.watch(&self.command.source, prepared).await?;
                    }
                    self.reload(prepared).await?;
                    // The change was told as a whole; that its parts wait for a deployment says nothing new.
                    let mut batch = feed.here();
                    if !self.ui.wants_json() {
                        batch.events.retain(|event| !matches!(event, Event::Undeployed { .. }));
                    }
                    self.print(&batch)?;
                }
            }
        }
    }

    /// Prints events, all of them with one write.
    fn print(&self, batch: &Batch) -> Result<(), CliError> {
        if batch.missed > 0 {
            let missed = batch.missed;
            if self.ui.wants_json() {
                let line = serde_json::json!({ "event": "missed", "count": missed });
                self.ui.json_line(&line)?;
            }
            self.ui
                .aside(&format!("{missed} events came too fast to be shown"));
        }
        if self.ui.wants_json() {
            return self.ui.json_lines(&batch.events);
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
            .filter_map(|event| self.lines.line(event, name));
        let lines: Vec<String> = lines.collect();
        match lines.is_empty() {
            true => Ok(()),
            false => self.ui.done(&lines.join("\n")),
        }
    }

    /// Ends well; a second signal ends at once.
    pub(super) async fn end(self, stops: &mut Stops) -> Outcome {
        let open = self.gateway.connections();
        if open > 0 {
            let noun = if open == 1 {
                "connection"
            } else {
                "connections"
            };
            self.ui.aside(&format!(
                "closing {open} {noun}; Ctrl-C once more ends at once"
            ));
        }
        let functions = self.gateway.account().functions.clone();
        let mut shutdown = pin!(self.gateway.shutdown());
        let signal = tokio::select! {
            // First: it begins to close connections before the signal is looked at.
            biased;
            () = &mut shutdown => return Outcome::Done,
            signal = stops.signal() => signal,
        };
        // What functions started goes all the same, and clients get their close frames.
        functions.stop().await;
        let _ = timeout(GOODBYE, shutdown).await;
        Outcome::Cut(signal)
    }

    /// Applies what was prepared. Errors are shown, and the old stays.
    async fn reload(&mut self, prepared: Result<Prepared, CliError>) -> Result<(), CliError> {
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return self.print_refusal(&error),
        };
        let apply = match self.command.redeploy {
            true => Apply::Everything,
            false => Apply::WithoutDeployments,
        };
        let template = Template {
            apply,
            ..prepared.template.clone()
        };
        match self.gateway.apply(template).await {
            Ok(applied) => {
                let before = std::mem::replace(&mut self.prepared, prepared);
                self.write_state().await?;
                self.print_changes(&before.model, &applied)
            }
            Err(wrong) => self.print_refusal(&source::problems(&prepared.template, wrong)),
        }
    }

    fn print_refusal(&self, error: &CliError) -> Result<(), CliError> {
        if self.ui.wants_json() {
            let errors = serde_json::json!({ "event": "notApplied", "refused": error.to_json() });
            return self.ui.json_line(&errors);
        }
        self.ui.error(error);
        self.ui.aside("what ran before goes on");
        Ok(())
    }

    fn print_changes(&self, before: &Model, applied: &Applied) -> Result<(), CliError> {
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
        let mut lines = changes::code(applied, &self.prepared.model);
        let wiring = changes::wiring(diff);
        lines.extend(
            wiring
                .lines()
                .map(|line| format!("{CYAN}changed{CYAN:#}    {line}")),
        );
        if lines.is_empty() {
            lines.push(format!("{DIM}saved{DIM:#}      nothing that runs changed"));
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

    /// True when a stage serves something else than the account holds.
    fn has_stale_stages(&self) -> bool {
        let apis = &self.gateway.account().apis;
        let all = apis.list_apis();
        let mut stale = all.iter().map(|api| apis.stale_stages(&api.api_id));
        stale.any(|stages| stages.is_ok_and(|stages| !stages.is_empty()))
    }
}
