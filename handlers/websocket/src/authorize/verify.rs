//! Verifying a token.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::cache::KeyCache;
use super::claims::{Claims, Kind};
use super::error::{TokenError, VerifyError};
use super::keys::KeySource;
use crate::Clock;

/// Longer tokens are refused before anything of them is read: API Gateway lets 10 KB of headers through, and tokens
/// of 2 KB are long already.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Longer subjects are refused: OpenID Connect allows 255 characters.
pub const MAX_SUBJECT_BYTES: usize = 256;

/// What a token must say to be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRules {
    /// Who issued it, letter by letter: for Cognito `https://cognito-idp.{region}.amazonaws.com/{userPoolId}`.
    pub issuer: String,
    /// For whom: one of these is enough. For Cognito the app client's id.
    pub audiences: Vec<String>,
    /// What kind of token it is.
    pub token_use: TokenUse,
    /// How far the issuer's clock may be off. Default: 30 seconds.
    pub leeway: Duration,
}

/// A kind of token: who somebody is, or what a client may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TokenUse {
    /// An ID token. The default.
    #[default]
    Id,
    /// An access token.
    Access,
}

/// Who a token speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The claim `sub`: not empty, at most [`MAX_SUBJECT_BYTES`] long.
    pub user_id: String,
    /// The kind of token that said so.
    pub token_use: TokenUse,
}

/// Tells good tokens from bad ones.
#[derive(Debug)]
pub struct Verifier<K, C> {
    rules: TokenRules,
    keys: KeyCache<K, C>,
}

impl TokenRules {
    /// ID tokens of this issuer for one of these audiences.
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
    /// As Cognito's claim `token_use` spells it: `id` or `access`.
    pub const fn as_str(self) -> &'static str {
        match self {
            TokenUse::Id => "id",
            TokenUse::Access => "access",
        }
    }
}

impl<K: KeySource, C: Clock> Verifier<K, C> {
    /// Accepts tokens that follow the rules and are signed with one of the keys.
    pub fn new(rules: TokenRules, keys: KeyCache<K, C>) -> Self {
        Verifier { rules, keys }
    }

    /// Who the token speaks of.
    ///
    /// Nothing of a token is believed before its signature is found good. Its key's id is looked up among the
    /// issuer's own keys and goes nowhere else: into no URL, no query, no log.
    ///
    /// # Errors
    ///
    /// What is wrong with it, or that there are no keys to tell.
    pub async fn verify(&self, token: &str) -> Result<Identity, VerifyError> {
        let parts = Parts::of(token)?;
        let header = Header::read(parts.header)?;
        let key = self.keys.key(header.key_id.as_deref()).await?;
        // The key says what it is for. A header that says something else wants RSA's public key to be HS256's
        // secret, or the like.
        if header.algorithm != key.algorithm() {
            return Err(TokenError::WrongAlgorithm.into());
        }
        if !key.has_signed(parts.signed, parts.signature) {
            return Err(TokenError::WrongSignature.into());
        }
        let claims: Claims = decode(parts.claims).ok_or(TokenError::MalformedClaims)?;
        Ok(claims.check(header.kind, &self.rules, self.keys.now())?)
    }
}

/// The parts of a JWT, each in base64url.
struct Parts<'a> {
    header: &'a str,
    claims: &'a str,
    signature: &'a str,
    /// Header and claims: what the signature signs.
    signed: &'a str,
}

impl<'a> Parts<'a> {
    fn of(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLong);
        }
        let parts = || {
            let (signed, signature) = token.rsplit_once('.')?;
            let (header, claims) = signed.split_once('.')?;
            (!claims.contains('.')).then_some(Parts {
                header,
                claims,
                signature,
                signed,
            })
        };
        parts().ok_or(TokenError::Malformed)
    }
}

/// What a JWT's header says, of which nothing is believed.
struct Header {
    algorithm: Algorithm,
    key_id: Option<String>,
    kind: Kind,
}

impl Header {
    fn read(part: &str) -> Result<Self, TokenError> {
        /// That a name stands there twice is an error.
        #[derive(Deserialize)]
        struct Members {
            alg: String,
            kid: Option<String>,
            typ: Option<String>,
            // What tells a verifier to trust the token's own key, to fetch one, or to follow rules it does not know.
            crit: Option<IgnoredAny>,
            jku: Option<IgnoredAny>,
            jwk: Option<IgnoredAny>,
            x5u: Option<IgnoredAny>,
            x5c: Option<IgnoredAny>,
        }
        let members: Members = decode(part).ok_or(TokenError::Malformed)?;
        let forbidden = [
            ("crit", &members.crit),
            ("jku", &members.jku),
            ("jwk", &members.jwk),
            ("x5u", &members.x5u),
            ("x5c", &members.x5c),
        ];
        if let Some((name, _)) = forbidden.iter().find(|(_, value)| value.is_some()) {
            return Err(TokenError::ForbiddenHeader(name));
        }
        Ok(Header {
            algorithm: algorithm(&members.alg)?,
            key_id: members.kid,
            kind: kind(members.typ.as_deref())?,
        })
    }
}

fn algorithm(alg: &str) -> Result<Algorithm, TokenError> {
    match alg {
        "RS256" => Ok(Algorithm::RS256),
        "ES256" => Ok(Algorithm::ES256),
        _ => Err(TokenError::UnsupportedAlgorithm),
    }
}

/// The kind of token that `typ` names: a media type, without regard to case (RFC 7515, 4.1.9).
fn kind(typ: Option<&str>) -> Result<Kind, TokenError> {
    let typ = typ.unwrap_or("JWT").to_ascii_lowercase();
    match typ.strip_prefix("application/").unwrap_or(&typ) {
        "jwt" => Ok(Kind::Unsaid),
        "at+jwt" => Ok(Kind::Access),
        _ => Err(TokenError::WrongType),
    }
}

/// Reads JSON in base64url. Padding is refused, and so are spare bits that are not zero: every part of a token has one
/// spelling.
fn decode<T: DeserializeOwned>(part: &str) -> Option<T> {
    let json = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests;
