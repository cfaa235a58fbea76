//! Flags of `stackgen dev`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use stackgen_gateway::gateway::Options;
use stackgen_gateway::{Limits, Settings};

use crate::source::SourceArgs;
use crate::values::duration;
use crate::watcher;

/// Run the stack on this machine: API Gateway, Lambda, DynamoDB and an issuer of tokens
///
/// Renders the stackgen.yaml, or takes any CloudFormation, SAM or synthesised CDK template; builds its Rust functions for
/// this machine; and serves it as the stage would. It goes on until Ctrl-C, with a line an event.
///
/// Changes are applied as they are saved. New code behind an unqualified function is live at once. Wiring is not: a stage
/// serves its deployment until another one is activated, here as on AWS.
#[derive(Args, Debug)]
pub(crate) struct DevCommand {
    #[command(flatten)]
    pub(super) source: SourceArgs,

    /// Do not apply changes as they are saved
    #[arg(long)]
    pub(super) no_watch: bool,

    /// Deploy changes as they are saved, too
    #[arg(long, conflicts_with = "no_watch")]
    pub(super) redeploy: bool,

    /// Show what functions write, too
    #[arg(long)]
    pub(super) logs: bool,

    #[command(flatten)]
    pub(super) gateway: GatewayArgs,
}

/// Flags of the gateway.
#[derive(Args, Debug)]
#[command(next_help_heading = "Gateway")]
pub(crate) struct GatewayArgs {
    /// The control endpoint's port; apis take the next ones
    #[arg(long, value_name = "PORT", default_value_t = 4510)]
    pub(super) port: u16,

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
    /// Returns the gateway's options.
    pub(super) fn options(&self, project: &Path) -> std::io::Result<Options> {
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
        Ok(Options {
            settings,
            port: (self.port != 0).then_some(self.port),
            data: self.data.clone(),
            issuer_key: None,
        })
    }
}
