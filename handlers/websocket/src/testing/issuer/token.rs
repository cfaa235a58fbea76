use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::key::SigningKey;

/// A token before it is signed: a good one that a test makes worse.
///
/// ```
/// use serde_json::json;
/// use stackgen_websocket::testing::{SigningKey, Token};
///
/// let key = SigningKey::ec("key-1");
/// let claims = json!({"iss": "https://example.com", "sub": "alice"});
/// let hostile = Token::new(&key, claims)
///     .header("jku", "https://attacker.example/keys")
///     .without_claim("sub")
///     .signed(&key);
/// assert_eq!(hostile.split('.').count(), 3);
/// ```
#[derive(Clone, Debug)]
pub struct Token {
    /// The header, any JSON.
    pub header: Value,
    /// The claims, any JSON.
    pub claims: Value,
}

impl Token {
    /// A token with these claims, and the header that tokens signed with this key have.
    pub fn new(key: &SigningKey, claims: Value) -> Self {
        let header = json!({"alg": key.algorithm(), "kid": key.id(), "typ": "JWT"});
        Token { header, claims }
    }

    /// The same with this member in its header.
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header[name] = value.into();
        self
    }

    /// The same with this claim.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims[name] = value.into();
        self
    }

    /// The same without this member of its header.
    pub fn without_header(mut self, name: &str) -> Self {
        remove(&mut self.header, name);
        self
    }

    /// The same without this claim.
    pub fn without_claim(mut self, name: &str) -> Self {
        remove(&mut self.claims, name);
        self
    }

    /// Signed with a key, whatever algorithm the header names.
    pub fn signed(&self, key: &SigningKey) -> String {
        signed_text(&self.header.to_string(), &self.claims.to_string(), key)
    }

    /// Signed with HMAC-SHA256, whatever algorithm the header names.
    pub fn signed_with_secret(&self, secret: &[u8]) -> String {
        let message = self.message();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let signature = hmac::sign(&key, message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    /// Without a signature: an empty third part.
    pub fn unsigned(&self) -> String {
        format!("{}.", self.message())
    }

    fn message(&self) -> String {
        message(&self.header.to_string(), &self.claims.to_string())
    }
}

/// A token of any two texts, signed: for what JSON values cannot express, such as a claim that stands there twice.
pub fn signed_text(header: &str, claims: &str, key: &SigningKey) -> String {
    let message = message(header, claims);
    let signature = key.sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn message(header: &str, claims: &str) -> String {
    let (header, claims) = (
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims),
    );
    format!("{header}.{claims}")
}

fn remove(object: &mut Value, name: &str) {
    if let Some(object) = object.as_object_mut() {
        object.remove(name);
    }
}
