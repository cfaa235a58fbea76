//! An issuer's keys.

use std::future::Future;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use super::error::TokenError;

/// RSA keys with fewer bits are not accepted (RFC 7518, 3.3).
const MIN_RSA_BITS: usize = 2048;

/// Where an issuer's keys come from. A port: [`OidcKeys`](crate::OidcKeys) fetches them, tests make them.
pub trait KeySource: Send + Sync {
    /// Gets the keys as they are now. May be dropped half-way, and is then called again.
    fn fetch(&self) -> impl Future<Output = Result<KeySet, KeySourceError>> + Send;
}

/// Why keys could not be had. What it quotes is the issuer's own and no secret.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum KeySourceError {
    /// No connection, or it broke.
    #[error("{url} cannot be reached: {reason}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What the network or TLS said.
        reason: String,
    },
    /// No answer in time.
    #[error("{issuer} gave no answer within {milliseconds} ms")]
    TimedOut {
        /// Who was asked.
        issuer: String,
        /// How long.
        milliseconds: u128,
    },
    /// Another status than 200; redirects are not followed.
    #[error("{url} answered {status}, not 200")]
    Status {
        /// What was asked for.
        url: String,
        /// What it answered.
        status: u16,
    },
    /// An answer longer than any issuer's.
    #[error("{url} answered more than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// How many would be all right.
        limit: usize,
    },
    /// Not what an issuer answers.
    #[error("{url} answered something else: {reason}")]
    Invalid {
        /// What was asked for.
        url: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The invocation that fetched them ended before the answer was there.
    #[error("the last attempt to fetch keys was given up half-way")]
    GivenUp,
}

/// The keys that an issuer signs with: RSA for RS256 with 2048 bits or more, and EC on P-256 for ES256.
#[derive(Clone, Debug)]
pub struct KeySet(Vec<Arc<Key>>);

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    decoding: DecodingKey,
}

/// Why something is not a key set.
#[derive(Debug, Error)]
pub enum KeySetError {
    /// Not JSON, or not with an array of keys.
    #[error("it is not a JSON Web Key Set: {0}")]
    NotAKeySet(#[from] serde_json::Error),
    /// None that tokens could be verified with.
    #[error("none of its keys is for signing with RS256 (2048 bits or more) or ES256")]
    NoUsableKey,
}

impl KeySet {
    /// Reads a JSON Web Key Set (RFC 7517). Keys that are for something else are left out, and so are keys that
    /// cannot be understood: an issuer may add new kinds at any time.
    ///
    /// # Errors
    ///
    /// It is no key set, or no key is left.
    pub fn from_json(json: &[u8]) -> Result<Self, KeySetError> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<Value>,
        }
        let document: Document = serde_json::from_slice(json)?;
        let understood = document.keys.into_iter().map(serde_json::from_value);
        let keys = understood.filter_map(|jwk| Key::usable(&jwk.ok()?));
        let keys: Vec<_> = keys.map(Arc::new).collect();
        match keys.is_empty() {
            true => Err(KeySetError::NoUsableKey),
            false => Ok(KeySet(keys)),
        }
    }

    /// The key that a token names, or the only one there is if the token names none.
    pub(super) fn find(&self, id: Option<&str>) -> Result<Arc<Key>, TokenError> {
        let named = |key: &&Arc<Key>| id.is_none() || key.id.as_deref() == id;
        let mut found = self.0.iter().filter(named);
        match (found.next(), found.next()) {
            (Some(key), None) => Ok(Arc::clone(key)),
            (Some(_), Some(_)) => Err(TokenError::AmbiguousKey),
            (None, _) => Err(TokenError::UnknownKey),
        }
    }
}

impl Key {
    fn usable(jwk: &Jwk) -> Option<Self> {
        let (algorithm, decoding) = match &jwk.algorithm {
            AlgorithmParameters::RSA(rsa) => {
                let modulus = URL_SAFE_NO_PAD.decode(&rsa.n).ok()?;
                let decoding = DecodingKey::from_rsa_components(&rsa.n, &rsa.e).ok()?;
                (bits(&modulus) >= MIN_RSA_BITS).then_some((Algorithm::RS256, decoding))
            }
            AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => {
                let decoding = DecodingKey::from_ec_components(&ec.x, &ec.y).ok()?;
                Some((Algorithm::ES256, decoding))
            }
            _ => None,
        }?;
        let common = &jwk.common;
        let for_this = |alg: KeyAlgorithm| alg == KeyAlgorithm::from(algorithm);
        let usable = common.key_algorithm.is_none_or(for_this)
            && is_absent_or(&common.public_key_use, |to| *to == PublicKeyUse::Signature)
            && is_absent_or(&common.key_operations, |all| {
                all.contains(&KeyOperations::Verify)
            });
        usable.then(|| Key {
            id: common.key_id.clone(),
            algorithm,
            decoding,
        })
    }

    /// The one algorithm that this key is for; what a token says of it does not matter.
    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether this key made this signature, which is in base64url, of this message.
    pub(super) fn has_signed(&self, message: &str, signature: &str) -> bool {
        let message = message.as_bytes();
        let verified =
            jsonwebtoken::crypto::verify(signature, message, &self.decoding, self.algorithm);
        verified.unwrap_or(false)
    }
}

fn is_absent_or<T>(value: &Option<T>, test: impl FnOnce(&T) -> bool) -> bool {
    value.as_ref().is_none_or(test)
}

/// How many bits a number in big-endian bytes has.
fn bits(number: &[u8]) -> usize {
    let mut bytes = number.iter().skip_while(|byte| **byte == 0);
    let first = bytes.next();
    first.map_or(0, |byte| 8 - byte.leading_zeros() as usize) + 8 * bytes.count()
}

#[cfg(test)]
mod tests;
