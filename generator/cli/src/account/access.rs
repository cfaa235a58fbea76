//! Region, credentials and endpoint of an account.

use std::path::Path;

use clap::Args;
use stackgen_aws::{
    AccessKey, AccessOptions, Aws, CallerIdentity, IssuerAlias, MfaCode, ProfileSettings,
};
use stackgen_deploy::stack::StackError;
use stackgen_deploy::{
    AccountResult, DeployError, DeployStep, Interrupt, OffsetDateTime, OperationContext,
    RetryPolicy,
};
use stackgen_network::{LoopbackEndpoint, NetworkOptions};

use crate::error::CliError;
use crate::local::LocalGateway;
use crate::network::network_options;
use crate::ui::Ui;

/// Flags that select an account.
#[derive(Args, Debug)]
#[command(next_help_heading = "Account")]
pub(crate) struct AccountArgs {
    /// Use the local gateway that `stackgen dev` runs for the project, instead of AWS
    #[arg(long, conflicts_with_all = ["profile", "region", "endpoint_url", "assume_role"])]
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

    /// ARN of a role to assume with the credentials that were found
    #[arg(long, value_name = "ARN")]
    assume_role: Option<String>,
}

/// What a project file declares for connections.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AccountDefaults<'a> {
    /// Issuer of tokens, in place of which the local gateway has its own.
    pub(crate) issuer: Option<&'a str>,
    /// Region, if no other source sets one.
    pub(crate) region: Option<&'a str>,
}

/// Client of an account, the retry policy of its calls, and the network settings of connections to its stages.
pub(crate) struct AccountClient {
    pub(crate) aws: Aws,
    pub(crate) retry: RetryPolicy,
    pub(crate) network: NetworkOptions,
}

/// Returns the flags that have a value.
fn given(flags: &[(&str, &Option<String>)]) -> Vec<String> {
    let given = flags.iter().filter_map(|(name, value)| {
        let value = value.as_ref()?;
        Some(format!("--{name} {value}"))
    });
    given.collect()
}

impl AccountArgs {
    /// Returns flags for an account of AWS, or for an endpoint in its place.
    pub(crate) fn of_account(
        profile: Option<String>,
        region: Option<String>,
        endpoint_url: Option<String>,
    ) -> Self {
        AccountArgs {
            local: false,
            profile,
            region,
            endpoint_url,
            assume_role: None,
        }
    }

    /// Returns the flags that select the same account in another command of stackgen.
    pub(crate) fn selector(&self) -> Vec<String> {
        let mut flags = self.aws_selector();
        let others = [
            ("endpoint-url", &self.endpoint_url),
            ("assume-role", &self.assume_role),
        ];
        flags.extend(given(&others));
        if self.local {
            flags.push("--local".to_owned());
        }
        flags
    }

    /// Returns the flags that select the same account in commands of the AWS CLI.
    pub(crate) fn aws_selector(&self) -> Vec<String> {
        given(&[("profile", &self.profile), ("region", &self.region)])
    }

    /// Returns true if one of the flags is given.
    pub(crate) fn is_given(&self) -> bool {
        let values = [
            &self.profile,
            &self.region,
            &self.endpoint_url,
            &self.assume_role,
        ];
        self.local || values.iter().any(|value| value.is_some())
    }

    /// Returns the local gateway of a project if `--local` is given.
    pub(crate) async fn gateway(&self, project: &Path) -> Result<Option<LocalGateway>, CliError> {
        match self.local {
            true => Ok(Some(LocalGateway::find(project).await?)),
            false => Ok(None),
        }
    }

    /// Connects to the local gateway if there is one, or else to the account of the targets. The local gateway's issuer stands
    /// in for the targets'.
    pub(crate) async fn connect(
        &self,
        gateway: Option<&LocalGateway>,
        defaults: AccountDefaults<'_>,
        ui: &Ui,
    ) -> Result<AccountClient, CliError> {
        match gateway {
            Some(local) => open(local_access(local, defaults.issuer), RetryPolicy::local()).await,
            None => self.connect_in(defaults.region, ui).await,
        }
    }

    /// Connects to an account: resolves region and credentials, and asks for the code of an MFA device if a role takes one.
    /// `region` is used if no other source sets a region.
    pub(crate) async fn connect_in(
        &self,
        region: Option<&str>,
        ui: &Ui,
    ) -> Result<AccountClient, CliError> {
        let retry = match self.emulator().is_some() {
            true => RetryPolicy::local(),
            false => RetryPolicy::default(),
        };
        let mut account = open(self.access(region, ui).await?, retry).await?;
        account.network.emulator = account.aws.endpoint_url().and_then(LoopbackEndpoint::parse);
        if ui.shows_details() {
            let identity = identity_text(&account.aws.identity().await);
            ui.detail(|| identity);
        }
        Ok(account)
    }

