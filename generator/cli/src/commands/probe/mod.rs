//! `stackgen probe`

mod actions;
mod caller;
mod human;
mod records;

use std::path::PathBuf;

use serde::Serialize;
use stackgen_deploy::{Interrupt, Protocol};
use stackgen_gateway::FailureRecord;
use stackgen_gateway::apis::ProtocolType;
use stackgen_gateway::gateway::ApiEndpoint;
use stackgen_probe::{
    BrowserView, ConnectError, Explanation, HandshakeOutcome, ProbeEvent, ProbeReport, ProbeTarget,
    TargetError, explain, explain_with_records, run,
};

use crate::Outcome;
use crate::account::{AccountArgs, block_on, resolve_probe_target};
use crate::error::CliError;
use crate::local::Local;
use crate::project::{Project, ProjectArgs};
use crate::signals::stop_requested;
use crate::template;
use crate::ui::Ui;

/// Connect to a WebSocket API as a caller and explain the result
///
/// Shows what browsers hide: the status and the body of a refused handshake. Sends messages, waits for expected ones, holds
/// the connection, measures response times, and explains errors, close codes and missing answers with cause, evidence,
/// next step and rows of the API Gateway reference.
///
/// The output never contains tokens and keys. Proxies are not used.
///
/// Exits with 0 if all expectations are met, with 3 if not, and with 1 if the handshake gets no answer.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ProbeCommand {
    /// WebSocket URL, wss:// or ws:// (default: found in the account or the local gateway)
    #[arg(value_name = "URL", conflicts_with_all = ["api", "stage", "local", "profile", "region", "endpoint_url"])]
    url: Option<String>,

    /// Name or ID of the API (default: the stack's WebSocket API)
    #[arg(long, visible_alias = "api-id", value_name = "API")]
    api: Option<String>,

    /// Stage (default: the API's only stage)
    #[arg(long, visible_alias = "stage-name", value_name = "STAGE")]
    stage: Option<String>,

    /// Project file that declares the API and its callers
    #[arg(long, short, value_name = "FILE", default_value = "stackgen.yaml")]
    file: PathBuf,

    /// Environment (default: the only one; with `--local`, the one that is running)
    #[arg(long = "env", short, value_name = "ENV")]
    environment: Option<String>,

    #[command(flatten)]
    account: AccountArgs,

    #[command(flatten)]
    caller: caller::CallerArgs,

    #[command(flatten)]
    actions: actions::ActionArgs,

    /// Also show what a page in a browser would have seen
    #[arg(long)]
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
struct JsonReport<'a> {
    #[serde(flatten)]
    report: &'a ProbeReport,
    passed: bool,
    browser: BrowserView,
    explanations: &'a [Explanation],
    /// Failures that the local gateway recorded.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    gateway: &'a [FailureRecord],
}

