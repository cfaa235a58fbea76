//! `stackgen probe`

mod caller;
mod records;
mod story;
mod work;

use std::path::PathBuf;

use serde::Serialize;
use stackgen_deploy::{Interrupt, Protocol};
use stackgen_gateway::FailureRecord;
use stackgen_gateway::apis::ProtocolType;
use stackgen_gateway::gateway::ApiEndpoint;
use stackgen_probe::{
    BrowserView, ConnectError, Explanation, Outcome as Answer, Report, Target, TargetError,
    Telling, explain, explain_with, run,
};

use crate::Outcome;
use crate::account::{AccountArgs, block_on, resolve_probe_target};
use crate::error::CliError;
use crate::local::Local;
use crate::project::{Project, ProjectArgs};
use crate::signals::stop_requested;
use crate::template;
use crate::ui::Ui;

/// Connect as a caller of the stack, and explain what happens
///
/// Reads what browsers hide: the status and the body of a handshake that fails. Sends, waits for what is expected, holds,
/// measures, and explains errors, close codes and silence by the rows of the API Gateway reference: cause, evidence, next
/// step.
///
/// Tokens and keys are shown nowhere. Proxies are not used.
///
/// Exits with 0 when all that was expected happened, with 3 when it did not, and with 1 when nobody answered.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Probe {
    /// The WebSocket URL, wss:// or ws://; when left out, the account's or the local gateway's own
    #[arg(value_name = "URL", conflicts_with_all = ["api", "stage", "local", "profile", "region", "endpoint_url"])]
    url: Option<String>,

    /// The API's name or id; the stack's WebSocket API when left out
    #[arg(long, visible_alias = "api-id", value_name = "API")]
    api: Option<String>,

    /// The stage, where the API has several
    #[arg(long, visible_alias = "stage-name", value_name = "STAGE")]
    stage: Option<String>,

    /// The stackgen.yaml whose API and whose callers are meant
    #[arg(long, short, value_name = "FILE", default_value = "stackgen.yaml")]
    file: PathBuf,

    /// The environment; with `--local` the one that runs, otherwise the only one, when left out
    #[arg(long = "env", short, value_name = "ENV")]
    environment: Option<String>,

    #[command(flatten)]
    account: AccountArgs,

    #[command(flatten)]
    caller: caller::CallerArgs,

    #[command(flatten)]
    work: work::WorkArgs,

    /// Say what a page in a browser would have seen
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

/// What `--json` prints.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    #[serde(flatten)]
    report: &'a Report,
    passed: bool,
    browser: BrowserView,
    explanations: &'a [Explanation],
    /// What the local gateway recorded.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    gateway: &'a [FailureRecord],
}

