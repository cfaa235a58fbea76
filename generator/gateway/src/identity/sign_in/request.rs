//! Requests to sign a user in.

use axum::extract::Query;
use http::Uri;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::SignIn;

/// Parameters of a request, as they were sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AuthorizeParameters {
    client_id: String,
    redirect_uri: String,
    response_type: String,
    response_mode: Option<String>,
    scope: String,
    state: Option<String>,
    nonce: Option<String>,
    prompt: Option<String>,
    code_challenge: String,
    code_challenge_method: String,
}

/// A checked request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AuthorizationRequest {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) scope: String,
    pub(super) state: Option<String>,
    pub(super) nonce: Option<String>,
    /// SHA-256 of the verifier, in base64.
    pub(super) challenge: String,
}

/// Refusal of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AuthorizationRefusal {
    /// Shown to the user, because neither client nor address can be trusted.
    Shown(String),
    /// Sent to the page, at this URL.
    Sent(String),
}

impl AuthorizationRequest {
    /// Reads and checks the request of a URL.
    pub(super) fn parse(uri: &Uri, sign_in: &SignIn) -> Result<Self, AuthorizationRefusal> {
        let shown = |text: String| Err(AuthorizationRefusal::Shown(text));
        let parameters = match Query::<AuthorizeParameters>::try_from_uri(uri) {
            Ok(Query(parameters)) => parameters,
            Err(error) => {
                return shown(format!("The request is malformed: {}.", error.body_text()));
            }
        };
        let (client, address) = (&parameters.client_id, &parameters.redirect_uri);
        if !sign_in.is_client(client) {
            let known = sign_in.clients.client_ids().join(", ");
            return shown(format!(
                "The stack accepts no tokens for the client ID {client:?}. It accepts: {known}."
            ));
        }
        let origins = sign_in.clients.origins();
        if !is_of_page(address, &origins) {
            let origins = origins.join(" or ");
            return shown(format!(
                "{address:?} is no address of the stack's web page, which is at {origins}."
            ));
        }
        match refusal(&parameters) {
            Some((error, description)) => {
                let parameters = [
                    ("error", Some(error)),
                    ("error_description", Some(description)),
                    ("state", parameters.state.as_deref()),
                ];
                let location = with_parameters(address, &parameters);
                Err(AuthorizationRefusal::Sent(location))
            }
            None => Ok(AuthorizationRequest {
                client_id: parameters.client_id,
                redirect_uri: parameters.redirect_uri,
                scope: parameters.scope,
                state: parameters.state,
                nonce: parameters.nonce,
                challenge: parameters.code_challenge,
            }),
        }
    }

    /// Returns the page's address with an answer.
    pub(super) fn location(&self, name: &str, value: &str) -> String {
        let parameters = [(name, Some(value)), ("state", self.state.as_deref())];
        with_parameters(&self.redirect_uri, &parameters)
    }
}

/// Returns the error code and the reason, if a request of a known page is refused.
fn refusal(parameters: &AuthorizeParameters) -> Option<(&'static str, &'static str)> {
    let mut scopes = parameters.scope.split(' ');
    let method = parameters.code_challenge_method.as_str();
    if parameters.response_type != "code" {
        return Some(("unsupported_response_type", "response_type must be code"));
    }
    if parameters
        .response_mode
        .as_deref()
        .is_some_and(|mode| mode != "query")
    {
        return Some(("invalid_request", "response_mode must be query"));
    }
    if !scopes.any(|scope| scope == "openid") {
        return Some(("invalid_scope", "scope must contain openid"));
    }
    if method != "S256" {
        return Some(("invalid_request", "code_challenge_method must be S256"));
    }
    let challenge = &parameters.code_challenge;
    if challenge.len() != 43 || !is_base64_url(challenge) {
        let reason = "code_challenge must be a SHA-256 in base64url without padding";
        return Some(("invalid_request", reason));
    }
    let is_silent = parameters.prompt.as_deref() == Some("none");
    is_silent.then_some(("login_required", "the issuer always asks who the user is"))
}

/// Returns true for a URL of the page. An origin is followed by a slash, so that nothing in front of the host or behind the port
/// changes where the URL leads.
fn is_of_page(address: &str, origins: &[String]) -> bool {
    let is_below = |origin: &String| {
        let path = address.strip_prefix(origin.as_str());
        path.is_some_and(|path| path.starts_with('/'))
    };
    let is_plain = address.parse::<Uri>().is_ok() && !address.contains(['#', '\\']);
    is_plain && origins.iter().any(is_below)
}

/// Adds parameters to the query of a URL.
fn with_parameters(url: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let mut url = url.to_owned();
    for (name, value) in parameters {
        let Some(value) = value else { continue };
        url.push(if url.contains('?') { '&' } else { '?' });
        url += name;
        url.push('=');
        url.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
    }
    url
}

/// Returns true if a text has only letters of base64url.
fn is_base64_url(text: &str) -> bool {
    let is_letter = |letter: u8| letter.is_ascii_alphanumeric() || b"-_".contains(&letter);
    text.bytes().all(is_letter)
}
