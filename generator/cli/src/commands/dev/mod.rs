//! `stackgen dev`

mod banner;
mod feed;
mod lines;
mod reload;
mod stop;
mod variables;
mod watch;

use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::{Duration, Instant};

use stackgen_gateway::gateway::{Gateway, GatewayOptions, StartError};
use stackgen_gateway::stack::ApplyResult;
use stackgen_gateway::{ApiId, Event, Limits, Settings};
use tokio::time::timeout;

use crate::Outcome;
use crate::args::duration;
use crate::error::CliError;
use crate::local::Local;
use crate::report::reason;
use crate::source::{self, Prepared, SourceArgs};
use crate::ui::Ui;
use crate::watcher;
use feed::{Batch, Feed};
use lines::Lines;
use reload::Reload;
use stop::{Stops, catch_panic};

/// How long clients may take to answer their close frames when a second signal ends everything at once.
const GOODBYE: Duration = Duration::from_millis(500);

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
    fn options(&self, project: &Path) -> std::io::Result<GatewayOptions> {
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
        let folder = project.parent().unwrap_or(Path::new(""));
        functions.node_modules = std::path::absolute(folder.join("node_modules")).ok();
        functions.watcher = Some(watcher::command(project)?);
        Ok(GatewayOptions {
            settings,
            port: (self.port != 0).then_some(self.port),
            data: self.data.clone(),
            issuer_key: None,
        })
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
        let result = on_threads(self.serve(ui)).and_then(|result| result);
        match result {
            Err(error) if ui.wants_json() && ui.json_line(&banner::failure(&error)).is_ok() => {
                Ok(error.outcome())
            }
            result => result,
        }
    }

    async fn serve(&self, ui: &Ui) -> Result<Outcome, CliError> {
        let mut stops = Stops::listen()?;
        let path = self.source.path();
        match Local::find(path).await {
            Ok(other) => {
                return Err(CliError::failed(format!(
                    "a local gateway runs for this project already, with process id {}",
                    other.pid
                ))
                .hint("end it with Ctrl-C where it runs"));
            }
            // One that was killed may have left its file.
            Err(_) => Local::forget(path),
        }
        let prepared = tokio::select! {
            prepared = self.source.prepare(ui) => prepared?,
            _ = stops.recv() => return Ok(Outcome::Done),
        };
        let started = Instant::now();
        let (begun, reload) = tokio::select! {
            begun = async { tokio::join!(self.begin(&prepared), self.watch(&prepared)) } => begun,
            _ = stops.recv() => return Ok(Outcome::Done),
        };
        let (gateway, applied) = begun?;
        ui.detail(|| format!("ready after {} ms", started.elapsed().as_millis()));
        let mut running = Running {
            dev: self,
            ui,
            gateway,
            prepared,
            lines: Lines::new(self.logs),
        };
        let ended = catch_panic(async {
            let reload = reload?;
            running.follow(&applied, reload, &mut stops).await
        });
        let ended = ended.await;
        Local::remove(path, std::process::id());
        let outcome = running.end(&mut stops).await;
        match ended {
            Ok(ended) => ended.map(|()| outcome),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// A gateway with the project in it.
    async fn begin(&self, prepared: &Prepared) -> Result<(Gateway, ApplyResult), CliError> {
        let options = self.gateway.options(self.source.path());
        let options = options.map_err(|error| {
            CliError::failed(format!("cannot find this program: {}", reason(&error)))
        })?;
        let gateway = Gateway::start(options).await;
        let gateway = gateway.map_err(|error| start_failed(&error))?;
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
    async fn greet(&self, applied: &ApplyResult) -> Result<(), CliError> {
        let local = self.remember().await?;
        let port = self.dev.gateway.port;
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
        applied: &ApplyResult,
        mut reload: Reload<'a>,
        stops: &mut Stops,
    ) -> Result<(), CliError> {
        let mut feed = Feed::new(self.gateway.events());
        self.greet(applied).await?;
        loop {
            tokio::select! {
                _ = stops.recv() => return Ok(()),
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
    async fn end(self, stops: &mut Stops) -> Outcome {
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
}

fn start_failed(error: &StartError) -> CliError {
    match error {
        StartError::Tables(tables) => match tables.hint() {
            Some(hint) => CliError::input(error.to_string()).hint(hint),
            None => CliError::failed(error.to_string()),
        },
        _ => CliError::failed(error.to_string()),
    }
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
