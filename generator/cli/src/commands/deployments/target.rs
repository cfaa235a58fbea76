//! APIs whose deployments a verb lists or changes.

use std::slice;

use clap::Args;
use stackgen_deploy::{ApiInfo, OperationContext, StageInfo};

use crate::account::{
    AccountArgs, AccountClient, ProjectScope, StageTarget, StepProgress, TargetArgs,
    account_defaults,
};
use crate::error::CliError;
use crate::ui::Ui;

/// Flags that select the API.
#[derive(Args, Debug)]
pub(super) struct DeploymentsArgs {
    #[command(flatten)]
    target: TargetArgs,

    /// Name of an API of the stack (default: the WebSocket API)
    #[arg(
        long,
        value_name = "NAME",
        help_heading = "Target",
        conflicts_with = "api_id"
    )]
    api: Option<String>,

    #[command(flatten)]
    account: AccountArgs,
}

impl DeploymentsArgs {
    /// Connects to the account, and selects the API in it.
    pub(super) async fn open(&self, ui: &Ui) -> Result<(AccountClient, StageTarget), CliError> {
        let gateway = self.account.gateway(&self.target.file).await?;
        let targets = self
            .target
            .resolve(ProjectScope::Names, gateway.as_ref(), ui)?;
        let names: Vec<_> = targets
            .iter()
            .filter_map(StageTarget::name)
            .map(str::to_owned)
            .collect();
        let is_selected = |target: &StageTarget| match &self.api {
            Some(name) => target.name() == Some(name),
            None => true,
        };
        let Some(target) = targets.into_iter().find(is_selected) else {
            let name = self.api.as_deref().unwrap_or_default();
            return Err(
                CliError::input(format!("the stack has no API named {name}"))
                    .hint(format!("it has: {}", names.join(", "))),
            );
        };
        let account = self.account.connect(
            gateway.as_ref(),
            account_defaults(slice::from_ref(&target)),
            ui,
        );
        Ok((account.await?, target))
    }
}

/// Formats an API: `chat-dev (a1b2c3d4e5)`.
pub(super) fn api_label(api: &ApiInfo) -> String {
    format!("{} ({})", api.name, api.id)
}

/// Finds the target in the account, and reports progress.
pub(super) async fn find(
    account: &AccountClient,
    target: &StageTarget,
    progress: &StepProgress<'_>,
    ctx: OperationContext<'_>,
) -> Result<(ApiInfo, StageInfo), CliError> {
    progress.begin("looking at the account");
    target.find(account, ctx).await
}
