//! Lifetime of the caller's credentials.

use std::time::Duration;

use stackgen_deploy::AccountResult;
use stackgen_deploy::stack::CallerCredentials;
use stackgen_deploy::stack::credentials::CredentialsLifetime;

use crate::Aws;

impl CallerCredentials for Aws {
    async fn lifetime(&self, needed: Duration) -> AccountResult<Option<CredentialsLifetime>> {
        self.credentials.renew(needed).await;
        let known = self.credentials.lifetime();
        Ok(known.expiry.map(|expiry| CredentialsLifetime {
            source: known.source.to_owned(),
            expires: expiry.into(),
        }))
    }
}
