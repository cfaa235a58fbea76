//! `stackgen dev`

mod banner;
mod feed;
mod lines;
mod reload;
mod watch;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use stackgen_gateway::gateway::{Gateway, Options};
use stackgen_gateway::stack::Applied;
use stackgen_gateway::{ApiId, Event, Limits, Settings};
use tokio::sync::mpsc;

use crate::Outcome;
use crate::args::duration;
use crate::error::CliError;
use crate::local::Local;
use crate::report::reason;
use crate::signals::{StopSignal, StopSignals};
use crate::source::{self, Prepared, SourceArgs};
use crate::ui::Ui;
use feed::{Batch, Feed};
use lines::Lines;
use reload::Reload;

/// Run the stack on this machine: API Gateway, Lambda, DynamoDB and an issuer of tokens
///
/// Renders the stackgen.yaml, or takes any CloudFormation, SAM or synthesised CDK template; builds its Rust functions for
/// this machine; and serves it as the stage would. It goes on until Ctrl-C, with a line an event.
///
/// Changes are applied as they are saved. New code behind an unqualified function is live at once. Wiring is not: a stage
/// serves its deployment until another one is activated, here as on AWS.
#[derive(clap::Args, Debug)]
pub(crate) struct Dev {
    #[command(flatten)]
    source: SourceArgs,

    /// Do not apply changes as they are saved
    #[arg(long)]
    no_watch: bool,

    /// Deploy changes as they are saved, too
    #[arg(long, conflicts_with = "no_watch")]
    redeploy: bool,

    /// Show what functions write, too
    #[arg(long)]
    logs: bool,

    #[command(flatten)]
    gateway: GatewayArgs,
}

/// How the gateway behaves.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Gateway")]
struct GatewayArgs {
    /// The control endpoint's port; apis take the next ones
    #[arg(long, value_name = "PORT", default_value_t = 4510)]
    port: u16,

    /// A file that keeps the tables' items; in memory when left out
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,

    /// Close connections without data either way after so long (row M13); 10m on AWS
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    idle_timeout: Option<Duration>,

    /// Close connections after so long whatever they do (row M14); 2h on AWS
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    max_duration: Option<Duration>,

    /// How many messages of one connection may be with functions at a time; with 1 they stay in order
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    messages_at_a_time: Option<u32>,

    /// How many processes one version of a function may have at a time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    concurrency: Option<u32>,

    /// How many bytes may wait for a client that does not read (row K7)
    #[arg(long, value_name = "BYTES")]
    client_buffer: Option<usize>,
}

impl GatewayArgs {
    fn options(&self, folder: PathBuf) -> Options {
        let mut settings = Settings::default();
        let Limits {
            idle,
            connection,
            client_buffer,
            messages_at_a_time,
            ..
        } = &mut settings.limits;
        *idle = self.idle_timeout.unwrap_or(*idle);
        *connection = self.max_duration.unwrap_or(*connection);
        *client_buffer = self.client_buffer.unwrap_or(*client_buffer);
        let number = |number: Option<u32>, default: usize| {
            number.map_or(default, |number| usize::try_from(number).unwrap_or(default))
        };
        *messages_at_a_time = number(self.messages_at_a_time, *messages_at_a_time);
        let functions = &mut settings.functions;
        functions.environments = number(self.concurrency, functions.environments);
        functions.path = std::env::var("PATH").ok();
        // Functions run in folders of their own.
        functions.node_modules = std::path::absolute(folder.join("node_modules")).ok();
        Options {
            settings,
            port: (self.port != 0).then_some(self.port),
            data: self.data.clone(),
            issuer_key: None,
        }
    }
}

/// A gateway that serves a project.
struct Running<'a> {
    dev: &'a Dev,
    ui: &'a Ui,
    gateway: Gateway,
    prepared: Prepared,
    lines: Lines,
}

