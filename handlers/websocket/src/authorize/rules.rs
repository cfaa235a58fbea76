//! Requirements for tokens, and the identity in a verified token.

use std::time::Duration;

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
}
