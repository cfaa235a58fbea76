//! Claims of a token.

use serde::Deserialize;

use super::error::TokenError;
use super::rules::{Identity, MAX_SUBJECT_BYTES, TokenRules, TokenType, TokenUse};
use crate::Timestamp;

/// The claims that are checked. Claims that occur twice or have another type are errors.
///
/// They are not checked by `jsonwebtoken`: by default it accepts missing claims, it accepts a list of issuers, and it
/// uses the machine's clock.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Audience>,
    /// Seconds since 1970, with fractions (RFC 7519, section 2: NumericDate).
    exp: Option<f64>,
    nbf: Option<f64>,
    /// Cognito's claim: `id` or `access`.
    token_use: Option<String>,
    /// Cognito's claim in access tokens, which have no `aud`.
    client_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Claims {
    /// Returns the identity in the token, if the claims comply with the rules.
    pub(super) fn check(
        self,
        kind: TokenType,
        rules: &TokenRules,
        now: Timestamp,
    ) -> Result<Identity, TokenError> {
        if self.iss.as_deref() != Some(&rules.issuer) {
            return Err(TokenError::WrongIssuer);
        }
        let token_use = self.token_use.as_deref();
        rules.token_use.check_type(token_use, kind)?;
        if !self.is_for_one_of(&rules.audiences, rules.token_use) {
            return Err(TokenError::WrongAudience);
        }
        self.check_time(now.as_millis() as f64 / 1000.0, rules.leeway.as_secs_f64())?;
        let is_proper = |sub: &String| !sub.is_empty() && sub.len() <= MAX_SUBJECT_BYTES;
        let subject = self.sub.filter(is_proper);
        Ok(Identity {
            user_id: subject.ok_or(TokenError::WrongSubject)?,
            token_use: rules.token_use,
        })
    }

    /// Checks the audience. `client_id` counts only in access tokens without `aud`, as in API Gateway's JWT
    /// authorizers: with a different `aud`, a token for our client is meant for another API.
    fn is_for_one_of(&self, audiences: &[String], token_use: TokenUse) -> bool {
        let is_ours = |name: &String| audiences.contains(name);
        match (&self.aud, token_use) {
            (Some(Audience::One(name)), _) => is_ours(name),
            (Some(Audience::Several(names)), _) => names.iter().any(is_ours),
            (None, TokenUse::Access) => self.client_id.as_ref().is_some_and(is_ours),
            (None, TokenUse::Id) => false,
        }
    }

    fn check_time(&self, now: f64, leeway: f64) -> Result<(), TokenError> {
        let expires = self.exp.ok_or(TokenError::NoExpiry)?;
        if now >= expires + leeway {
            return Err(TokenError::Expired);
        }
        match self.nbf {
            Some(from) if now < from - leeway => Err(TokenError::NotYetValid),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