impl ProbeCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        block_on(self.probe(ui))
    }

    async fn probe(&self, ui: &Ui) -> Result<Outcome, CliError> {
        let local = self.account.gateway(&self.file).await?;
        let url = match (&self.url, &local) {
            (Some(url), _) => url.clone(),
            (None, Some(local)) => self.local_url(local)?,
            (None, None) => self.account_url(ui).await?,
        };
        let mut target = ProbeTarget::new(&url).map_err(invalid_target)?;
        target.timeout = self.actions.connect_timeout;
        let declared = self.declared(local.as_ref(), ui)?;
        let sources = caller::CallerSources {
            local: local.as_ref(),
            declared,
        };
        let (target, caller) = self.caller.apply(target, &sources, ui).await?;
        let plan = self.actions.plan(caller)?;
        ui.done(&human::opening_line(&target, &plan))?;
        let mut printed = Ok(());
        let mut on_event = |event: ProbeEvent<'_>| {
            if printed.is_ok() {
                printed = ui.done(&human::event(event));
            }
        };
        let interrupted = async {
            let _ = stop_requested().await;
        };
        let report = run(&target, &plan, interrupted, &mut on_event).await;
        printed?;
        let mut explanations = explain(&report);
        let mut failures = Vec::new();
        if let (Some(local), false) = (&local, explanations.is_empty()) {
            failures = records::look_up(local, &report, target.secrets(), ui).await;
            let evidence: Vec<_> = failures.iter().map(records::as_evidence).collect();
            explanations = explain_with_records(&report, &evidence);
        }
        if ui.wants_json() {
            ui.json_result(&JsonReport {
                report: &report,
                passed: report.passed(),
                browser: report.browser(),
                explanations: &explanations,
                gateway: &failures,
            })?;
        } else {
            ui.result(&human::conclusion(&report, &explanations, self.browser))?;
        }
        Ok(outcome(&report))
    }

    /// Returns the API of `--api`, or the only WebSocket API.
    fn websocket_api<'a>(&self, local: &'a Local) -> Result<&'a ApiEndpoint, CliError> {
        let apis = local.state.apis.iter();
        let mut websocket_apis = apis.filter(|api| api.protocol_type == ProtocolType::WebSocket);
        match (&self.api, websocket_apis.next(), websocket_apis.next()) {
            (None, Some(only), None) => Ok(only),
            (None, None, _) => Err(CliError::failed("the local gateway has no WebSocket API")),
            (name, ..) => local.api(name.as_deref()),
        }
    }

    fn local_url(&self, local: &Local) -> Result<String, CliError> {
        let api = self.websocket_api(local)?;
        let mut stages = api.stages.iter();
        let found = match &self.stage {
            Some(name) => stages.find(|stage| stage.name.as_str() == name),
            None if api.stages.len() == 1 => stages.next(),
            None => None,
        };
        let names: Vec<_> = api.stages.iter().map(|stage| stage.name.as_str()).collect();
        let found = found.map(|stage| stage.url.clone());
        found.ok_or_else(|| {
            let problem = match &self.stage {
                Some(name) => format!("{} has no stage {name}", api.name),
                None => format!("{} has {} stages", api.name, names.len()),
            };
            CliError::input(problem)
                .hint(format!("choose one with `--stage`: {}", names.join(", ")))
        })
    }

    /// Finds the stage's URL in the account.
    async fn account_url(&self, ui: &Ui) -> Result<String, CliError> {
        if self.api.is_none() && !self.file.exists() {
            return Err(CliError::input("no URL is given")
                .hint("give one, or use `--local`, or name an API of the account with `--api`"));
        }
        let (api, stage) = (self.api.as_deref(), self.stage.as_deref());
        let project = (self.file.as_path(), self.environment.as_deref());
        let goal = resolve_probe_target(api, stage, project, ui)?;
        let account = self.account.connect(None, &[]).await?;
        let never = Interrupt::never();
        let ctx = account.context(&|_| {}, &never);
        let (api, stage) = goal.find(&account, ctx).await?;
        if api.protocol == Protocol::Http {
            let message = format!("{} is an HTTP API, not a WebSocket API", api.name);
            return Err(CliError::input(message).hint("choose another API with `--api`"));
        }
        api.url(&stage.name).ok_or_else(|| {
            let message = format!("{} can only be reached through a custom domain", api.name);
            CliError::input(message).hint("give its URL: `stackgen probe wss://…`")
        })
    }

    /// Returns the callers that the project file declares, if the API belongs to the project.
    fn declared(
        &self,
        local: Option<&Local>,
        ui: &Ui,
    ) -> Result<Option<caller::DeclaredCallers>, CliError> {
        let is_of_project = self.url.is_none() && (local.is_some() || self.api.is_none());
        let is_declared = is_of_project || self.environment.is_some();
        if !is_declared || !self.file.exists() || template::is_one(&self.file) {
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

fn invalid_target(error: TargetError) -> CliError {
    CliError::input(error.to_string())
}

fn outcome(report: &ProbeReport) -> Outcome {
    match &report.outcome {
        HandshakeOutcome::Error(ConnectError::Interrupted) => Outcome::Found,
        HandshakeOutcome::Error(_) => Outcome::Failed,
        HandshakeOutcome::Handshake(_) if report.passed() => Outcome::Done,
        HandshakeOutcome::Handshake(_) => Outcome::Found,
    }
}
