//! What a token says.

use std::time::Duration;

use serde_json::{Map, Value, json};
use stackgen_gateway_common::{EpochMillis, uuid};

/// What is asked for when a token is minted.
#[derive(Clone, Debug)]
pub struct Token {
    /// `sub`: who it is of.
    pub subject: String,
    /// `aud` of an ID token, `client_id` of an access token.
    pub audience: String,
    /// What it is for.
    pub token_use: TokenUse,
    /// How long it is good for.
    pub lifetime: Duration,
    /// More claims, or others: these win.
    pub claims: Map<String, Value>,
}

/// `token_use`: which of Cognito's tokens it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenUse {
    /// An ID token, `id`.
    #[default]
    Id,
    /// An access token, `access`. It says `client_id`, and has no `aud`.
    Access,
}

impl Token {
    /// How long tokens are good for without a word about it: an hour, as Cognito has it.
    pub const LIFETIME: Duration = Duration::from_secs(60 * 60);

    /// An ID token, good for an hour.
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
