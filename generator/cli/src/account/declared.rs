//! Account and region that a project file declares for an environment.

use stackgen_deploy::account::AccountRegion;
use stackgen_deploy::{Account as _, OperationContext};

use super::access::AccountClient;
use crate::error::CliError;
use crate::project::Project;

/// Account and region that a project file declares for an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeclaredRegion {
    /// ID of the account.
    pub(crate) account: Option<String>,
    /// Region.
    pub(crate) region: Option<String>,
}

impl DeclaredRegion {
    /// Returns what a project file declares.
    pub(crate) fn of(project: &Project, environment: &str) -> Self {
        DeclaredRegion {
            account: project.account(environment).map(str::to_owned),
            region: project.region(environment).map(str::to_owned),
        }
    }

    /// Returns an error if the credentials are for another account, or if the region is another one. Without a declaration,
    /// nothing is called.
    pub(crate) async fn require(
        &self,
        account: &AccountClient,
        ctx: OperationContext<'_>,
    ) -> Result<(), CliError> {
        if *self == DeclaredRegion::default() {
            return Ok(());
        }
        let actual = ctx.read(|| account.aws.account_region()).await?;
        self.require_place(&actual)
    }

    /// Returns an error if an account or a region is another one than declared.
    pub(crate) fn require_place(&self, actual: &AccountRegion) -> Result<(), CliError> {
        CliError::all(self.problems(actual)).map_or(Ok(()), Err)
    }

    fn problems(&self, actual: &AccountRegion) -> Vec<CliError> {
        let mut problems = Vec::new();
        if let Some(declared) = differing(self.account.as_ref(), &actual.account) {
            let message = format!(
                "the environment belongs to account {declared}, and the credentials are for account {}",
                actual.account
            );
            let hint = "select credentials of that account with `--profile`, or a role in it with `--assume-role`";
            problems.push(CliError::input(message).hint(hint));
        }
        if let Some(declared) = differing(self.region.as_ref(), &actual.region) {
            let message = format!(
                "the environment belongs to region {declared}, and the region is set to {}",
                actual.region
            );
            let hint = format!("select it with `--region {declared}`");
            problems.push(CliError::input(message).hint(hint));
        }
        problems
    }
}

fn differing<'a>(declared: Option<&'a String>, actual: &str) -> Option<&'a String> {
    declared.filter(|declared| *declared != actual)
}
