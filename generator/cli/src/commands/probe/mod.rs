//! `stackgen probe`

mod actions;
mod caller;
mod human;
mod records;

use std::path::PathBuf;

use serde::Serialize;
use stackgen_deploy::selector::ApiSelector;
use stackgen_deploy::{ApiId, ApiProtocol, Interrupt, StageName};
use stackgen_gateway::FailureRecord;
use stackgen_gateway::apis::ProtocolType;
use stackgen_gateway::gateway::ApiEndpoint;
use stackgen_network::NetworkOptions;
use stackgen_probe::{
    BrowserView, ConnectError, Explanation, HandshakeOutcome, ProbeEvent, ProbeReport, ProbeTarget,
    explain, explain_with_records, run,
};

use crate::account::{AccountArgs, TargetArgs, resolve_probe_target};
use crate::error::CliError;
use crate::local::LocalGateway;
use crate::outcome::CommandOutcome;
use crate::project::{Project, ProjectArgs};
use crate::runtime::block_on;
use crate::signals::stop_requested;
use crate::template;
use crate::ui::Ui;

/// Connect to a WebSocket API as a caller, and explain what happens
///
/// Shows what browsers hide: status and body of a handshake that fails. Sends messages, waits for expected ones, measures
/// latency, and explains errors, close codes and silence: cause, evidence, next step, and rows of the API Gateway reference.
///
/// Tokens and keys are never shown. HTTPS_PROXY, HTTP_PROXY, NO_PROXY and AWS_CA_BUNDLE apply.
///
/// Exits with 0 if all expectations were met, with 3 if one was not, and with 1 if there was no answer.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ProbeCommand {
    /// WebSocket URL, wss:// or ws:// (default: the URL of the API in the account or the local gateway)
    #[arg(value_name = "URL", conflicts_with_all = ["api", "api_id", "stage_name", "local", "profile", "region", "assume_role"])]
    url: Option<String>,

    /// Name of the API (default: the stack's WebSocket API)
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "api_id",
        help_heading = "Target"
    )]
    api: Option<String>,

    /// ID of the API, which need not be in a project file
    #[arg(long, value_name = "ID", help_heading = "Target")]
    api_id: Option<String>,

    /// Stage of the API (default: the only one)
    #[arg(long, value_name = "STAGE", help_heading = "Target")]
    stage_name: Option<String>,

    /// Project file
    #[arg(
        long,
        short,
        value_name = "FILE",
        default_value = "stackgen.yaml",
        help_heading = "Target"
    )]
    file: PathBuf,

    /// Environment (default: the only one; with `--local`, the one that is running)
    #[arg(long = "env", short, value_name = "ENV", help_heading = "Target")]
    environment: Option<String>,

    #[command(flatten)]
    account: AccountArgs,

    #[command(flatten)]
    caller: caller::CallerArgs,

    #[command(flatten)]
    actions: actions::ActionArgs,

    /// Show what a page in a browser would see
    #[arg(long, help_heading = "Output")]
    browser: bool,
}

const EXAMPLES: &str = "\
Examples:
  stackgen probe wss://abc123.execute-api.eu-west-1.amazonaws.com/prod
  stackgen probe --env prod --as anonymous --expect-status 401
  stackgen probe --endpoint-url http://127.0.0.1:4510 --region us-east-1 --api chat-api-dev
  stackgen probe --local --as alice --send '{\"action\":\"ping\"}' --expect '{\"type\":\"pong\"}'
  stackgen probe wss://… --token-env TOKEN --token-in header --hold 11m --expect-close 1001
  stackgen probe --local --send @echo.json --count 1000 --concurrency 20";

/// Output of `--json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProbeOutput<'a> {
    #[serde(flatten)]
    report: &'a ProbeReport,
    passed: bool,
    browser: BrowserView,
    explanations: &'a [Explanation],
    /// Records of the local gateway.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    gateway: &'a [FailureRecord],
}

/// URL of a stage, and the settings of connections to it.
struct StageAddress {
    url: String,
    network: NetworkOptions,
}

