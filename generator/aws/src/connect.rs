//! Clients for an account and region.

use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use stackgen_deploy::account::AccountRegion;
use stackgen_deploy::{AccountError, AccountErrorKind, AccountResult};
use tokio::sync::OnceCell;

use crate::credentials::FetchedCredentials;
use crate::options::{AccessKey, AccessOptions, IssuerAlias};
use crate::signing_credentials::SigningCredentials;
use crate::{credentials, http};

/// An account in a region: the [`Account`](stackgen_deploy::Account) on the AWS SDK.
#[derive(Clone, Debug)]
pub struct Aws {
    pub(crate) gateway: aws_sdk_apigatewayv2::Client,
    pub(crate) lambda: aws_sdk_lambda::Client,
    pub(crate) cloudformation: aws_sdk_cloudformation::Client,
    pub(crate) logs: aws_sdk_cloudwatchlogs::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) sts: aws_sdk_sts::Client,
    /// Configuration of clients for services without an SDK here.
    pub(crate) config: SdkConfig,
    pub(crate) credentials: FetchedCredentials,
    pub(crate) assumed: Option<AssumedWith>,
    pub(crate) region: String,
    /// Endpoint for every service, if it is not AWS's.
    pub(crate) endpoint_url: Option<String>,
    pub(crate) issuer: Option<IssuerAlias>,
    pub(crate) account_region: Arc<OnceCell<AccountRegion>>,
    pub(crate) signing: Arc<SigningCredentials>,
}

/// Role that was assumed, and a client with the credentials that assumed it.
#[derive(Clone, Debug)]
pub(crate) struct AssumedWith {
    pub(crate) role: String,
    pub(crate) sts: aws_sdk_sts::Client,
}

impl Aws {
    /// Finds region and credentials. Calls nothing of the account, and STS only to assume roles.
    ///
    /// The SDK retries nothing, whatever AWS_MAX_ATTEMPTS and the profile configure: the retry policy is
    /// [`RetryPolicy`](stackgen_deploy::RetryPolicy). Credential providers are the exception. They call other services
    /// before the account is reached, and retry as the SDK does by default.
    ///
    /// # Errors
    ///
    /// If there is no region, if there are no credentials, if they are expired, or if a role cannot be assumed.
    pub async fn connect(options: &AccessOptions) -> AccountResult<Aws> {
        let mut config = loader(options)?.load().await;
        if let (None, Some(region)) = (config.region(), &options.default_region) {
            let region = Region::new(region.clone());
            config = config.into_builder().region(region).build();
        }
        let Some(region) = config.region().map(Region::to_string) else {
            let message = "no region is set".to_owned();
            return Err(AccountError::before_calls(
                AccountErrorKind::NoRegion,
                message,
            ));
        };
        let mut found = credentials::find(options, &config).await?;
        config = with_credentials(config, &found);
        let mut assumed = None;
        if let Some(role) = &options.assume_role {
            found = credentials::assume(role, &config).await?;
            assumed = Some(AssumedWith {
                role: role.clone(),
                sts: aws_sdk_sts::Client::new(&without_retries(&config)),
            });
            config = with_credentials(config, &found);
        }
        let config = without_retries(&config);
        Ok(Aws {
            gateway: aws_sdk_apigatewayv2::Client::new(&config),
            lambda: aws_sdk_lambda::Client::new(&config),
            cloudformation: aws_sdk_cloudformation::Client::new(&config),
            logs: aws_sdk_cloudwatchlogs::Client::new(&config),
            s3: s3_client(&config),
            sts: aws_sdk_sts::Client::new(&config),
            assumed,
            region,
            endpoint_url: config.endpoint_url().map(str::to_owned),
            issuer: options.issuer.clone(),
            account_region: Arc::default(),
            signing: Arc::new(SigningCredentials::new(config.credentials_provider())),
            credentials: found,
            config,
        })
    }
}

fn with_credentials(config: SdkConfig, credentials: &FetchedCredentials) -> SdkConfig {
    let builder = config.into_builder();
    builder.credentials_provider(credentials.shared()).build()
}

impl Aws {
    /// Returns the endpoint for every service, if it is not AWS's.
    pub fn endpoint_url(&self) -> Option<&str> {
        self.endpoint_url.as_deref()
    }
}

/// Returns a client of S3. Only AWS itself resolves the names of buckets as hosts.
fn s3_client(config: &SdkConfig) -> aws_sdk_s3::Client {
    let is_own = config.endpoint_url().is_some();
    let config = aws_sdk_s3::config::Builder::from(config).force_path_style(is_own);
    aws_sdk_s3::Client::from_conf(config.build())
}

fn without_retries(config: &SdkConfig) -> SdkConfig {
    let once = RetryConfig::disabled();
    config.to_builder().retry_config(once).build()
}

fn loader(options: &AccessOptions) -> AccountResult<ConfigLoader> {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(60))
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http::client(&options.network)?)
        .timeout_config(timeouts);
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(endpoint) = &options.endpoint_url {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(AccessKey { id, secret }) = &options.access_key {
        let credentials = aws_credential_types::Credentials::new(id, secret, None, None, "given");
        loader = loader.credentials_provider(credentials);
    }
    Ok(loader)
}
