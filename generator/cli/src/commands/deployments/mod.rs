//! `stackgen deployments`

mod activate;
mod list;
mod prune;
mod rollback;

use clap::{Args, Subcommand};
use stackgen_deploy::{ApiInfo, StageInfo};

use crate::Outcome;
use crate::account::{Account, AccountArgs, Goal, GoalArgs, Progress, Read, block_on};
use crate::error::CliError;
use crate::ui::Ui;

/// List deployments, move a stage from one to another, delete old ones
///
/// A deployment is a snapshot of an API; a stage is a pointer to one (rows D1, D11). Moving it changes what is served and
/// nothing else: settings of the stage stay, and so does code that functions run behind unqualified ARNs.
#[derive(Args, Debug)]
pub(crate) struct Deployments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(list::List),
    Activate(activate::Activate),
    Rollback(rollback::Rollback),
    Prune(prune::Prune),
}

impl Deployments {
    pub(crate) fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        block_on(async {
            match &self.verb {
                Verb::List(verb) => verb.run(ui).await,
                Verb::Activate(verb) => verb.run(ui).await,
                Verb::Rollback(verb) => verb.run(ui).await,
                Verb::Prune(verb) => verb.run(ui).await,
            }
        })
    }
}

/// Where deployments are.
#[derive(Args, Debug)]
struct Where {
    #[command(flatten)]
    goal: GoalArgs,

    /// The API of the stack by its name, where it has several; the WebSocket API when left out
    #[arg(long, value_name = "NAME", conflicts_with = "api_id")]
    api: Option<String>,

    #[command(flatten)]
    account: AccountArgs,
}

impl Where {
    /// The account and what is meant in it.
    async fn open(&self, ui: &Ui) -> Result<(Account, Goal), CliError> {
        let gateway = self.account.gateway(&self.goal.file).await?;
        let goals = self.goal.goals(Read::Names, gateway.as_ref(), ui)?;
        let names: Vec<_> = goals
            .iter()
            .filter_map(Goal::name)
            .map(str::to_owned)
            .collect();
        let is_asked_for = |goal: &Goal| match &self.api {
            Some(name) => goal.name() == Some(name),
            None => true,
        };
        let Some(goal) = goals.into_iter().find(is_asked_for) else {
            let asked = self.api.as_deref().unwrap_or_default();
            return Err(
                CliError::input(format!("the stack has no API named {asked}"))
                    .hint(format!("it has: {}", names.join(", "))),
            );
        };
        let account = self
            .account
            .connect(gateway.as_ref(), std::slice::from_ref(&goal));
        Ok((account.await?, goal))
    }
}

/// `chat-dev (a1b2c3d4e5)`.
fn named(api: &ApiInfo) -> String {
    format!("{} ({})", api.name, api.id)
}

/// What most verbs begin with.
async fn find(
    account: &Account,
    goal: &Goal,
    progress: &Progress<'_>,
    ctx: stackgen_deploy::OperationContext<'_>,
) -> Result<(ApiInfo, StageInfo), CliError> {
    progress.begin("looking at the account");
    goal.find(account, ctx).await
}
