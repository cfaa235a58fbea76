//! What a signed token says.

use serde::Deserialize;

use super::error::TokenError;
use super::verify::{Identity, MAX_SUBJECT_BYTES, TokenRules, TokenUse};
use crate::Timestamp;

/// The claims that matter. That one stands there twice is an error, and so is one of another type.
///
/// They are checked here and not by `jsonwebtoken`, because it takes a missing claim for a good one unless told
/// otherwise, a list of issuers for an issuer, and the machine's clock for the time.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Audience>,
    /// Seconds since 1970, fractions allowed (RFC 7519, 2: NumericDate).
    exp: Option<f64>,
    nbf: Option<f64>,
    /// Cognito's: `id` or `access`.
    token_use: Option<String>,
    /// Cognito's, in access tokens, which have no `aud`.
    client_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// What a token's header says about its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `JWT`, or nothing.
    Unsaid,
    /// `at+jwt` (RFC 9068).
    Access,
}

impl Claims {
    /// Who the token speaks of, if it follows the rules.
    pub(super) fn check(
        self,
        kind: Kind,
        rules: &TokenRules,
        now: Timestamp,
    ) -> Result<Identity, TokenError> {
        if self.iss.as_deref() != Some(&rules.issuer) {
            return Err(TokenError::WrongIssuer);
        }
        self.check_token_use(kind, rules.token_use)?;
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

    /// Cognito's claim decides. Without it, as with most other issuers, `at+jwt` gives an access token away, and what
    /// says nothing is told by its audience: an API in access tokens, the client in ID tokens.
    fn check_token_use(&self, kind: Kind, expected: TokenUse) -> Result<(), TokenError> {
        let fits = match (self.token_use.as_deref(), kind) {
            (Some(token_use), _) => token_use == expected.as_str(),
            (None, Kind::Access) => expected == TokenUse::Access,
            (None, Kind::Unsaid) => true,
        };
        fits.then_some(()).ok_or(TokenError::WrongTokenUse)
    }

    /// `client_id` counts in access tokens that have no `aud`, as in API Gateway's own JWT authorizers: with an `aud`
    /// that is not ours, a token of our client is for somebody else's API.
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
