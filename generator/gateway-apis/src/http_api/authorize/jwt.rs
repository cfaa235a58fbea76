//! JWT authorizers: RSA signatures, `iss`, `aud` or `client_id`, `exp`, `nbf`, `iat`, scopes.

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde_json::{Map, Value};
use stackgen_gateway_common::EpochMillis;

use super::super::Exchange;
use super::super::authorization::RequestAuthorization;
use super::super::refusal::HttpRefusal;
use crate::apis::{JwtConfiguration, StoredAuthorizer};

impl Exchange<'_> {
    /// Verifies the token in the authorizer's identity source.
    pub(super) async fn authorize_with_jwt(
        &self,
        authorizer: &StoredAuthorizer,
        scopes: &[String],
    ) -> Result<RequestAuthorization, HttpRefusal> {
        let token = authorizer.identity_source.first();
        let token = token.and_then(|source| self.identity_value(source, None));
        let Some(token) = token else {
            let refusal = HttpRefusal::unauthorized("the request has no token");
            return Err(refusal.with_challenge("Bearer".to_owned()));
        };
        let Some(jwt) = &authorizer.jwt_configuration else {
            return Err(HttpRefusal::internal(
                "the authorizer has no JWT configuration",
            ));
        };
        let claims = self.verify(without_scheme(&token), jwt).await;
        let claims = claims.map_err(|problem| {
            let scopes = scopes.join(" ");
            let challenge = format!(
                r#"Bearer scope="{scopes}" error="invalid_token" error_description="{problem}""#
            );
            HttpRefusal::unauthorized(problem).with_challenge(challenge)
        })?;
        let token_scopes = scopes_of(&claims);
        if !scopes.is_empty() && !scopes.iter().any(|scope| token_scopes.contains(scope)) {
            let required = scopes.join(" ");
            let refusal =
                HttpRefusal::forbidden(format!("the token has none of the scopes {required}"));
            return Err(refusal.with_challenge(format!(
                r#"Bearer scope="{required}" error="insufficient_scope""#
            )));
        }
        let granted = token_scopes
            .into_iter()
            .filter(|scope| scopes.contains(scope));
        Ok(RequestAuthorization::Jwt {
            scopes: (!scopes.is_empty()).then(|| granted.collect()),
            claims: claims
                .into_iter()
                .map(|(name, value)| (name, Value::String(text(&value))))
                .collect(),
        })
    }

    /// Verifies a token and returns its claims. An error is the text for `error_description`.
    async fn verify(
        &self,
        token: &str,
        jwt: &JwtConfiguration,
    ) -> Result<Map<String, Value>, String> {
        let header = decode_header(token).map_err(|_| "the token is malformed")?;
        let family = [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512];
        if !family.contains(&header.alg) {
            return Err(format!("signing method {:?} is invalid", header.alg));
        }
        let kid = header.kid.ok_or("the token has no kid")?;
        let key = self.api.keys.find(&jwt.issuer, &kid).await?;
        let mut validation = Validation::new(header.alg);
        validation.leeway = 0;
        validation.validate_nbf = true;
        validation.validate_aud = false;
        validation.set_issuer(&[&jwt.issuer]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        let claims = decode::<Map<String, Value>>(token, &key, &validation);
        let claims = claims.map_err(|error| problem(error.kind()))?.claims;
        // A token may have been issued in the current second.
        let now = EpochMillis::now().as_millis() / 1000;
        let issued = claims.get("iat").and_then(Value::as_f64);
        if issued.is_some_and(|issued| issued > now as f64) {
            return Err("the token is used before it was issued".to_owned());
        }
        if !has_audience(&claims, &jwt.audience) {
            return Err("the token does not have a valid audience".to_owned());
        }
        Ok(claims)
    }
}

/// Returns the token without a leading `Bearer `.
fn without_scheme(value: &str) -> &str {
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => value,
    }
}

fn problem(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::ExpiredSignature => "the token has expired",
        ErrorKind::ImmatureSignature => "the token is not valid yet",
        ErrorKind::InvalidIssuer => "the token does not have a valid issuer",
        ErrorKind::InvalidSignature => "the token has an invalid signature",
        ErrorKind::MissingRequiredClaim(name) => return format!("the token has no {name}"),
        _ => "the token is malformed",
    }
    .to_owned()
}

/// Returns true if `aud` contains one of the audiences. Without `aud`, `client_id` counts.
fn has_audience(claims: &Map<String, Value>, audience: &[String]) -> bool {
    let is_one = |value: &Value| {
        let value = value.as_str();
        value.is_some_and(|value| audience.iter().any(|one| one == value))
    };
    match (claims.get("aud"), claims.get("client_id")) {
        (Some(Value::Array(all)), _) => all.iter().any(is_one),
        (Some(one), _) => is_one(one),
        (None, Some(client)) => is_one(client),
        (None, None) => false,
    }
}

/// Returns the scopes in `scope`, or else in `scp`: a text of words, or a list.
fn scopes_of(claims: &Map<String, Value>) -> Vec<String> {
    match claims.get("scope").or_else(|| claims.get("scp")) {
        Some(Value::String(words)) => words.split_whitespace().map(str::to_owned).collect(),
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

/// Formats a claim as text. API Gateway formats lists and objects like Go: `[admin user]`, `map[a:1]`.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(list) => {
            let list: Vec<String> = list.iter().map(text).collect();
            format!("[{}]", list.join(" "))
        }
        Value::Object(map) => {
            let mut map: Vec<String> = map
                .iter()
                .map(|(name, value)| format!("{name}:{}", text(value)))
                .collect();
            map.sort();
            format!("map[{}]", map.join(" "))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn client_id_counts_only_without_aud() {
        let audience = ["app".to_owned()];
        for (of, expected) in [
            (json!({"aud": "app"}), true),
            (json!({"aud": ["x", "app"]}), true),
            (json!({"client_id": "app"}), true),
            (json!({"aud": "x", "client_id": "app"}), false),
            (json!({}), false),
        ] {
            assert_eq!(
                has_audience(&claims(of.clone()), &audience),
                expected,
                "{of}"
            );
        }
    }

    #[test]
    fn claims_are_formatted_like_go() {
        for (value, expected) in [
            (json!("a"), "a"),
            (json!(1_700_000_000), "1700000000"),
            (json!(true), "true"),
            (json!(["admin", "user"]), "[admin user]"),
            (json!({"b": 1, "a": ["x"]}), "map[a:[x] b:1]"),
        ] {
            assert_eq!(text(&value), expected);
        }
    }

    #[test]
    fn scopes_are_a_text_of_words_or_a_list() {
        let expected = ["read", "write"];
        assert_eq!(scopes_of(&claims(json!({"scope": "read write"}))), expected);
        assert_eq!(
            scopes_of(&claims(json!({"scp": ["read", "write"]}))),
            expected
        );
        assert!(scopes_of(&claims(json!({}))).is_empty());
    }
}
