//! Where callers put their token.

use super::error::TokenError;
use super::request::ConnectRequest;

/// The subprotocol that says that the next one is a token. Browsers can set no header but this one.
const BEARER: &str = "bearer";

/// The caller's token, if there is one: the query parameter `token`, `Authorization: Bearer <token>`, or
/// `Sec-WebSocket-Protocol: bearer, <token>`.
///
/// An empty one is none: `?token=` is what a client sends that has no token. One that is there is never passed
/// over: an entry among the subprotocols that looks like a JWT is taken for one without `bearer` before it too.
///
/// # Errors
///
/// Several that differ, or an `Authorization` with another scheme than `Bearer`: whoever sent that does not mean to
/// be anonymous.
pub fn find_token(request: &ConnectRequest) -> Result<Option<&str>, TokenError> {
    let mut found = Vec::new();
    found.extend(request.query_tokens.iter().map(String::as_str));
    for value in &request.authorizations {
        found.push(bearer_token(value.trim())?);
    }
    for offered in &request.subprotocols {
        found.extend(subprotocol_tokens(offered));
    }
    let mut found = found.into_iter().filter(|token| !token.is_empty());
    let token = found.next();
    match found.all(|other| Some(other) == token) {
        true => Ok(token),
        false => Err(TokenError::Conflicting),
    }
}

/// The subprotocol that a `$connect` handler answers to a client that offered these; `None` if it offered none.
///
/// `offered` is the value of `Sec-WebSocket-Protocol`. The handler puts the answer into a header of the same name:
/// API Gateway does not do that by itself, and a browser closes a connection on which none of what it offered comes
/// back, with 1006 (row C10). It is `bearer` if that was offered, else the first that is not the token, else the
/// token itself, because there is nothing else that the client would take.
///
/// ```
/// use stackgen_websocket::authorize::echoed_subprotocol;
///
/// assert_eq!(echoed_subprotocol("bearer, eyJh.eyJp.c2ln"), Some("bearer"));
/// assert_eq!(echoed_subprotocol("eyJh.eyJp.c2ln, chat.v2"), Some("chat.v2"));
/// ```
pub fn echoed_subprotocol(offered: &str) -> Option<&str> {
    let bearer = entries(offered).find(|entry| is_bearer(entry));
    let other = || entries(offered).find(|entry| !looks_like_jwt(entry));
    bearer.or_else(other).or_else(|| entries(offered).next())
}

/// The token of an `Authorization` header; empty if the header is, or if nothing follows `Bearer`.
fn bearer_token(value: &str) -> Result<&str, TokenError> {
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    let is_bearer = scheme.is_empty() || is_bearer(scheme);
    is_bearer
        .then(|| token.trim_start())
        .ok_or(TokenError::NotBearer)
}

/// The entry after `bearer`, and every one that looks like a JWT.
fn subprotocol_tokens(offered: &str) -> Vec<&str> {
    let mut after_bearer = false;
    let mut tokens = Vec::new();
    for entry in entries(offered) {
        if after_bearer || looks_like_jwt(entry) {
            tokens.push(entry);
        }
        after_bearer = is_bearer(entry);
    }
    tokens
}

fn entries(offered: &str) -> impl Iterator<Item = &str> {
    let entries = offered.split(',').map(str::trim);
    entries.filter(|entry| !entry.is_empty())
}

fn is_bearer(word: &str) -> bool {
    word.eq_ignore_ascii_case(BEARER)
}

/// Every JWT begins like this: it is `{"` in base64. No subprotocol does.
fn looks_like_jwt(entry: &str) -> bool {
    entry.starts_with("eyJ") && entry.contains('.')
}

#[cfg(test)]
mod tests;
