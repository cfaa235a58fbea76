//! Tokens and other secrets of clients, which no recording contains.

use std::collections::HashMap;

use serde_json::Number;

use crate::secret::{MIN_SECRET_LENGTH, Secrets};

/// Parts of the names of fields, headers and parameters whose values are secrets, as letters in lower case.
///
/// The same names as in `generator/gateway-common/src/event/masking.rs`; neither crate depends on the other.
const SECRET_NAMES: [&str; 16] = [
    "authorization",
    "cookie",
    "credential",
    "passw",
    "passphrase",
    "secret",
    "signature",
    "ticket",
    "token",
    "pwd",
    "connectionstring",
    "apikey",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "accesskey",
];

/// Secrets that clients sent, and their placeholders.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecordedSecrets {
    known: HashMap<String, String>,
    hidden: Secrets,
    /// Those of `hidden` that are searched for in keys.
    hidden_in_keys: Secrets,
    last: u32,
}

impl RecordedSecrets {
    /// Adds a caller's token.
    pub(crate) fn add_token(&mut self, token: &str, placeholder: &str) {
        self.add(token, placeholder.to_owned());
    }

    /// Returns the placeholder of a secret of a client.
    pub(crate) fn placeholder(&mut self, secret: &str) -> String {
        if let Some(known) = self.known.get(secret) {
            return known.clone();
        }
        self.last += 1;
        let placeholder = format!("<secret-{}>", self.last);
        self.add(secret, placeholder.clone());
        placeholder
    }

    fn add(&mut self, secret: &str, placeholder: String) {
        self.known.insert(secret.to_owned(), placeholder);
        let all = self.known.keys().map(String::as_str);
        self.hidden = Secrets::new(all.clone());
        self.hidden_in_keys = Secrets::new(all.filter(|secret| !may_be_key(secret)));
    }

    /// Returns the placeholder of a field that holds a secret. Fields of the server are its own.
    pub(crate) fn of_field(
        &mut self,
        key: Option<&str>,
        value: &str,
        is_received: bool,
    ) -> Option<String> {
        if let Some(known) = self.known.get(value) {
            return Some(known.clone());
        }
        let is_secret = !is_received && key.is_some_and(is_secret_name) && !value.is_empty();
        is_secret.then(|| self.placeholder(value))
    }

    /// Returns the placeholder of a number that is a secret. Short ones, such as counts, are none.
    pub(crate) fn of_number(
        &mut self,
        key: Option<&str>,
        number: &Number,
        is_received: bool,
    ) -> Option<String> {
        // `max_tokens` is no secret.
        let key = key.filter(|key| !key.to_ascii_lowercase().ends_with("tokens"));
        let digits = number.to_string();
        let is_long = digits.len() >= MIN_SECRET_LENGTH;
        is_long.then(|| self.of_field(key, &digits, is_received))?
    }

    /// Returns the placeholder of a word that is a secret.
    pub(crate) fn of_word(&mut self, word: &str, is_received: bool) -> Option<String> {
        if let Some(known) = self.known.get(word) {
            return Some(known.clone());
        }
        (!is_received && is_token(word)).then(|| self.placeholder(word))
    }

    /// Returns true if the key of a field contains a secret.
    pub(crate) fn are_in_key(&self, key: &str) -> bool {
        self.hidden_in_keys.are_in(key)
    }

    /// Hides what is left of secrets in a text, in any encoding.
    pub(crate) fn hide(&self, text: &str) -> String {
        self.hidden.hide(text)
    }
}

/// Returns true for secrets that keys may contain by chance, such as the password `password`.
fn may_be_key(secret: &str) -> bool {
    secret.len() < 12 && secret.chars().all(char::is_alphabetic)
}

/// Returns true for JSON Web Tokens.
pub(crate) fn is_token(word: &str) -> bool {
    word.starts_with("eyJ") && word.len() >= 24 && word.matches('.').count() >= 2
}

/// Returns true if a name is that of a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    // Without the separators of `api-key` and `API_KEY`.
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let name: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    SECRET_NAMES.iter().any(|secret| name.contains(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl";

    #[test]
    fn secrets_are_known_by_their_names() {
        for name in [
            "x-api-key",
            "privateKey",
            "DB_PWD",
            "pass-phrase",
            "accessKey",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["key", "primaryKey", "room"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn a_secret_has_one_placeholder_wherever_it_is() {
        let mut secrets = RecordedSecrets::default();
        secrets.add_token(TOKEN, "<token>");
        assert_eq!(secrets.of_word(TOKEN, true).as_deref(), Some("<token>"));
        let field = |secrets: &mut RecordedSecrets, key, value, is_received| {
            secrets.of_field(Some(key), value, is_received)
        };
        let first = field(&mut secrets, "password", "hunter2", false);
        assert_eq!(first.as_deref(), Some("<secret-1>"));
        assert_eq!(field(&mut secrets, "text", "hunter2", true), first);
        assert_eq!(
            field(&mut secrets, "token", "a value of the server", true),
            None
        );
        assert_eq!(secrets.hide("I have hunter2."), "I have [hidden].");
    }
}
