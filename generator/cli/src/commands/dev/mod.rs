//! `stackgen dev`

mod args;
mod aws;
mod banner;
mod changed_file;
mod changes;
mod console;
mod digest;
mod feed;
mod lines;
mod noise;
mod open;
mod page;
mod record;
mod reload;
mod session;
mod stop;
mod variables;
mod watch;

use std::panic::resume_unwind;
use std::time::Instant;

use stackgen_gateway::gateway::{Gateway, GatewayOptions};
use stackgen_gateway::outbound::AccountAccess;
use stackgen_gateway::stack::{ApplyResult, template_scope};

pub(super) use args::DevCommand;

use crate::error::{CliError, reason};
use crate::local::LocalGateway;
use crate::outcome::CommandOutcome;
use crate::own_gateway;
use crate::runtime::run_on_all_processors;
use crate::source::{self, PreparedStack};
use crate::ui::Ui;
use console::DevProject;
use feed::EventFeed;
use lines::EventLines;
use noise::OwnFiles;
use record::DevRecorder;
use reload::Reload;
use session::DevSession;
use stop::{StopReasons, catch_panic};

/// A gateway that serves the project, and what follows it.
struct StartedGateway {
    gateway: Gateway,
    feed: EventFeed,
    applied: ApplyResult,
    /// Writer of the recording, with `--record`.
    recorder: Option<DevRecorder>,
}

impl DevCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let result = run_on_all_processors(self.serve(ui)).and_then(|result| result);
        match result {
            Err(error) if ui.wants_json() && ui.json_line(&banner::failure(&error)).is_ok() => {
                Ok(error.outcome())
            }
            result => result,
        }
    }

    async fn serve(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let mut stops = StopReasons::listen()?;
        let path = self.source.path();
        match LocalGateway::find(path).await {
            Ok(other) => {
                return Err(CliError::failed(format!(
                    "a local gateway already runs for this project, with process ID {}",
                    other.pid
                ))
                .hint("end it with Ctrl-C in its terminal"));
            }
            // A gateway that was killed may have left its file.
            Err(_) => LocalGateway::forget(path),
        }
        let account = tokio::select! {
            account = self.connect_account(ui) => account?,
            _ = stops.recv() => return Ok(CommandOutcome::Done),
        };
        let prepared = tokio::select! {
            prepared = self.source.prepare(ui) => prepared?,
            _ = stops.recv() => return Ok(CommandOutcome::Done),
        };
        let started = Instant::now();
        let (started_gateway, reload) = tokio::select! {
            both = async { tokio::join!(self.start_gateway(&prepared, account, ui), self.watch(&prepared)) } => both,
            _ = stops.recv() => return Ok(CommandOutcome::Done),
        };
        let StartedGateway {
            gateway,
            feed,
            applied,
            recorder,
        } = started_gateway?;
        ui.detail(|| format!("ready after {} ms", started.elapsed().as_millis()));
        let mut session = DevSession {
            command: self,
            ui,
            gateway,
            prepared,
            lines: EventLines::new(self.logs),
        };
        let ended = catch_panic(async {
            let reload = reload?;
            session.follow(&applied, feed, reload, &mut stops).await
        });
        let ended = ended.await;
        LocalGateway::remove(path, std::process::id());
        let outcome = session.end(&mut stops).await;
        let recorded = match recorder {
            Some(recorder) => recorder.finish(ui).await,
            None => Ok(()),
        };
        match ended {
            Ok(ended) => all_errors([ended, recorded]).map(|()| outcome),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Starts a gateway and applies the project to it.
    async fn start_gateway(
        &self,
        prepared: &PreparedStack,
        account: Option<AccountAccess>,
        ui: &Ui,
    ) -> Result<StartedGateway, CliError> {
        let console = DevProject::of(&self.source);
        let options = self.gateway.options(self.source.path(), account, console);
        let options = options.map_err(|error| {
            CliError::failed(format!(
                "cannot find the path of this program: {}",
                reason(&error)
            ))
        })?;
        let options = match options.account {
            Some(_) => options,
            None => self.of_template(options, prepared, ui),
        };
        let gateway = Gateway::start(options).await;
        let gateway = gateway.map_err(|error| own_gateway::start_failed(&error))?;
        // Before the template is applied, because pollers of queues report what is missing only once.
        let feed = EventFeed::new(gateway.events());
        let recorder = match &self.record {
            Some(path) => Some(DevRecorder::start(path, &gateway)?),
            None => None,
        };
        match gateway.apply(prepared.template.clone()).await {
            Ok(applied) => Ok(StartedGateway {
                gateway,
                feed,
                applied,
                recorder,
            }),
            Err(problems) => {
                gateway.shutdown().await;
                Err(source::problems(prepared, problems))
            }
        }
    }

    /// Uses the account and the region for which the template is written.
    fn of_template(
        &self,
        mut options: GatewayOptions,
        prepared: &PreparedStack,
        ui: &Ui,
    ) -> GatewayOptions {
        let scope = &mut options.settings.scope;
        let mut written_for = scope.clone();
        let provider = prepared.configuration.as_ref();
        let provider = provider.and_then(|configuration| configuration.region.clone());
        let has_provider = provider.is_some();
        if let Some(region) = provider {
            written_for.region = region;
        }
        let found = template_scope(&prepared.model, written_for);
        if *scope != found {
            let (account, region) = (&found.account, &found.region);
            let why = match has_provider {
                true => "the configuration names its account or region",
                false => "the template names its account or region in ARNs",
            };
            let note = format!("{why}, so the gateway stands for account {account} in {region}");
            ui.note(&note, None);
            if scope.region != found.region {
                // An authority issues certificates for the hosts of one region only.
                let folder = options.authority.take();
                options.authority = folder.map(|folder| folder.join(region));
            }
            *scope = found;
        }
        options
    }

    /// Starts to watch for changes.
    async fn watch(&self, prepared: &PreparedStack) -> Result<Reload<'_>, CliError> {
        match self.no_watch {
            true => Ok(Reload::never()),
            false => {
                let own = OwnFiles::of_process(self.gateway.data_file(), self.record.as_deref());
                Reload::watching(prepared, own).await
            }
        }
    }
}

/// Returns all errors of several results as one, in their order.
fn all_errors(results: [Result<(), CliError>; 2]) -> Result<(), CliError> {
    let errors = results.into_iter().filter_map(Result::err).collect();
    CliError::all(errors).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_recording_does_not_hide_why_the_gateway_ended() {
        let failed = |message: &str| Err(CliError::failed(message));
        let messages = |results| {
            let problems = all_errors(results).err().map(|error| error.problems);
            let problems = problems.into_iter().flatten();
            let messages = problems.map(|one| one.problem.message);
            messages.collect::<Vec<_>>()
        };
        let both = messages([failed("the reload failed"), failed("the disk is full")]);
        assert_eq!(both, ["the reload failed", "the disk is full"]);
        assert_eq!(
            messages([Ok(()), failed("the disk is full")]),
            ["the disk is full"]
        );
        assert_eq!(messages([Ok(()), Ok(())]), [""; 0]);
    }
}
