//! `stackgen probe`

mod caller;
mod story;
mod work;

use std::path::PathBuf;

use serde::Serialize;
use stackgen_gateway::apis::ProtocolType;
use stackgen_gateway::gateway::ApiState;
use stackgen_probe::{
    BrowserView, ConnectError, Explanation, Outcome as Answer, Report, Target, TargetError,
    Telling, explain, run,
};

use crate::Outcome;
use crate::error::CliError;
use crate::local::Local;
use crate::project::{Project, ProjectArgs};
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
    /// The WebSocket URL, wss:// or ws://; with `--local` the local gateway's when left out
    #[arg(value_name = "URL", required_unless_present = "local")]
    url: Option<String>,

    /// Connect to the local gateway that `stackgen dev` runs for the project
    #[arg(long, conflicts_with = "url")]
    local: bool,

    /// The api's name or id, where the local gateway has several
    #[arg(long, value_name = "API", requires = "local")]
    api: Option<String>,

    /// The stage, where the api has several
    #[arg(long, value_name = "STAGE", requires = "local")]
    stage: Option<String>,

    /// The stackgen.yaml whose callers are meant
    #[arg(long, short, value_name = "FILE", default_value = "stackgen.yaml")]
    file: PathBuf,

    /// The environment whose callers are meant; the first when left out
    #[arg(long = "env", short, value_name = "ENV")]
    environment: Option<String>,

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
  stackgen probe --local --as anonymous --expect-status 401
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
}

impl Probe {
    pub(crate) fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime =
            runtime.map_err(|error| CliError::failed(format!("cannot start: {error}")))?;
        runtime.block_on(self.probe(ui))
    }

    async fn probe(&self, ui: &Ui) -> Result<Outcome, CliError> {
        let local = self.local.then(|| Local::find(&self.file)).transpose()?;
        let url = match (&self.url, &local) {
            (Some(url), _) => url.clone(),
            (None, Some(local)) => self.local_url(local)?,
            // Clap asks for one of the two.
            (None, None) => {
                return Err(CliError::input("which URL?").hint("give one, or `--local`"));
            }
        };
        let mut target = Target::new(&url).map_err(refused)?;
        target.timeout = self.work.connect_timeout;
        let declared = self.declared(ui)?;
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
        let report = run(&target, &plan, interrupted(), &mut tell).await;
        told?;
        let explanations = explain(&report);
        if ui.wants_json() {
            ui.json_result(&Told {
                report: &report,
                passed: report.passed(),
                browser: report.browser(),
                explanations: &explanations,
            })?;
        } else {
            ui.result(&story::ending(&report, &explanations, self.browser))?;
        }
        Ok(outcome(&report))
    }

    /// The api that is asked for, or the only one that speaks WebSocket.
    fn websocket_api<'a>(&self, local: &'a Local) -> Result<&'a ApiState, CliError> {
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

    /// What the stackgen.yaml says about callers, where there is one.
    fn declared(&self, ui: &Ui) -> Result<Option<caller::Declared>, CliError> {
        let asked = self.local || self.environment.is_some();
        if !asked || !self.file.exists() {
            return Ok(None);
        }
        let args = ProjectArgs {
            file: self.file.clone(),
            unbuilt: true,
        };
        let project = Project::load(&args, ui)?;
        let asked: Vec<String> = self.environment.clone().into_iter().collect();
        let environments = project.environments(&asked)?;
        let authorizer = environments
            .first()
            .map(|environment| project.authorizer(environment));
        Ok(authorizer.map(caller::Declared::new))
    }
}

fn refused(error: TargetError) -> CliError {
    CliError::input(error.to_string())
}

/// Ends when Ctrl-C is pressed.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Where it cannot be heard, nothing is interrupted.
        std::future::pending::<()>().await;
    }
}

fn outcome(report: &Report) -> Outcome {
    match &report.outcome {
        Answer::Error(ConnectError::Interrupted) => Outcome::Found,
        Answer::Error(_) => Outcome::Failed,
        Answer::Handshake(_) if report.passed() => Outcome::Done,
        Answer::Handshake(_) => Outcome::Found,
    }
}
