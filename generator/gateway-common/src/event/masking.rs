//! Masks of credentials in what events show. Masked values become `****`.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// Replacement of a masked value.
const MASK: &str = "****";

/// Minimum length of a JSON Web Token: even an empty one is longer.
const MIN_TOKEN: usize = 24;

/// Parts of the names of headers, parameters and keys whose values are credentials, as letters in lower case.
///
/// The same names as in `generator/probe/src/recording/secrets.rs`; neither crate depends on the other.
const SECRET_NAMES: &[&str] = &[
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

/// Returns a value as it may be shown: masked if its name is that of a credential, and without tokens. `is_first` is false for
/// further values of a name.
pub(super) fn mask_named<'v>(name: &str, value: &'v str, is_first: bool) -> Cow<'v, str> {
    if value.is_empty() {
        return Cow::Borrowed(value);
    }
    if is_secret_name(name) {
        return Cow::Borrowed(MASK);
    }
    if is_protocol(name) {
        return mask_protocols(value, is_first).into();
    }
    match has_password(value) {
        true => Cow::Borrowed(MASK),
        false => mask_tokens(value),
    }
}

/// Returns true for a URL with a password: `postgres://user:password@host`.
fn has_password(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    user.is_some_and(|user| user.contains(':'))
}

/// Returns true for the header of the subprotocols, which may occur several times.
pub(super) fn is_protocol(name: &str) -> bool {
    name.eq_ignore_ascii_case("sec-websocket-protocol")
}

/// Masks all but the first of several subprotocols: clients pass tokens as `bearer, TOKEN` (row C10).
fn mask_protocols(value: &str, is_first: bool) -> String {
    let protocols = value.split(',').map(str::trim).enumerate();
    let masked = protocols.map(|(at, protocol)| match at {
        0 if is_first => mask_tokens(protocol),
        _ => Cow::Borrowed(MASK),
    });
    masked.collect::<Vec<_>>().join(", ")
}

fn is_secret_name(name: &str) -> bool {
    // Without the separators of `api-key` and `API_KEY`.
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let name: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    SECRET_NAMES.iter().any(|secret| name.contains(secret))
}

