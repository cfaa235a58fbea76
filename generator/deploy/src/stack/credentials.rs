//! Expiry of the caller's credentials: a check before a deploy, because a deploy whose credentials expire stops in its middle.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;

use super::error::StackError;
use super::ports::CallerCredentials;
use crate::error::{AccountError, AccountErrorKind, DeployError};
use crate::retry::OperationContext;
use crate::timestamp::{iso8601, serialize as serialize_time};

pub use super::types::CredentialsLifetime;

/// Time that credentials should last at the start of a deploy. A stack with functions, tables and a domain name is created in
/// a few minutes, and verification takes up to one more. The shortest session of a role that STS grants has 15 minutes, so it
/// is enough at its beginning.
pub const DEPLOY_TIME: Duration = Duration::from_secs(600);

/// Credentials that expire before a deploy plausibly ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExpiringCredentials {
    /// The source in words.
    pub source: String,
    /// The time at which they expire.
    #[serde(serialize_with = "serialize_time")]
    pub expires: OffsetDateTime,
    /// The time until then.
    pub seconds_left: i64,
}

impl fmt::Display for ExpiringCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the credentials of {} expire in {}, at {}; a deploy may take longer",
            self.source,
            duration_text(self.seconds_left),
            iso8601(self.expires)
        )
    }
}

impl ExpiringCredentials {
    /// Advice to the user.
    pub const HINT: &'static str = "sign in again or assume the role again first; a deploy that stops is completed by the next one";
}

/// Checks that the credentials last until a deploy plausibly ends. Returns the ones that do not.
///
/// # Errors
///
/// [`AccountErrorKind::ExpiredCredentials`].
pub async fn check_credentials(
    caller: &impl CallerCredentials,
    ctx: OperationContext<'_>,
) -> Result<Option<ExpiringCredentials>, StackError> {
    let Some(found) = ctx.read(|| caller.lifetime(DEPLOY_TIME)).await? else {
        return Ok(None);
    };
    let left = found.expires - (ctx.now)();
    if !left.is_positive() {
        let message = format!(
            "the credentials of {} expired at {}",
            found.source,
            iso8601(found.expires)
        );
        let error = AccountError::before_calls(AccountErrorKind::ExpiredCredentials, message);
        return Err(DeployError::from(error).into());
    }
    Ok((left < DEPLOY_TIME).then(|| ExpiringCredentials {
        source: found.source,
        expires: found.expires,
        seconds_left: left.whole_seconds(),
    }))
}

fn duration_text(seconds: i64) -> String {
    match seconds {
        1 => "1 second".to_owned(),
        0..120 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds / 60),
    }
}
