//! Clients for an account and region.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use stackgen_deploy::account::AccountRegion;
use stackgen_deploy::{AccountError, AccountErrorKind};
use tokio::sync::OnceCell;

use crate::error;

/// How an account is reached. What is left out comes from where AWS's own tools take it: environment, profiles, single
/// sign-on, the machine.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// A profile of `~/.aws/config`.
    pub profile: Option<String>,
    /// A region.
    pub region: Option<String>,
    /// What answers in AWS's place, for every service.
    pub endpoint_url: Option<String>,
    /// Credentials, for what does not check them.
    pub credentials: Option<Credentials>,
    /// An issuer of tokens that the endpoint tells in the place of another one, and that one.
    pub issuer: Option<(String, String)>,
}

/// An access key.
#[derive(Clone)]
pub struct Credentials {
    /// Its id.
    pub access_key_id: String,
    /// The secret part.
    pub secret_access_key: String,
}

/// Without the secret part.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({})", self.access_key_id)
    }
}

/// An account in a region: implements all ports of `stackgen-deploy`.
#[derive(Clone, Debug)]
pub struct Aws {
    pub(crate) gateway: aws_sdk_apigatewayv2::Client,
    pub(crate) lambda: aws_sdk_lambda::Client,
    sts: aws_sdk_sts::Client,
    region: String,
    pub(crate) issuer: Option<(String, String)>,
    place: std::sync::Arc<OnceCell<AccountRegion>>,
}

impl Aws {
    /// Finds region and credentials. Calls nothing of the account.
    ///
    /// # Errors
    ///
    /// If there is no region, or there are no credentials, or they are expired.
    pub async fn connect(access: &Access) -> Result<Aws, AccountError> {
        let http = Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .build_https();
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .operation_attempt_timeout(Duration::from_secs(60))
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(4));
        if let Some(profile) = &access.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &access.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(endpoint) = &access.endpoint_url {
            loader = loader.endpoint_url(endpoint);
        }
        if let Some(Credentials {
            access_key_id,
            secret_access_key,
        }) = &access.credentials
        {
            loader = loader.credentials_provider(aws_credential_types::Credentials::new(
                access_key_id,
                secret_access_key,
                None,
                None,
                "given",
            ));
        }
        let config = loader.load().await;
        let Some(region) = config.region().map(Region::to_string) else {
            return Err(missing(AccountErrorKind::NoRegion, "no region is set"));
        };
        let Some(credentials) = config.credentials_provider() else {
            return Err(missing(
                AccountErrorKind::NoCredentials,
                "there are no credentials",
            ));
        };
        credentials
            .provide_credentials()
            .await
            .map_err(|error| error::credentials(&error))?;
        Ok(Aws {
            gateway: aws_sdk_apigatewayv2::Client::new(&config),
            lambda: aws_sdk_lambda::Client::new(&config),
            sts: aws_sdk_sts::Client::new(&config),
            region,
            issuer: access.issuer.clone(),
            place: std::sync::Arc::default(),
        })
    }

    /// Which account and region this is; asked once.
    pub(crate) async fn place(&self) -> Result<AccountRegion, AccountError> {
        let ask = || async {
            let call = error::Call::new("GetCallerIdentity", "sts:GetCallerIdentity");
            let identity = call.answer(self.sts.get_caller_identity().send().await)?;
            let arn = identity.arn().unwrap_or_default();
            Ok(AccountRegion {
                partition: arn.split(':').nth(1).unwrap_or("aws").to_owned(),
                region: self.region.clone(),
                account: identity.account().unwrap_or_default().to_owned(),
            })
        };
        self.place.get_or_try_init(ask).await.cloned()
    }
}

fn missing(kind: AccountErrorKind, message: &str) -> AccountError {
    AccountError {
        kind,
        operation: "",
        message: message.to_owned(),
        permission: String::new(),
    }
}
