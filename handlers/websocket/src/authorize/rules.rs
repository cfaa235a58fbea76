//! Requirements for tokens, and the identity in a verified token.

use std::time::Duration;

use super::error::TokenError;

/// Maximum length of a subject. OpenID Connect allows 255 characters.
pub const MAX_SUBJECT_BYTES: usize = 256;

/// Requirements for a token's claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRules {
    /// Issuer, exactly as in the `iss` claim: for Cognito `https://cognito-idp.{region}.amazonaws.com/{userPoolId}`.
    pub issuer: String,
    /// Audiences; one of them is sufficient. For Cognito the app client's ID.
    pub audiences: Vec<String>,
    /// Kind of the token.
    pub token_use: TokenUse,
    /// Maximum difference between the issuer's clock and ours. Default: 30 seconds.
    pub leeway: Duration,
}

/// Kind of token: ID tokens identify a user, access tokens permit access to an API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TokenUse {
    /// An ID token. The default.
    #[default]
    Id,
    /// An access token.
    Access,
}

/// Verified identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The `sub` claim: not empty, at most [`MAX_SUBJECT_BYTES`] bytes.
    pub user_id: String,
    /// Kind of the token.
    pub token_use: TokenUse,
}

impl TokenRules {
    /// Returns rules for ID tokens of this issuer, for one of these audiences.
    pub fn new(
        issuer: impl Into<String>,
        audiences: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        TokenRules {
            issuer: issuer.into(),
            audiences: audiences.into_iter().map(Into::into).collect(),
            token_use: TokenUse::default(),
            leeway: Duration::from_secs(30),
        }
    }
}

impl TokenUse {
    /// Returns the value of Cognito's claim `token_use`: `id` or `access`.
    pub const fn as_str(self) -> &'static str {
        match self {
            TokenUse::Id => "id",
            TokenUse::Access => "access",
        }
    }

    /// Checks the kind of a token: `claim` is its claim `token_use`, and `typ` that of its header.
    ///
    /// [`Verifier`](super::Verifier) checks it, too. This is for tokens that something else verified, such as API Gateway's
    /// JWT authorizer, which accepts both kinds: an access token's `client_id` counts as the audience there.
    ///
    /// # Errors
    ///
    /// Fails if the token is of the other kind, or of neither.
    pub fn check(self, claim: Option<&str>, typ: Option<&str>) -> Result<(), TokenError> {
        self.check_type(claim, TokenType::parse(typ)?)
    }

    /// Checks the kind of token. Cognito's claim `token_use` decides. Most other issuers lack it; then `at+jwt`
    /// identifies an access token. Otherwise the audience distinguishes the kinds: an API in access tokens, the client
    /// in ID tokens.
    pub(super) fn check_type(
        self,
        claim: Option<&str>,
        token_type: TokenType,
    ) -> Result<(), TokenError> {
        let fits = match (claim, token_type) {
            (Some(token_use), _) => token_use == self.as_str(),
            (None, TokenType::Access) => self == TokenUse::Access,
            (None, TokenType::Unspecified) => true,
        };
        fits.then_some(()).ok_or(TokenError::WrongTokenUse)
    }
}

/// Kind of token in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenType {
    /// `JWT` or no `typ`: could be either.
    Unspecified,
    /// `at+jwt` (RFC 9068).
    Access,
}

impl TokenType {
    /// Returns the kind of token for `typ`, a media type without regard to case (RFC 7515, section 4.1.9).
    pub(super) fn parse(typ: Option<&str>) -> Result<Self, TokenError> {
        let typ = typ.unwrap_or("JWT").to_ascii_lowercase();
        match typ.strip_prefix("application/").unwrap_or(&typ) {
            "jwt" => Ok(TokenType::Unspecified),
            "at+jwt" => Ok(TokenType::Access),
            _ => Err(TokenError::WrongType),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_default_to_id_tokens() {
        let rules = TokenRules::new("https://issuer.example", ["ours"]);
        assert_eq!(rules.token_use, TokenUse::Id);
        assert_eq!(rules.leeway, Duration::from_secs(30));
        assert_eq!(rules.audiences, ["ours"]);
        assert_eq!(TokenUse::Id.as_str(), "id");
        assert_eq!(TokenUse::Access.as_str(), "access");
    }

    #[test]
    fn a_verified_token_is_of_the_kind_that_its_claim_or_its_header_says() {
        let (id, access) = (TokenUse::Id, TokenUse::Access);
        let other = Err(TokenError::WrongTokenUse);
        for (claim, typ, as_id, as_access) in [
            (None, None, Ok(()), Ok(())),
            (None, Some("JWT"), Ok(()), Ok(())),
            (None, Some("at+jwt"), other, Ok(())),
            (None, Some("application/AT+JWT"), other, Ok(())),
            (Some("id"), Some("at+jwt"), Ok(()), other),
            (Some("access"), None, other, Ok(())),
        ] {
            assert_eq!(id.check(claim, typ), as_id, "{claim:?} {typ:?}");
            assert_eq!(access.check(claim, typ), as_access, "{claim:?} {typ:?}");
        }
        let neither = id.check(Some("id"), Some("logout+jwt"));
        assert_eq!(neither, Err(TokenError::WrongType));
    }
}
