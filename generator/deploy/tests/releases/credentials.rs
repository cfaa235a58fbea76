//! Credentials that expire before a deploy ends are reported before it begins.

use std::time::Duration;

use stackgen_deploy::stack::credentials::{
    CredentialsLifetime, DEPLOY_TIME, ExpiringCredentials, check_credentials,
};
use stackgen_deploy::stack::{CallerCredentials, StackError};
use stackgen_deploy::{AccountErrorKind, AccountResult, DeployError, OffsetDateTime};

use crate::notes::checked;

/// Credentials that expire so many seconds after the check.
struct Session(Option<i64>);

impl CallerCredentials for Session {
    async fn lifetime(&self, needed: Duration) -> AccountResult<Option<CredentialsLifetime>> {
        assert_eq!(needed, DEPLOY_TIME);
        Ok(self.0.map(|left| CredentialsLifetime {
            source: "an assumed role".to_owned(),
            expires: OffsetDateTime::from_unix_timestamp(1_000 + left).unwrap(),
        }))
    }
}

async fn check(left: Option<i64>) -> Result<Option<ExpiringCredentials>, StackError> {
    checked(async |ctx| check_credentials(&Session(left), ctx).await)
        .await
        .0
}

#[tokio::test]
async fn credentials_that_last_for_a_deploy_or_carry_no_expiry_are_not_reported() {
    for left in [None, Some(600), Some(86_400)] {
        assert_eq!(check(left).await, Ok(None), "{left:?}");
    }
}

#[tokio::test]
async fn credentials_that_expire_during_a_deploy_are_reported_with_the_time_left() {
    let mut texts = Vec::new();
    for left in [1, 119, 120, 599] {
        texts.push(check(Some(left)).await.unwrap().unwrap().to_string());
    }
    insta::assert_snapshot!(texts.join("\n"), @r"
    the credentials of an assumed role expire in 1 second, at 1970-01-01T00:16:41Z; a deploy may take longer
    the credentials of an assumed role expire in 119 seconds, at 1970-01-01T00:18:39Z; a deploy may take longer
    the credentials of an assumed role expire in 2 minutes, at 1970-01-01T00:18:40Z; a deploy may take longer
    the credentials of an assumed role expire in 9 minutes, at 1970-01-01T00:26:39Z; a deploy may take longer
    ");
    let found = check(Some(119)).await.unwrap().unwrap();
    assert_eq!(
        serde_json::to_value(found).unwrap(),
        serde_json::json!({
            "source": "an assumed role", "expires": "1970-01-01T00:18:39Z", "secondsLeft": 119,
        })
    );
}

#[tokio::test]
async fn expired_credentials_are_an_error() {
    for left in [0, -60] {
        let error = check(Some(left)).await.unwrap_err();
        let StackError::Deploy(DeployError::Account(account)) = &error else {
            panic!("{error:?}");
        };
        assert_eq!(account.kind, AccountErrorKind::ExpiredCredentials);
        assert!(
            error
                .to_string()
                .starts_with("the credentials of an assumed role expired at 1970-")
        );
    }
}