/// Masks JSON Web Tokens in a text.
pub(super) fn mask_tokens(text: &str) -> Cow<'_, str> {
    if !text.contains("eyJ") {
        return Cow::Borrowed(text);
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("eyJ") {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !is_part(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        masked.push_str(before);
        let is_token = word.len() >= MIN_TOKEN && word.matches('.').count() >= 2;
        masked.push_str(if is_token { MASK } else { word });
        rest = after;
    }
    masked.push_str(rest);
    Cow::Owned(masked)
}

/// Masks credentials in JSON: values of keys that name credentials, and tokens.
pub(super) fn mask_json(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(masked) = mask_tokens(text) {
                *text = masked;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(mask_json),
        Value::Object(fields) => {
            mask_last_protocol(fields);
            for (name, value) in std::mem::take(fields) {
                let value = mask_field(&name, value, true);
                fields.insert(mask_tokens(&name).into_owned(), value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn mask_field(name: &str, mut value: Value, is_first: bool) -> Value {
    match value {
        Value::String(text) => mask_named(name, &text, is_first).into(),
        // Multiple values of a header or a parameter.
        Value::Array(values) => {
            let values = values.into_iter().enumerate();
            let masked = values.map(|(at, value)| mask_field(name, value, is_first && at == 0));
            masked.collect()
        }
        Value::Number(_) | Value::Object(_) if is_secret_name(name) => MASK.into(),
        _ => {
            mask_json(&mut value);
            value
        }
    }
}

/// Masks the subprotocol in `headers` of an event, which is the last one, if `multiValueHeaders` has several.
fn mask_last_protocol(event: &mut Map<String, Value>) {
    let lists = event.get("multiValueHeaders").and_then(Value::as_object);
    let mut repeated = lists.into_iter().flatten().filter(|(name, values)| {
        is_protocol(name) && values.as_array().is_some_and(|values| values.len() > 1)
    });
    let Some(name) = repeated.next().map(|(name, _)| name.clone()) else {
        return;
    };
    let headers = event.get_mut("headers").and_then(Value::as_object_mut);
    if let Some(last) = headers.and_then(|headers| headers.get_mut(&name)) {
        *last = MASK.into();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl";

    #[test]
    fn values_of_credentials_are_masked_by_their_names() {
        for name in [
            "Authorization",
            "Cookie",
            "x-api-key",
            "X-Amz-Security-Token",
            "X-Amz-Signature",
            "ticket",
            "access_token",
            "clientSecret",
            "GPG_PASSPHRASE",
            "JWT_PRIVATE_KEY",
            "SIGNING_KEY",
            "ENCRYPTION_KEY",
            "access_key",
            "x-api-key",
            "privateKey",
            "DB_PWD",
            "ConnectionString",
        ] {
            assert_eq!(mask_named(name, "abc", true), MASK, "{name}");
        }
        let url = mask_named("DATABASE_URL", "postgres://ada:abc@host/db", true);
        assert_eq!(url, MASK);
        for url in ["https://host:8080/a:b@c", "https://ada@host", "a@b:c"] {
            assert_eq!(mask_named("ENDPOINT", url, true), url);
        }
        for name in [
            "sessionId",
            "Host",
            "User-Agent",
            "role",
            "key",
            "PRIMARY_KEY",
        ] {
            assert_eq!(mask_named(name, "abc", true), "abc", "{name}");
        }
        assert_eq!(
            mask_named("token", "", true),
            "",
            "an empty value shows that it is missing"
        );
    }

    #[test]
    fn subprotocols_after_the_first_are_masked() {
        let masked = |value| mask_named("Sec-WebSocket-Protocol", value, true).into_owned();
        assert_eq!(masked("bearer, abc"), "bearer, ****");
        assert_eq!(masked("chat"), "chat");
        assert_eq!(masked(TOKEN), "****");
        let later = mask_named("sec-websocket-protocol", "abc, def", false);
        assert_eq!(later, "****, ****");
        let mut event = json!({
            "headers": {"Sec-WebSocket-Protocol": "abc"},
            "multiValueHeaders": {"Sec-WebSocket-Protocol": ["bearer", "abc"]},
        });
        mask_json(&mut event);
        let expected = json!({
            "headers": {"Sec-WebSocket-Protocol": "****"},
            "multiValueHeaders": {"Sec-WebSocket-Protocol": ["bearer", "****"]},
        });
        assert_eq!(event, expected);
        let mut single = json!({
            "headers": {"Sec-WebSocket-Protocol": "bearer, abc"},
            "multiValueHeaders": {"Sec-WebSocket-Protocol": ["bearer, abc"]},
        });
        mask_json(&mut single);
        let expected = json!({
            "headers": {"Sec-WebSocket-Protocol": "bearer, ****"},
            "multiValueHeaders": {"Sec-WebSocket-Protocol": ["bearer, ****"]},
        });
        assert_eq!(single, expected);
    }

    #[test]
    fn tokens_are_masked_in_names() {
        let mut event = json!({
            "queryStringParameters": {TOKEN: "", "n": "1"},
            "multiValueQueryStringParameters": {TOKEN: [""], "n": ["1"]},
        });
        mask_json(&mut event);
        let expected = json!({
            "queryStringParameters": {"****": "", "n": "1"},
            "multiValueQueryStringParameters": {"****": [""], "n": ["1"]},
        });
        assert_eq!(event, expected);
    }

    #[test]
    fn tokens_are_masked_wherever_they_are() {
        let text = format!(r#"{{"a":"{TOKEN}","eyJ":"eyJ1"}} {TOKEN}"#);
        assert_eq!(mask_tokens(&text), r#"{"a":"****","eyJ":"eyJ1"} ****"#);
        let mut event = json!({
            "headers": {"Authorization": "x", "Host": "h"},
            "multiValueHeaders": {"Authorization": ["x", "y"]},
            "queryStringParameters": {"v": TOKEN, "n": 1},
        });
        mask_json(&mut event);
        let expected = json!({
            "headers": {"Authorization": "****", "Host": "h"},
            "multiValueHeaders": {"Authorization": ["****", "****"]},
            "queryStringParameters": {"v": "****", "n": 1},
        });
        assert_eq!(event, expected);
    }

    #[test]
    fn everything_under_the_name_of_a_credential_is_masked() {
        let mut event = json!({
            "ticket": 123_456, "credentials": {"user": "ada", "id": 1}, "tokens": [1, {"a": "b"}], "hasToken": true, "token": null,
            "room": {"n": 1, "passwords": {"ada": "abc"}},
        });
        mask_json(&mut event);
        let expected = json!({
            "ticket": MASK, "credentials": MASK, "tokens": [MASK, MASK], "hasToken": true, "token": null,
            "room": {"n": 1, "passwords": MASK},
        });
        assert_eq!(event, expected);
    }

    proptest! {
        #[test]
        fn no_token_passes_a_text(before in "[^A-Za-z0-9._-]{0,5}", after in "[^A-Za-z0-9._-]{0,5}") {
            let text = format!("{before}{TOKEN}{after}");
            prop_assert_eq!(mask_tokens(&text), format!("{before}{MASK}{after}"));
        }

        #[test]
        fn a_text_without_tokens_stays(text in "[^e]*") {
            prop_assert_eq!(mask_tokens(&text), text.as_str());
        }
    }
}
