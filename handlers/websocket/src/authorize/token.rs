//! Token in a handshake request.

use super::error::TokenError;
use super::request::ConnectRequest;

/// Subprotocol that precedes a token. Browsers can set no other header of a handshake.
const BEARER: &str = "bearer";

/// Returns the caller's token: the query parameter `token`, `Authorization: Bearer <token>`, or
/// `Sec-WebSocket-Protocol: bearer, <token>`.
///
/// An empty token counts as none, because clients without a token send `?token=`. A token is never ignored: a
/// subprotocol that looks like a JWT counts even without `bearer` before it.
///
/// # Errors
///
/// Fails for several different tokens, and for an `Authorization` header with another scheme than `Bearer`: such a
/// caller does not expect to be anonymous.
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

/// Returns the subprotocol for the response of a `$connect` handler; `None` if the client offered none.
///
/// `offered` is the value of `Sec-WebSocket-Protocol`. The handler returns the result in a header of the same name,
/// because API Gateway does not select a subprotocol itself. Browsers close a connection with 1006 if none of their
/// subprotocols is selected (row C10). The result is `bearer` if the client offered it, or else the first subprotocol
/// that is no token. A token is never returned, because responses are logged. A browser that offers only its token
/// closes the connection: it must offer `bearer` as well.
///
/// ```
/// use stackgen_websocket::authorize::echoed_subprotocol;
///
/// assert_eq!(echoed_subprotocol("bearer, eyJh.eyJp.c2ln"), Some("bearer"));
/// assert_eq!(echoed_subprotocol("eyJh.eyJp.c2ln, chat.v2"), Some("chat.v2"));
/// assert_eq!(echoed_subprotocol("eyJh.eyJp.c2ln"), None);
/// ```
pub fn echoed_subprotocol(offered: &str) -> Option<&str> {
    let bearer = entries(offered).find(|entry| is_bearer(entry));
    let other = || entries(offered).find(|entry| !looks_like_jwt(entry));
    bearer.or_else(other)
}

/// Returns the token of an `Authorization` header; empty if the header is empty or nothing follows `Bearer`.
fn bearer_token(value: &str) -> Result<&str, TokenError> {
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    let is_bearer = scheme.is_empty() || is_bearer(scheme);
    is_bearer
        .then(|| token.trim_start())
        .ok_or(TokenError::NotBearer)
}

/// Returns the entry after `bearer`, and all entries that look like a JWT.
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

/// Every JWT begins with `eyJ`, which is `{"` in base64. No subprotocol does.
fn looks_like_jwt(entry: &str) -> bool {
    entry.starts_with("eyJ") && entry.contains('.')
}

#[cfg(test)]
mod tests;
