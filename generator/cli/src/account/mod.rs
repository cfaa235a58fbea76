//! An account of AWS, or the local gateway that stands in for one, and the stacks in it.

mod callers;
mod goal;
mod progress;

use std::path::Path;
use std::time::Duration;

use clap::Args;
use stackgen_aws::{AccessKey, AccessOptions, Aws, IssuerAlias};
use stackgen_deploy::{
    DeployError, DeployStep, Interrupt, OffsetDateTime, OperationContext, RetryPolicy,
};
use tokio::sync::watch;

pub(crate) use callers::{StageCallers, VerifyArgs};
pub(crate) use goal::{Goal, GoalArgs, Read, resolve_probe_target};
pub(crate) use progress::Progress;

use crate::error::CliError;
use crate::local::Local;
use crate::signals::StopSignals;
use crate::ui::Ui;

/// Which account.
#[derive(Args, Debug)]
#[command(next_help_heading = "Account")]
pub(crate) struct AccountArgs {
    /// The local gateway that `stackgen dev` runs for the project, instead of AWS
    #[arg(long, conflicts_with_all = ["profile", "region", "endpoint_url"])]
    pub(crate) local: bool,

    /// A profile of ~/.aws/config; AWS_PROFILE when left out
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,

    /// The region; AWS_REGION or the profile's when left out
    #[arg(long, value_name = "REGION")]
    region: Option<String>,

    /// What answers in AWS's place; AWS_ENDPOINT_URL when left out. On this machine it needs no credentials
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,
}

/// An account that can be asked, and how long to wait for it.
pub(crate) struct Account {
    pub(crate) aws: Aws,
    pub(crate) retry: RetryPolicy,
}

impl AccountArgs {
    /// The gateway that runs for a project, if that is meant.
    pub(crate) async fn gateway(&self, project: &Path) -> Result<Option<Local>, CliError> {
        match self.local {
            true => Ok(Some(Local::find(project).await?)),
            false => Ok(None),
        }
    }

    /// Finds region and credentials. The local gateway's issuer stands in for the one that the goals name.
    pub(crate) async fn connect(
        &self,
        gateway: Option<&Local>,
        goals: &[Goal],
    ) -> Result<Account, CliError> {
        let access = match gateway {
            Some(local) => AccessOptions {
                profile: None,
                region: Some(local.state.region.clone()),
                endpoint_url: Some(local.state.endpoint.clone()),
                access_key: Some(any_access_key()),
                issuer: goals
                    .iter()
                    .find_map(|goal| goal.issuer.clone())
                    .map(|declared| IssuerAlias {
                        local: local.state.issuer.clone(),
                        declared,
                    }),
            },
            None => AccessOptions {
                profile: self.profile.clone(),
                region: self.region.clone(),
                endpoint_url: self.endpoint_url.clone(),
                access_key: self.stand_in(),
                issuer: None,
            },
        };
        let retry = match gateway.is_some() || self.is_loopback() {
            true => RetryPolicy::local(),
            false => RetryPolicy::default(),
        };
        let aws = Aws::connect(&access).await;
        let aws = aws.map_err(|error| CliError::from(DeployError::from(error)))?;
        Ok(Account { aws, retry })
    }
}

impl AccountArgs {
    /// What answers on this machine takes any credentials, and needs none of the user's.
    fn stand_in(&self) -> Option<AccessKey> {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let has_own =
            self.profile.is_some() || is_set("AWS_PROFILE") || is_set("AWS_ACCESS_KEY_ID");
        (self.is_loopback() && !has_own).then(any_access_key)
    }

    /// True if an endpoint on this machine is given.
    fn is_loopback(&self) -> bool {
        let url = self.endpoint_url.as_deref().unwrap_or_default();
        let here = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
        here.iter().any(|here| {
            let rest = url.strip_prefix(here);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
        })
    }
}

fn any_access_key() -> AccessKey {
    AccessKey {
        id: "local".to_owned(),
        secret: "local".to_owned(),
    }
}

impl Account {
    /// Does something with steps told and Ctrl-C heard.
    pub(crate) fn context<'a>(
        &'a self,
        steps: &'a dyn Fn(DeployStep<'_>),
        interrupt: &'a Interrupt,
    ) -> OperationContext<'a> {
        OperationContext {
            retry: &self.retry,
            steps,
            interrupt,
            now: OffsetDateTime::now_utc,
        }
    }
}

/// Runs what has to wait.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| CliError::failed(format!("cannot start: {error}")))?;
    runtime.block_on(work)
}

/// Listens for SIGINT, SIGTERM and SIGHUP from here on. The first one stops at the next safe place, a second one at once.
pub(crate) fn interrupt(progress: &Progress<'_>) -> Interrupt {
    let (tell, told) = watch::channel(false);
    let say = progress.teller();
    // If nobody may listen, a signal ends the process as ever.
    if let Ok(mut signals) = StopSignals::listen() {
        tokio::spawn(async move {
            loop {
                let signal = signals.recv().await;
                if tell.send_replace(true) {
                    std::process::exit(i32::from(signal.exit_code()));
                }
                say("stopping at the next safe place; Ctrl-C once more ends at once");
            }
        });
    }
    Interrupt::new(told)
}

/// Returns the age of something as text. Clocks differ, so a time in the future counts as now.
pub(crate) fn ago(created: OffsetDateTime) -> String {
    let age = Duration::try_from(OffsetDateTime::now_utc() - created);
    let seconds = age.unwrap_or_default().as_secs();
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural} ago")
}

/// The first digits of a digest.
pub(crate) fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

impl From<DeployError> for CliError {
    fn from(error: DeployError) -> Self {
        let failure = match error.is_bad_input() {
            true => CliError::input(error.to_string()),
            false => CliError::failed(error.to_string()),
        };
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// Asks, where a person can be asked. Where nobody can, what was typed is meant.
pub(crate) async fn confirmed(
    yes: bool,
    question: &str,
    interrupt: &Interrupt,
    ui: &Ui,
) -> Result<bool, CliError> {
    if yes || !ui.can_prompt() {
        return Ok(true);
    }
    let question = format!("{question} [y/N] ");
    let answer = interrupt.unless(ui.ask_meanwhile(&question)).await;
    if answer.is_err() {
        // The question's own line ends here.
        ui.stderr("\n");
    }
    Ok(matches!(answer?.as_deref(), Some("y" | "Y" | "yes")))
}
