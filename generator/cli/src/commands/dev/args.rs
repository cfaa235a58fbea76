//! Flags of `stackgen dev`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use stackgen_gateway::gateway::GatewayOptions;
use stackgen_gateway::outbound::{AccountAccess, ServicesUrl};
use stackgen_gateway::{Limits, Settings};

use super::console::DevProject;
use crate::local::LocalGateway;
use crate::own_gateway;
use crate::source::SourceArgs;
use crate::values::duration;

/// Run the stack on this machine: API Gateway, Lambda, DynamoDB and a token issuer
///
/// Renders stackgen.yaml, or reads the template of any tool: CloudFormation, SAM, CDK (`cdk.out`) or the Serverless Framework
/// (`.serverless`). Builds Rust functions, finds the code of others where the tool put it, and serves the stack as the stage
/// would, until Ctrl-C. Prints one line per event. Also serves the web page that `page` in stackgen.yaml names.
///
/// Changes are applied when files are saved. New code behind an unqualified function ARN is live at once. A change of the
/// wiring is not: as on AWS, the stage serves its deployment until another one is activated.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DevCommand {
    #[command(flatten)]
    pub(super) source: SourceArgs,

    /// Print the logs of functions
    #[arg(long, help_heading = "Functions")]
    pub(super) logs: bool,

    /// Do not apply changes when files are saved
    #[arg(long, help_heading = "Changes")]
    pub(super) no_watch: bool,

    /// Also deploy changes when files are saved
    #[arg(long, conflicts_with = "no_watch", help_heading = "Changes")]
    pub(super) redeploy: bool,

    /// Open a page in the browser (default: the console)
    #[arg(
        long,
        value_enum,
        value_name = "PAGE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "console",
        help_heading = "Browser"
    )]
    pub(super) open: Option<OpenPage>,

    /// Write a recording of all connections, for `stackgen replay`; tokens are left out
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) record: Option<PathBuf>,

    #[command(flatten)]
    pub(super) gateway: GatewayArgs,
}

/// Page that `--open` opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum OpenPage {
    /// Connections, frames and deployments of the gateway.
    Console,
    /// The stack's web page, which `page` in stackgen.yaml names.
    Page,
}

const EXAMPLES: &str = "\
Examples:
  stackgen dev
  stackgen dev --open
  stackgen dev --open=page
  stackgen dev --env prod --logs --data items.db
  stackgen dev --services http://127.0.0.1:4566
  stackgen dev --aws --profile sandbox
  stackgen dev --record session.jsonl
  stackgen dev template.yaml --parameter Stage=dev
  stackgen dev cdk.out --stack Chat
  stackgen dev .serverless";

/// Flags of the gateway.
#[derive(Args, Debug)]
#[command(next_help_heading = "Gateway")]
pub(crate) struct GatewayArgs {
    /// Port of the control endpoint; APIs use the ports after it
    #[arg(long, value_name = "PORT", default_value_t = 4510)]
    pub(super) port: u16,

    /// Endpoint for services that do not run here, such as LocalStack or ministack (default: calls of them fail)
    #[arg(long, value_name = "URL")]
    pub(super) services: Option<ServicesUrl>,

    #[command(flatten)]
    pub(super) aws: AwsArgs,

    /// File to store items of tables in (default: in memory)
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,

    /// Port of the tables, for code that calls DynamoDB at a fixed address such as localhost:8000 (default: any free port)
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    tables_port: Option<u16>,

    /// Time without data after which a connection is closed (row M13) (default: 10m, as on AWS)
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    idle_timeout: Option<Duration>,

    /// Age at which a connection is closed (row M14) (default: 2h, as on AWS)
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    max_duration: Option<Duration>,

    /// Maximum number of messages of a connection that functions handle at a time; 1 keeps them in order
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    messages_at_a_time: Option<u32>,

    /// Maximum number of concurrent processes of a function version
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    concurrency: Option<u32>,

    /// Bytes to buffer for a client that does not read (row K7)
    #[arg(long, value_name = "BYTES")]
    client_buffer: Option<usize>,
}

/// Flags of calls to an account of AWS.
#[derive(Args, Debug)]
#[command(next_help_heading = "AWS")]
pub(crate) struct AwsArgs {
    /// Send calls of services that do not run here to your account of AWS, after asking
    #[arg(long, conflicts_with = "services")]
    pub(super) aws: bool,

    /// Do not ask before calls go to the account
    #[arg(long, requires = "aws")]
    pub(super) yes: bool,

    /// Profile in ~/.aws/config (default: AWS_PROFILE)
    #[arg(long, value_name = "PROFILE", requires = "aws")]
    pub(super) profile: Option<String>,

    /// Region (default: AWS_REGION, then the profile's)
    #[arg(long, value_name = "REGION", requires = "aws")]
    pub(super) region: Option<String>,

    /// Endpoint to call in place of AWS
    #[arg(long, value_name = "URL", requires = "aws")]
    pub(super) endpoint_url: Option<String>,
}

impl GatewayArgs {
    /// Returns the file of the tables' items.
    pub(super) fn data_file(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    /// Returns the gateway's options.
    pub(super) fn options(
        &self,
        project: &Path,
        account: Option<AccountAccess>,
        console: DevProject,
    ) -> std::io::Result<GatewayOptions> {
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
        own_gateway::set_machine(functions, project)?;
        Ok(GatewayOptions {
            settings,
            port: (self.port != 0).then_some(self.port),
            data: self.data.clone(),
            tables_port: self.tables_port,
            issuer_key: None,
            authority: Some(std::path::absolute(LocalGateway::authority(project))?),
            services: self.services.clone(),
            account,
            project: Some(Arc::new(console)),
        })
    }
}