impl ProbeCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        block_on(self.probe(ui))
    }

    async fn probe(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let local = self.account.gateway(&self.file).await?;
        let StageAddress { url, network } = self.address(local.as_ref(), ui).await?;
        let target = ProbeTarget::new(&url).map_err(caller::bad_target)?;
        let target = target.network(&network);
        let mut target = target.map_err(|error| CliError::failed(error.to_string()))?;
        target.timeout = self.actions.connect_timeout;
        let declared = self.declared(local.as_ref(), ui)?;
        let known = caller::CallerContext {
            local: local.as_ref(),
            declared,
        };
        let (target, caller) = self.caller.apply(target, &known, ui).await?;
        let plan = self.actions.plan(caller)?;
        ui.done(&human::opening(&target, &plan))?;
        let mut printed = Ok(());
        let mut print = |event: ProbeEvent<'_>| {
            if printed.is_ok() {
                printed = ui.done(&human::event(event));
            }
        };
        let interrupted = async {
            let _ = stop_requested().await;
        };
        let report = run(&target, &plan, interrupted, &mut print).await;
        printed?;
        let mut explanations = explain(&report);
        let mut failures = Vec::new();
        if let (Some(local), false) = (&local, explanations.is_empty()) {
            failures = records::look_up(local, &report, target.secrets(), ui).await;
            let evidence: Vec<_> = failures.iter().map(records::as_evidence).collect();
            explanations = explain_with_records(&report, &evidence);
        }
        if ui.wants_json() {
            ui.json_result(&ProbeOutput {
                report: &report,
                passed: report.passed(),
                browser: report.browser(),
                explanations: &explanations,
                gateway: &failures,
            })?;
        } else {
            ui.print(&human::ending(&report, &explanations, self.browser))?;
        }
        Ok(outcome(&report))
    }

    async fn address(
        &self,
        local: Option<&LocalGateway>,
        ui: &Ui,
    ) -> Result<StageAddress, CliError> {
        match (&self.url, local) {
            (Some(url), _) => Ok(StageAddress {
                url: url.clone(),
                network: self.account.network().await?,
            }),
            (None, Some(local)) => Ok(StageAddress {
                url: self.local_url(local)?,
                network: NetworkOptions::default(),
            }),
            (None, None) => self.account_address(ui).await,
        }
    }

    /// Returns the named API, or the only WebSocket API.
    fn websocket_api<'a>(&self, local: &'a LocalGateway) -> Result<&'a ApiEndpoint, CliError> {
        let apis = local.state.apis.iter();
        let mut websocket = apis.filter(|api| api.protocol_type == ProtocolType::WebSocket);
        let named = self.api.as_deref().or(self.api_id.as_deref());
        match (named, websocket.next(), websocket.next()) {
            (None, Some(only), None) => Ok(only),
            (None, None, _) => Err(CliError::failed("the local gateway has no WebSocket API")),
            (named, ..) => local.api(named),
        }
    }

    fn names_an_api(&self) -> bool {
        self.api.is_some() || self.api_id.is_some()
    }

    fn local_url(&self, local: &LocalGateway) -> Result<String, CliError> {
        let api = self.websocket_api(local)?;
        let mut stages = api.stages.iter();
        let found = match &self.stage_name {
            Some(name) => stages.find(|stage| stage.name.as_str() == name),
            None if api.stages.len() == 1 => stages.next(),
            None => None,
        };
        let names: Vec<_> = api.stages.iter().map(|stage| stage.name.as_str()).collect();
        let found = found.map(|stage| stage.url.clone());
        found.ok_or_else(|| {
            CliError::input(format!("no stage of {} is selected", api.name)).hint(format!(
                "name one with `--stage-name`: {}",
                names.join(", ")
            ))
        })
    }

    /// Returns the address of the stage in the account.
    async fn account_address(&self, ui: &Ui) -> Result<StageAddress, CliError> {
        if !self.names_an_api() && !self.file.exists() {
            return Err(CliError::input("no URL is given").hint(
                "give a URL, use `--local`, or name an API of the account with `--api` or `--api-id`",
            ));
        }
        let selector = match (&self.api, &self.api_id) {
            (Some(name), _) => Some(ApiSelector::Name(name.clone())),
            (None, Some(id)) => Some(ApiSelector::Id(ApiId::new(id))),
            (None, None) => None,
        };
        let stage = self.stage_name.as_deref().map(StageName::new);
        let project = TargetArgs::of_project(&self.file, self.environment.as_deref());
        let target = resolve_probe_target(selector, stage, &project, ui)?;
        let account = self.account.connect_in(None, ui).await?;
        let never = Interrupt::never();
        let ctx = account.context(&|_| {}, &never);
        let (api, stage) = target.find(&account, ctx).await?;
        if api.protocol == ApiProtocol::Http {
            let message = format!("{} is an HTTP API, not a WebSocket API", api.name);
            return Err(CliError::input(message).hint("name another API with `--api`"));
        }
        let url = api.url(&stage.name).ok_or_else(|| {
            let message = format!("{} is reachable only through a custom domain", api.name);
            CliError::input(message).hint("give its URL: `stackgen probe wss://…`")
        })?;
        let network = account.network;
        Ok(StageAddress { url, network })
    }

    /// Returns the callers that the API's project file declares.
    fn declared(
        &self,
        local: Option<&LocalGateway>,
        ui: &Ui,
    ) -> Result<Option<caller::DeclaredCallers>, CliError> {
        let is_of_project = self.url.is_none() && (local.is_some() || !self.names_an_api());
        let is_needed = is_of_project || self.environment.is_some();
        if !is_needed || !self.file.exists() || template::is_template(&self.file) {
            return Ok(None);
        }
        let args = ProjectArgs {
            file: self.file.clone(),
            unbuilt: true,
        };
        let project = Project::load(&args, ui)?;
        let running = local.and_then(|local| local.environment(&project));
        if local.is_some() && running.is_none() && self.environment.is_none() {
            return Ok(None);
        }
        let environment = self.environment.as_deref().or(running).map(str::to_owned);
        let environments = project.environments(environment.as_slice())?;
        let authorizer = environments
            .first()
            .map(|environment| project.authorizer(environment));
        Ok(authorizer.map(caller::DeclaredCallers::new))
    }
}

fn outcome(report: &ProbeReport) -> CommandOutcome {
    match &report.outcome {
        HandshakeOutcome::Error(ConnectError::Interrupted) => CommandOutcome::Found,
        HandshakeOutcome::Error(_) => CommandOutcome::Failed,
        HandshakeOutcome::Handshake(_) if report.passed() => CommandOutcome::Done,
        HandshakeOutcome::Handshake(_) => CommandOutcome::Found,
    }
}
