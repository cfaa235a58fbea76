//! Tokens and their claims.

use std::time::Duration;

use serde_json::{Map, Value, json};
use stackgen_gateway_common::{EpochMillis, uuid};

/// Token to mint.
#[derive(Clone, Debug)]
pub struct Token {
    /// `sub`: the subject.
    pub subject: String,
    /// `aud` of an ID token, `client_id` of an access token.
    pub audience: String,
    /// Kind of token.
    pub token_use: TokenUse,
    /// Time until the token expires.
    pub lifetime: Duration,
    /// Additional claims, which replace default ones of the same name.
    pub claims: Map<String, Value>,
}

/// `token_use`: kind of a Cognito token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenUse {
    /// ID token, `id`.
    #[default]
    Id,
    /// Access token, `access`. It has `client_id` in place of `aud`.
    Access,
}

impl Token {
    /// Default lifetime of tokens: one hour, as in Cognito.
    pub const LIFETIME: Duration = Duration::from_secs(60 * 60);

    /// Creates an ID token with the default lifetime.
    pub fn new(subject: impl Into<String>, audience: impl Into<String>) -> Self {
        Token {
            subject: subject.into(),
            audience: audience.into(),
            token_use: TokenUse::Id,
            lifetime: Token::LIFETIME,
            claims: Map::new(),
        }
    }

    pub(super) fn claims(self, issuer: &str) -> Value {
        let now = EpochMillis::now().as_millis() / 1000;
        let mut claims = json!({
            "iss": issuer,
            "sub": self.subject,
            "auth_time": now,
            "iat": now,
            "exp": now.saturating_add(self.lifetime.as_secs()),
            "jti": uuid(),
        });
        let own = match self.token_use {
            TokenUse::Id => json!({
                "aud": self.audience,
                "token_use": "id",
                "cognito:username": self.subject,
            }),
            TokenUse::Access => json!({
                "client_id": self.audience,
                "token_use": "access",
                "username": self.subject,
            }),
        };
        for (name, value) in own.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        for (name, value) in self.claims {
            claims[name] = value;
        }
        claims
    }
}