    /// Returns the options for an account of AWS, or of the endpoint that is given.
    async fn access(&self, region: Option<&str>, ui: &Ui) -> Result<AccessOptions, CliError> {
        let mut access = AccessOptions {
            profile: self.profile.clone(),
            region: self.region.clone(),
            default_region: region.map(str::to_owned),
            endpoint_url: self.endpoint_url.clone(),
            access_key: self.loopback_access_key(),
            assume_role: self.assume_role.clone(),
            ..AccessOptions::default()
        };
        if access.access_key.is_some() {
            access.network = network_options(None)?;
            return Ok(access);
        }
        let settings = self.profile_settings().await?;
        access.network = network_options(settings.ca_bundle())?;
        if let Some(proxy) = &access.network.proxies.https {
            ui.detail(|| format!("proxy for HTTPS: {proxy}"));
        }
        access.mfa_code = mfa_code(&settings, ui).await?;
        Ok(access)
    }

    /// Returns the network settings of connections that need no credentials.
    pub(crate) async fn network(&self) -> Result<NetworkOptions, CliError> {
        // Without a profile, a URL can still be probed.
        let settings = self.profile_settings().await.ok();
        let bundle = settings.as_ref().and_then(ProfileSettings::ca_bundle);
        let mut network = network_options(bundle)?;
        network.emulator = self.emulator();
        match (&self.endpoint_url, &network.emulator) {
            (Some(_), None) => Err(CliError::input(
                "with a URL, `--endpoint-url` must name an emulator on this machine",
            )
            .hint("write it as `http://127.0.0.1:4566`, or leave it out")),
            _ => Ok(network),
        }
    }

    async fn profile_settings(&self) -> Result<ProfileSettings, CliError> {
        let settings = ProfileSettings::load(self.profile.as_deref()).await;
        settings.map_err(|error| CliError::from(DeployError::from(error)))
    }

    /// Returns a placeholder access key for an endpoint on this machine, which takes any, unless the user has credentials.
    fn loopback_access_key(&self) -> Option<AccessKey> {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let has_own =
            self.profile.is_some() || is_set("AWS_PROFILE") || is_set("AWS_ACCESS_KEY_ID");
        (self.emulator().is_some() && !has_own).then(placeholder_access_key)
    }

    /// Returns the emulator of AWS on this machine, if its endpoint is given.
    fn emulator(&self) -> Option<LoopbackEndpoint> {
        LoopbackEndpoint::parse(self.endpoint_url.as_deref()?)
    }
}

async fn open(access: AccessOptions, retry: RetryPolicy) -> Result<AccountClient, CliError> {
    let aws = Aws::connect(&access).await;
    let aws = aws.map_err(|error| CliError::from(DeployError::from(error)))?;
    Ok(AccountClient {
        aws,
        retry,
        network: access.network,
    })
}

fn local_access(local: &LocalGateway, issuer: Option<&str>) -> AccessOptions {
    AccessOptions {
        region: Some(local.state.region.clone()),
        endpoint_url: Some(local.state.endpoint.clone()),
        access_key: Some(placeholder_access_key()),
        issuer: issuer.map(|declared| IssuerAlias {
            local: local.state.issuer.clone(),
            declared: declared.to_owned(),
        }),
        ..AccessOptions::default()
    }
}

/// Asks for the code of an MFA device if a role of the profile takes one. Without a terminal there is no code.
async fn mfa_code(settings: &ProfileSettings, ui: &Ui) -> Result<Option<MfaCode>, CliError> {
    let device = settings.mfa_device();
    let device = device.map_err(|error| CliError::from(DeployError::from(error)))?;
    let Some(device) = device.filter(|_| ui.can_prompt()) else {
        return Ok(None);
    };
    let question = format!("code of the MFA device {}: ", device.serial);
    let answer = ui.ask_async(&question).await;
    Ok(answer.filter(|code| !code.is_empty()).map(MfaCode))
}

fn identity_text(identity: &AccountResult<CallerIdentity>) -> String {
    match identity {
        Ok(CallerIdentity { arn, assumed: None }) => format!("calls AWS as {arn}"),
        Ok(CallerIdentity {
            arn,
            assumed: Some(assumed),
        }) => format!(
            "calls AWS as {arn} (role {}), from {}",
            assumed.role, assumed.by
        ),
        Err(error) => format!("calls AWS as an unknown identity: {error}"),
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
