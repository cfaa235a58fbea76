//! Keys of an issuer.

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

use super::error::{KeySourceError, TokenError};

/// Minimum size of RSA keys (RFC 7518, section 3.3).
const MIN_RSA_BITS: usize = 2048;

/// Source of an issuer's keys. [`OidcKeys`](crate::OidcKeys) fetches them; tests generate them.
pub trait KeySource: Send + Sync {
    /// Fetches the current keys. Callers may drop the future and call again.
    fn fetch(&self) -> impl Future<Output = Result<KeySet, KeySourceError>> + Send;
}

/// Signing keys of an issuer: RSA keys of at least 2048 bits for RS256, and EC keys on P-256 for ES256.
#[derive(Clone, Debug)]
pub struct KeySet(Vec<Arc<VerificationKey>>);

/// A signing key.
#[derive(Clone, Debug)]
pub(super) struct VerificationKey {
    id: Option<String>,
    algorithm: Algorithm,
    decoding: DecodingKey,
}

/// Reason why JSON is no valid key set.
#[derive(Debug, Error)]
pub enum KeySetError {
    /// The text is not JSON, or has no array of keys.
    #[error("not a JSON Web Key Set: {0}")]
    NotAKeySet(#[from] serde_json::Error),
    /// No key can verify tokens.
    #[error("the key set has no signing key for RS256 (at least 2048 bits) or ES256")]
    NoUsableKey,
}

impl KeySet {
    /// Parses a JSON Web Key Set (RFC 7517). Skips keys for other uses and unknown keys, because an issuer may add new
    /// kinds at any time.
    ///
    /// # Errors
    ///
    /// Fails if the JSON is no key set, or if no usable key is left.
    pub fn from_json(json: &[u8]) -> Result<Self, KeySetError> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<Value>,
        }
        let document: Document = serde_json::from_slice(json)?;
        let understood = document.keys.into_iter().map(serde_json::from_value);
        let keys = understood.filter_map(|jwk| VerificationKey::usable(&jwk.ok()?));
        let keys: Vec<_> = keys.map(Arc::new).collect();
        match keys.is_empty() {
            true => Err(KeySetError::NoUsableKey),
            false => Ok(KeySet(keys)),
        }
    }

    /// Returns the key with this ID. Without an ID, returns the only key.
    pub(super) fn find(&self, id: Option<&str>) -> Result<Arc<VerificationKey>, TokenError> {
        let named = |key: &&Arc<VerificationKey>| id.is_none() || key.id.as_deref() == id;
        let mut found = self.0.iter().filter(named);
        match (found.next(), found.next()) {
            (Some(key), None) => Ok(Arc::clone(key)),
            (Some(_), Some(_)) => Err(TokenError::AmbiguousKey),
            (None, _) => Err(TokenError::UnknownKey),
        }
    }
}

impl VerificationKey {
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
        usable.then(|| VerificationKey {
            id: common.key_id.clone(),
            algorithm,
            decoding,
        })
    }

    /// Returns the key's algorithm. A token cannot choose another.
    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns true if this key made this signature (base64url) of this message.
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

/// Returns the number of bits of a big-endian number.
fn bits(number: &[u8]) -> usize {
    let mut bytes = number.iter().skip_while(|byte| **byte == 0);
    let first = bytes.next();
    first.map_or(0, |byte| 8 - byte.leading_zeros() as usize) + 8 * bytes.count()
}

#[cfg(test)]
mod tests;
