//! Tokens of callers: on the command line, in the environment, and from the local gateway's issuer.

use stackgen_gateway::gateway::{RemoteGateway, TokenRequest};
use stackgen_probe::{TargetError, TokenPlacement};
use stackgen_synth::spec::{AuthorizerSpec, Callers};

use crate::error::CliError;

/// An argument that may contain a secret, which `Debug` does not show.
#[derive(Clone)]
pub(crate) struct HiddenArg(String);

impl HiddenArg {
    /// Returns the argument.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for HiddenArg {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(HiddenArg(text.to_owned()))
    }
}

impl std::fmt::Debug for HiddenArg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(stackgen_probe::HIDDEN)
    }
}

/// Parses where a handshake carries the token.
pub(crate) fn transport(text: &str) -> Result<TokenPlacement, String> {
    let (kind, name) = match text.split_once(':') {
        Some((_, "")) => return Err("write a name after the colon".to_owned()),
        Some((kind, name)) => (kind, Some(name.to_owned())),
        None => (text, None),
    };
    let named = |usual: &str| name.clone().unwrap_or_else(|| usual.to_owned());
    match kind {
        "query" => Ok(TokenPlacement::Query(named("token"))),
        "header" => Ok(TokenPlacement::Header(named("Authorization"))),
        "subprotocol" if name.is_none() => Ok(TokenPlacement::Subprotocol),
        _ => Err("write `query[:NAME]`, `header[:NAME]` or `subprotocol`".to_owned()),
    }
}

/// Callers that a project file declares.
pub(crate) struct DeclaredCallers {
    /// `None` without an authorizer.
    pub(crate) callers: Option<Callers>,
    /// Transport of tokens by the authorizer's identity source.
    pub(crate) token_in: Option<TokenPlacement>,
}

impl DeclaredCallers {
    pub(crate) fn new(authorizer: Option<&AuthorizerSpec>) -> Self {
        let sources = authorizer.map(|authorizer| authorizer.identity_source.as_slice());
        let token_in = |source: &String| {
            let header = source.strip_prefix("route.request.header.");
            let query = source.strip_prefix("route.request.querystring.");
            let header = header.map(|name| TokenPlacement::Header(name.to_owned()));
            header.or_else(|| query.map(|name| TokenPlacement::Query(name.to_owned())))
        };
        DeclaredCallers {
            callers: authorizer.map(|authorizer| authorizer.callers),
            token_in: sources.unwrap_or_default().iter().find_map(token_in),
        }
    }
}

/// Reports a URL, header or query parameter that cannot be used.
pub(crate) fn bad_target(error: TargetError) -> CliError {
    CliError::input(error.to_string())
}

/// Creates a token with a local gateway's issuer.
pub(crate) async fn mint(gateway: &RemoteGateway, subject: &str) -> Result<String, CliError> {
    let tokens = TokenRequest {
        subject: subject.to_owned(),
        ..TokenRequest::default()
    };
    Ok(gateway.mint(&tokens).await?)
}

/// Reads a token from an environment variable.
pub(crate) fn token_from_environment(variable: &str) -> Result<String, CliError> {
    match std::env::var(variable) {
        Ok(token) if !token.is_empty() => Ok(token),
        _ => Err(
            CliError::input(format!("the environment variable {variable} has no token"))
                .hint("set it to the token"),
        ),
    }
}
