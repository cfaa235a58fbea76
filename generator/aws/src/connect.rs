//! Clients for an account and region.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use stackgen_deploy::account::AccountRegion;
use stackgen_deploy::{AccountError, AccountErrorKind, AccountResult};
use tokio::sync::OnceCell;

use crate::operation::{self, AwsOperation};

/// Options for reaching an account. Whatever is absent comes from AWS's usual sources: environment variables, profiles,
/// single sign-on, the machine's role.
#[derive(Clone, Debug, Default)]
pub struct AccessOptions {
    /// Profile of `~/.aws/config`.
    pub profile: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// Endpoint for every service, instead of AWS's.
    pub endpoint_url: Option<String>,
    /// Access key for an endpoint that does not check it.
    pub access_key: Option<AccessKey>,
    /// Token issuer to rename in descriptions.
    pub issuer: Option<IssuerAlias>,
}

/// Access key of an IAM user.
#[derive(Clone)]
pub struct AccessKey {
    /// Access key ID.
    pub id: String,
    /// Secret access key.
    pub secret: String,
}

/// Without the secret.
impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessKey({})", self.id)
    }
}

/// A token issuer of the local gateway, and the issuer that it replaces. An API's description names the declared one, so
/// that its digest equals the template's.
#[derive(Clone, Debug)]
pub struct IssuerAlias {
    /// URL of the local issuer.
    pub local: String,
    /// URL that the template declares.
    pub declared: String,
}

/// An account in a region: the [`Account`](stackgen_deploy::Account) on the AWS SDK.
#[derive(Clone, Debug)]
pub struct Aws {
    pub(crate) gateway: aws_sdk_apigatewayv2::Client,
    pub(crate) lambda: aws_sdk_lambda::Client,
    pub(crate) cloudformation: aws_sdk_cloudformation::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    sts: aws_sdk_sts::Client,
    pub(crate) region: String,
    /// Endpoint for every service, if it is not AWS's.
    pub(crate) endpoint_url: Option<String>,
    pub(crate) issuer: Option<IssuerAlias>,
    account_region: Arc<OnceCell<AccountRegion>>,
}

impl Aws {
    /// Finds region and credentials. Calls nothing of the account.
    ///
    /// The SDK retries nothing, whatever AWS_MAX_ATTEMPTS and the profile configure: the retry policy is
    /// [`RetryPolicy`](stackgen_deploy::RetryPolicy). Credential providers are the exception. They call other services
    /// before the account is reached, and retry as the SDK does by default.
    ///
    /// # Errors
    ///
    /// If there is no region, if there are no credentials, or if they are expired.
    pub async fn connect(options: &AccessOptions) -> AccountResult<Aws> {
        let config = loader(options).load().await;
        let Some(region) = config.region().map(Region::to_string) else {
            return Err(missing(AccountErrorKind::NoRegion, "no region is set"));
        };
        let Some(credentials) = config.credentials_provider() else {
            return Err(missing(
                AccountErrorKind::NoCredentials,
                "there are no credentials",
            ));
        };
        let provided = credentials.provide_credentials().await;
        provided.map_err(|error| operation::credentials(&error))?;
        let once = RetryConfig::disabled();
        let config: SdkConfig = config.into_builder().retry_config(once).build();
        Ok(Aws {
            gateway: aws_sdk_apigatewayv2::Client::new(&config),
            lambda: aws_sdk_lambda::Client::new(&config),
            cloudformation: aws_sdk_cloudformation::Client::new(&config),
            s3: s3_client(&config),
            sts: aws_sdk_sts::Client::new(&config),
            region,
            endpoint_url: config.endpoint_url().map(str::to_owned),
            issuer: options.issuer.clone(),
            account_region: Arc::default(),
        })
    }

    /// Returns account and region of the credentials. Calls STS once.
    pub(crate) async fn caller_region(&self) -> AccountResult<AccountRegion> {
        let call = || async {
            let operation = AwsOperation::new("GetCallerIdentity", "sts:GetCallerIdentity");
            let identity = operation.result(self.sts.get_caller_identity().send().await)?;
            let arn = identity.arn().unwrap_or_default();
            Ok(AccountRegion {
                partition: arn.split(':').nth(1).unwrap_or("aws").to_owned(),
                region: self.region.clone(),
                account: identity.account().unwrap_or_default().to_owned(),
            })
        };
        self.account_region.get_or_try_init(call).await.cloned()
    }
}

/// Returns a client of S3. Only AWS itself resolves the names of buckets as hosts.
fn s3_client(config: &SdkConfig) -> aws_sdk_s3::Client {
    let is_own = config.endpoint_url().is_some();
    let config = aws_sdk_s3::config::Builder::from(config).force_path_style(is_own);
    aws_sdk_s3::Client::from_conf(config.build())
}

fn loader(options: &AccessOptions) -> ConfigLoader {
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(60))
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
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
    loader
}

fn missing(kind: AccountErrorKind, message: &str) -> AccountError {
    AccountError {
        kind,
        operation: "",
        message: message.to_owned(),
        permission: String::new(),
    }
}
