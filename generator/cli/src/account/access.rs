//! Region, credentials and endpoint of an account.

use std::path::Path;

use clap::Args;
use stackgen_aws::{AccessKey, AccessOptions, Aws, IssuerAlias};
use stackgen_deploy::stack::StackError;
use stackgen_deploy::{
    DeployError, DeployStep, Interrupt, OffsetDateTime, OperationContext, RetryPolicy,
};

use crate::error::CliError;
use crate::local::LocalGateway;

/// Flags that select an account.
#[derive(Args, Debug)]
#[command(next_help_heading = "Account")]
pub(crate) struct AccountArgs {
    /// Use the local gateway that `stackgen dev` runs for the project, instead of AWS
    #[arg(long, conflicts_with_all = ["profile", "region", "endpoint_url"])]
    pub(crate) local: bool,

    /// Profile in ~/.aws/config (default: AWS_PROFILE)
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,

    /// Region (default: AWS_REGION, then the profile's)
    #[arg(long, value_name = "REGION")]
    region: Option<String>,

    /// Endpoint to call in place of AWS; an endpoint on this machine needs no credentials (default: AWS_ENDPOINT_URL)
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,
}

/// Client of an account, and the retry policy of its calls.
pub(crate) struct AccountClient {
    pub(crate) aws: Aws,
    pub(crate) retry: RetryPolicy,
}

impl AccountArgs {
    /// Returns the local gateway of a project if `--local` is given.
    pub(crate) async fn gateway(&self, project: &Path) -> Result<Option<LocalGateway>, CliError> {
        match self.local {
            true => Ok(Some(LocalGateway::find(project).await?)),
            false => Ok(None),
        }
    }

    /// Resolves region and credentials. The local gateway's issuer stands in for `issuer`.
    pub(crate) async fn connect(
        &self,
        gateway: Option<&LocalGateway>,
        issuer: Option<&str>,
    ) -> Result<AccountClient, CliError> {
        let access = match gateway {
            Some(local) => AccessOptions {
                profile: None,
                region: Some(local.state.region.clone()),
                endpoint_url: Some(local.state.endpoint.clone()),
                access_key: Some(placeholder_access_key()),
                issuer: issuer.map(|declared| IssuerAlias {
                    local: local.state.issuer.clone(),
                    declared: declared.to_owned(),
                }),
            },
            None => AccessOptions {
                profile: self.profile.clone(),
                region: self.region.clone(),
                endpoint_url: self.endpoint_url.clone(),
                access_key: self.loopback_access_key(),
                issuer: None,
            },
        };
        let retry = match gateway.is_some() || self.is_loopback() {
            true => RetryPolicy::local(),
            false => RetryPolicy::default(),
        };
        let aws = Aws::connect(&access).await;
        let aws = aws.map_err(|error| CliError::from(DeployError::from(error)))?;
        Ok(AccountClient { aws, retry })
    }

    /// Returns a placeholder access key for an endpoint on this machine, which takes any, unless the user has credentials.
    fn loopback_access_key(&self) -> Option<AccessKey> {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let has_own =
            self.profile.is_some() || is_set("AWS_PROFILE") || is_set("AWS_ACCESS_KEY_ID");
        (self.is_loopback() && !has_own).then(placeholder_access_key)
    }

    /// Returns true if an endpoint on this machine is given.
    fn is_loopback(&self) -> bool {
        let url = self.endpoint_url.as_deref().unwrap_or_default();
        let here = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
        here.iter().any(|here| {
            let rest = url.strip_prefix(here);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
        })
    }
}

fn placeholder_access_key() -> AccessKey {
    AccessKey {
        id: "local".to_owned(),
        secret: "local".to_owned(),
    }
}

impl AccountClient {
    /// Returns the context of an operation that reports its steps and can be interrupted.
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

impl From<StackError> for CliError {
    fn from(error: StackError) -> Self {
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