impl Probe {
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
        let mut target = Target::new(&url).map_err(refused)?;
        target.timeout = self.work.connect_timeout;
        let declared = self.declared(local.as_ref(), ui)?;
        let known = caller::Known {
            local: local.as_ref(),
            declared,
        };
        let (target, caller) = self.caller.apply(target, &known, ui).await?;
        let plan = self.work.plan(caller)?;
        ui.done(&story::opening(&target, &plan))?;
        let mut told = Ok(());
        let mut tell = |telling: Telling<'_>| {
            if told.is_ok() {
                told = ui.done(&story::line(telling));
            }
        };
        let interrupted = async {
            let _ = stop_requested().await;
        };
        let report = run(&target, &plan, interrupted, &mut tell).await;
        told?;
        let mut explanations = explain(&report);
        let mut failures = Vec::new();
        if let (Some(local), false) = (&local, explanations.is_empty()) {
            failures = records::look_up(local, &report, target.secrets(), ui).await;
            let evidence: Vec<_> = failures.iter().map(records::as_evidence).collect();
            explanations = explain_with(&report, &evidence);
        }
        if ui.wants_json() {
            ui.json_result(&Told {
                report: &report,
                passed: report.passed(),
                browser: report.browser(),
                explanations: &explanations,
                gateway: &failures,
            })?;
        } else {
            ui.result(&story::ending(&report, &explanations, self.browser))?;
        }
        Ok(outcome(&report))
    }

    /// The api that is asked for, or the only one that speaks WebSocket.
    fn websocket_api<'a>(&self, local: &'a Local) -> Result<&'a ApiEndpoint, CliError> {
        let apis = local.state.apis.iter();
        let mut speaking = apis.filter(|api| api.protocol_type == ProtocolType::WebSocket);
        match (&self.api, speaking.next(), speaking.next()) {
            (None, Some(only), None) => Ok(only),
            (None, None, _) => Err(CliError::failed("the local gateway has no WebSocket API")),
            (asked, ..) => local.api(asked.as_deref()),
        }
    }

    fn local_url(&self, local: &Local) -> Result<String, CliError> {
        let api = self.websocket_api(local)?;
        let mut stages = api.stages.iter();
        let found = match &self.stage {
            Some(wanted) => stages.find(|stage| stage.name.as_str() == wanted),
            None if api.stages.len() == 1 => stages.next(),
            None => None,
        };
        let names: Vec<_> = api.stages.iter().map(|stage| stage.name.as_str()).collect();
        let found = found.map(|stage| stage.url.clone());
        found.ok_or_else(|| {
            CliError::input(format!("which stage of {}?", api.name))
                .hint(format!("name one with `--stage`: {}", names.join(", ")))
        })
    }

    /// Where the account, or what stands in for it, says that the stage is reached.
    async fn account_url(&self, ui: &Ui) -> Result<String, CliError> {
        if self.api.is_none() && !self.file.exists() {
            return Err(CliError::input("which URL?")
                .hint("give one, or `--local`, or name an API of the account with `--api`"));
        }
        let (api, stage) = (self.api.as_deref(), self.stage.as_deref());
        let project = (self.file.as_path(), self.environment.as_deref());
        let goal = resolve_probe_target(api, stage, project, ui)?;
        let account = self.account.connect(None, &[]).await?;
        let never = Interrupt::never();
        let ctx = account.context(&|_| {}, &never);
        let (api, stage) = goal.find(&account, ctx).await?;
        if api.protocol == Protocol::Http {
            let message = format!("{} is an HTTP API, which speaks no WebSocket", api.name);
            return Err(CliError::input(message).hint("`--api` names another one"));
        }
        api.url(&stage.name).ok_or_else(|| {
            let message = format!("only a custom domain reaches {}", api.name);
            CliError::input(message).hint("give the URL: `stackgen probe wss://…`")
        })
    }

    /// What the stackgen.yaml says about callers, where it is the API's own.
    fn declared(
        &self,
        local: Option<&Local>,
        ui: &Ui,
    ) -> Result<Option<caller::Declared>, CliError> {
        let of_project = self.url.is_none() && (local.is_some() || self.api.is_none());
        let asked = of_project || self.environment.is_some();
        if !asked || !self.file.exists() || template::is_one(&self.file) {
            return Ok(None);
        }
        let args = ProjectArgs {
            file: self.file.clone(),
            unbuilt: true,
        };
        let project = Project::load(&args, ui)?;
        let runs = local.and_then(|local| local.environment(&project));
        if local.is_some() && runs.is_none() && self.environment.is_none() {
            return Ok(None);
        }
        let asked = self.environment.as_deref().or(runs).map(str::to_owned);
        let environments = project.environments(asked.as_slice())?;
        let authorizer = environments
            .first()
            .map(|environment| project.authorizer(environment));
        Ok(authorizer.map(caller::Declared::new))
    }
}

fn refused(error: TargetError) -> CliError {
    CliError::input(error.to_string())
}

fn outcome(report: &Report) -> Outcome {
    match &report.outcome {
        Answer::Error(ConnectError::Interrupted) => Outcome::Found,
        Answer::Error(_) => Outcome::Failed,
        Answer::Handshake(_) if report.passed() => Outcome::Done,
        Answer::Handshake(_) => Outcome::Found,
    }
}