impl Dev {
    pub(crate) fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        on_threads(self.serve(ui))?
    }

    async fn serve(&self, ui: &Ui) -> Result<Outcome, CliError> {
        let mut stop = signals()?;
        if let Ok(other) = Local::find(self.source.path()).await {
            return Err(CliError::failed(format!(
                "a local gateway runs for this project already, with process id {}",
                other.pid
            ))
            .hint("end it with Ctrl-C where it runs"));
        }
        let prepared = tokio::select! {
            prepared = self.source.prepare(ui) => prepared?,
            _ = stop.recv() => return Ok(Outcome::Done),
        };
        let started = Instant::now();
        let (begun, reload) = tokio::join!(self.begin(&prepared), self.watch(&prepared));
        let (gateway, applied) = begun?;
        ui.detail(|| format!("ready after {} ms", started.elapsed().as_millis()));
        let path = self.source.path();
        let mut running = Running {
            dev: self,
            ui,
            gateway,
            prepared,
            lines: Lines::new(self.logs),
        };
        let ended = match reload {
            Ok(reload) => running.follow(&applied, reload, &mut stop).await,
            Err(error) => Err(error),
        };
        Local::remove(path);
        let outcome = running.end(&mut stop).await;
        ended.map(|()| outcome)
    }

    /// A gateway with the project in it.
    async fn begin(&self, prepared: &Prepared) -> Result<(Gateway, Applied), CliError> {
        let folder = self.source.path().parent().map(PathBuf::from);
        let options = self.gateway.options(folder.unwrap_or_default());
        let gateway = Gateway::start(options).await;
        let gateway = gateway.map_err(|error| CliError::failed(error.to_string()))?;
        match gateway.apply(prepared.template.clone()).await {
            Ok(applied) => Ok((gateway, applied)),
            Err(problems) => {
                gateway.shutdown().await;
                Err(source::problems(&prepared.template, problems))
            }
        }
    }

    /// What tells of changes.
    async fn watch(&self, prepared: &Prepared) -> Result<Reload<'_>, CliError> {
        match self.no_watch {
            true => Ok(Reload::never()),
            false => Reload::watching(&self.source, prepared).await,
        }
    }
}

impl<'a> Running<'a> {
    /// Tells where everything is.
    async fn greet(&self, applied: &Applied) -> Result<(), CliError> {
        let local = self.remember().await?;
        let port = self.dev.gateway.port;
        if port != 0 && !local.state.endpoint.ends_with(&format!(":{port}")) {
            let taken = format!("port {port} is taken: the gateway has others than usual");
            self.ui.note(&taken, None);
        }
        match self.ui.wants_json() {
            true => self.ui.json_line(&banner::json(&local, applied)),
            false => self
                .ui
                .done(&banner::text(&local, applied, &self.dev.source.flag())),
        }
    }

    /// Leaves word for other commands.
    async fn remember(&self) -> Result<Local, CliError> {
        let local = Local {
            pid: std::process::id(),
            key: self.gateway.key().to_owned(),
            state: self.gateway.state().await,
        };
        local.write(self.dev.source.path())?;
        Ok(local)
    }

    /// Tells what happens and applies what changes, until it is told to stop.
    async fn follow(
        &mut self,
        applied: &Applied,
        mut reload: Reload<'a>,
        stop: &mut mpsc::Receiver<StopSignal>,
    ) -> Result<(), CliError> {
        let mut feed = Feed::new(self.gateway.events());
        self.greet(applied).await?;
        loop {
            tokio::select! {
                _ = stop.recv() => return Ok(()),
                batch = feed.next() => match batch {
                    Some(batch) => self.tell(&batch)?,
                    None => return Ok(()),
                },
                prepared = reload.next(&self.dev.source, self.ui) => {
                    // Before the change is told of: whoever hears of it may change its code next.
                    if let Ok(prepared) = &prepared {
                        reload.watch(&self.dev.source, prepared).await?;
                    }
                    self.reload(prepared).await?;
                    // The change was told as a whole; that its parts wait for a deployment says nothing new.
                    let mut batch = feed.here();
                    if !self.ui.wants_json() {
                        batch.events.retain(|event| !matches!(event, Event::Undeployed { .. }));
                    }
                    self.tell(&batch)?;
                }
            }
        }
    }

    /// Prints events, all of them with one write.
    fn tell(&mut self, batch: &Batch) -> Result<(), CliError> {
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
    async fn end(self, stop: &mut mpsc::Receiver<StopSignal>) -> Outcome {
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
        tokio::select! {
            () = self.gateway.shutdown() => Outcome::Done,
            signal = stop.recv() => {
                // What functions started goes all the same.
                functions.stop().await;
                Outcome::Cut(signal.unwrap_or(StopSignal::Terminate))
            }
        }
    }
}

/// A message for every signal that asks the process to stop.
fn signals() -> Result<mpsc::Receiver<StopSignal>, CliError> {
    let (sender, stop) = mpsc::channel(2);
    let mut signals = StopSignals::listen()
        .map_err(|error| CliError::failed(format!("cannot listen for Ctrl-C: {error}")))?;
    tokio::spawn(async move { while sender.send(signals.recv().await).await.is_ok() {} });
    Ok(stop)
}

/// Runs on all processors: sockets and functions of a gateway do not wait for each other.
fn on_threads<T>(work: impl Future<Output = T>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime
        .map_err(|error| CliError::failed(format!("cannot start threads: {}", reason(&error))))?;
    Ok(runtime.block_on(work))
}
