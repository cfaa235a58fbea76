//! Credentials for signatures.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use stackgen_deploy::{AccountError, AccountErrorKind as Kind, AccountResult};
use tokio::sync::Mutex;

use crate::operation;

/// Time before their expiry at which credentials are fetched again.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// Credentials for signatures, fetched when they are needed.
#[derive(Debug)]
pub(crate) struct SigningCredentials {
    provider: Option<SharedCredentialsProvider>,
    latest: Mutex<Option<Credentials>>,
}

impl SigningCredentials {
    pub(crate) fn new(provider: Option<SharedCredentialsProvider>) -> Self {
        SigningCredentials {
            provider,
            latest: Mutex::default(),
        }
    }

    /// Returns credentials that are valid for some minutes.
    ///
    /// # Errors
    ///
    /// If there are none any more.
    pub(crate) async fn get(&self) -> AccountResult<Credentials> {
        let mut latest = self.latest.lock().await;
        let is_valid = |credentials: &&Credentials| {
            let expiry = credentials.expiry();
            expiry.is_none_or(|expiry| expiry > SystemTime::now() + MARGIN)
        };
        if let Some(credentials) = latest.as_ref().filter(is_valid) {
            return Ok(credentials.clone());
        }
        let Some(provider) = &self.provider else {
            let message = "there are no credentials".to_owned();
            return Err(AccountError::before_calls(Kind::NoCredentials, message));
        };
        let credentials = provider.provide_credentials().await;
        let credentials = credentials.map_err(|error| operation::credentials(&error))?;
        *latest = Some(credentials.clone());
        Ok(credentials)
    }
}

/// [`SigningCredentials`] for the SDK's machinery.
#[derive(Debug)]
pub(crate) struct CachedCredentials(pub(crate) Arc<SigningCredentials>);

impl ProvideCredentials for CachedCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let found = self.0.get().await;
            found.map_err(CredentialsError::provider_error)
        })
    }
}
