//! Verification of a token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::cache::KeyCache;
use super::claims::Claims;
use super::error::{TokenError, VerifyError};
use super::keys::KeySource;
use super::rules::{Identity, TokenRules, TokenType};
use crate::Clock;

/// Maximum length of a token. API Gateway allows 10 KB of headers; tokens rarely exceed 2 KB.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Verifies tokens.
#[derive(Debug)]
pub struct Verifier<K, C> {
    rules: TokenRules,
    keys: KeyCache<K, C>,
}

impl<K: KeySource, C: Clock> Verifier<K, C> {
    /// Returns a verifier for tokens that comply with the rules and are signed with one of the keys.
    pub fn new(rules: TokenRules, keys: KeyCache<K, C>) -> Self {
        Verifier { rules, keys }
    }

    /// Verifies a token and returns its identity.
    ///
    /// Nothing in a token is trusted before its signature is verified. Its key ID is only compared with the IDs of the
    /// issuer's keys, and never becomes part of a URL, a query or a log line.
    ///
    /// # Errors
    ///
    /// Fails if the token is invalid, or if there are no keys.
    pub async fn verify(&self, token: &str) -> Result<Identity, VerifyError> {
        let parts = Parts::of(token)?;
        let header = Header::read(parts.header)?;
        let key = self.keys.key(header.key_id.as_deref()).await?;
        // The key determines the algorithm. A header with another one may be an attack, such as HS256 with RSA's public
        // key as the secret.
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

/// Parts of a JWT, each in base64url.
struct Parts<'a> {
    header: &'a str,
    claims: &'a str,
    signature: &'a str,
    /// Header and claims, which the signature covers.
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

/// Header of a JWT. It is not trusted.
struct Header {
    algorithm: Algorithm,
    key_id: Option<String>,
    kind: TokenType,
}

impl Header {
    fn read(part: &str) -> Result<Self, TokenError> {
        /// Members of the header. Members that occur twice are errors.
        #[derive(Deserialize)]
        struct Members {
            alg: String,
            kid: Option<String>,
            typ: Option<String>,
            // Members that make a verifier trust the token's own key, fetch a key, or apply unknown rules.
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
            kind: TokenType::parse(members.typ.as_deref())?,
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

/// Parses JSON in base64url. Refuses padding, and trailing bits that are not zero, so that every part of a token has
/// only one encoding.
fn decode<T: DeserializeOwned>(part: &str) -> Option<T> {
    let json = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests;
