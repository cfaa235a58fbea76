use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::key::SigningKey;

/// An unsigned token, which tests can modify.
///
/// ```
/// use serde_json::json;
/// use stackgen_websocket_testing::{SigningKey, Token};
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
    /// Header, any JSON.
    pub header: Value,
    /// Claims, any JSON.
    pub claims: Value,
}

impl Token {
    /// Returns a token with these claims, and with the header for this key.
    pub fn new(key: &SigningKey, claims: Value) -> Self {
        let header = json!({"alg": key.algorithm(), "kid": key.id(), "typ": "JWT"});
        Token { header, claims }
    }

    /// Sets a member of the header.
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header[name] = value.into();
        self
    }

    /// Sets a claim.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims[name] = value.into();
        self
    }

    /// Removes a member of the header.
    pub fn without_header(mut self, name: &str) -> Self {
        remove(&mut self.header, name);
        self
    }

    /// Removes a claim.
    pub fn without_claim(mut self, name: &str) -> Self {
        remove(&mut self.claims, name);
        self
    }

    /// Signs the token with a key, whatever algorithm its header names.
    pub fn signed(&self, key: &SigningKey) -> String {
        signed_text(&self.header.to_string(), &self.claims.to_string(), key)
    }

    /// Signs the token with HMAC-SHA256, whatever algorithm its header names.
    pub fn signed_with_secret(&self, secret: &[u8]) -> String {
        let message = self.message();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let signature = hmac::sign(&key, message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    /// Returns the token with an empty signature.
    pub fn unsigned(&self) -> String {
        format!("{}.", self.message())
    }

    fn message(&self) -> String {
        message(&self.header.to_string(), &self.claims.to_string())
    }
}

/// Signs any header and claims, also those that are no JSON value, such as claims that occur twice.
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
