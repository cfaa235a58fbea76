//! Finds the addresses of APIs in environment variables.

use std::collections::HashMap;

use stackgen_model::{Api, LogicalId, Model, Piece, Resolved, Resource, Text};

use super::Facts;
use super::environment::{EnvironmentVariable, variables};

/// A variable that contains the address of an API: `https://{api}.execute-api.{region}.{suffix}/{stage}`.
pub(crate) struct Endpoint<'a> {
    pub(crate) variable: EnvironmentVariable<'a>,
    pub(crate) scheme: Scheme,
    pub(crate) host: EndpointHost<'a>,
    /// Text after the host's slash, if there is one.
    pub(crate) path: Option<Text>,
}

/// Scheme of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Https,
    /// `wss://` or `ws://`.
    WebSocket,
    /// Another scheme, or none.
    Other,
}

/// API of an address.
#[derive(Clone, Copy)]
pub(crate) enum EndpointHost<'a> {
    /// A WebSocket API of the template.
    WebSocket(&'a Api),
    /// Another API of the template.
    Other(&'a Resource),
    /// A literal ID.
    Literal,
}

/// Returns the addresses of APIs in the environment variables of functions.
pub(crate) fn endpoints<'a>(facts: &Facts<'a>) -> Vec<Endpoint<'a>> {
    let own = |api: &'a Api| Some((api.id.to()?, api));
    let websockets: HashMap<_, _> = facts.websockets().filter_map(own).collect();
    let endpoint = |variable: EnvironmentVariable<'a>| {
        let Resolved::Text(text) = variable.value else {
            return None;
        };
        endpoint(facts, &websockets, variable, text)
    };
    variables(facts).filter_map(endpoint).collect()
}

fn endpoint<'a>(
    facts: &Facts<'a>,
    websockets: &HashMap<&'a LogicalId, &'a Api>,
    variable: EnvironmentVariable<'a>,
    text: &'a Text,
) -> Option<Endpoint<'a>> {
    let host = |id: &LogicalId| match websockets.get(id) {
        Some(api) => Some(EndpointHost::WebSocket(api)),
        None => other_api(facts.model, id).map(EndpointHost::Other),
    };
    if let [Piece::Reference(first), rest @ ..] = text.pieces()
        && first.attribute.as_deref() == Some("ApiEndpoint")
    {
        let host = host(&first.logical_id)?;
        let rest: Text = rest.iter().cloned().collect();
        return Some(Endpoint {
            variable,
            scheme: match host {
                EndpointHost::WebSocket(_) => Scheme::WebSocket,
                _ => Scheme::Https,
            },
            host,
            path: rest.strip_prefix("/"),
        });
    }
    let (before, after) = text.split_once(".execute-api.")?;
    let (scheme, id) = scheme(&before);
    let host = match id.pieces() {
        [Piece::Reference(reference)] if reference.attribute.is_none() => {
            host(&reference.logical_id)?
        }
        [Piece::Literal(id)] if is_api_id(id) => EndpointHost::Literal,
        _ => return None,
    };
    let path = after.split_once("/").map(|(_, path)| path);
    Some(Endpoint {
        variable,
        scheme,
        host,
        path,
    })
}

/// Returns the API of the template with this ID, if it is not a WebSocket API.
pub(crate) fn other_api<'a>(model: &'a Model, id: &LogicalId) -> Option<&'a Resource> {
    let resource = model.resource(id)?;
    let is_other = match resource.kind.as_str() {
        "AWS::ApiGatewayV2::Api" => {
            let protocol = resource.properties.text("ProtocolType");
            protocol.as_ref().and_then(Text::as_literal) == Some("HTTP")
        }
        kind => kind == "AWS::ApiGateway::RestApi",
    };
    is_other.then_some(resource)
}

fn scheme(before: &Text) -> (Scheme, Text) {
    let kinds = [
        ("https://", Scheme::Https),
        ("wss://", Scheme::WebSocket),
        ("ws://", Scheme::WebSocket),
        ("http://", Scheme::Other),
    ];
    let found = kinds
        .into_iter()
        .find_map(|(prefix, scheme)| Some((scheme, before.strip_prefix(prefix)?)));
    found.unwrap_or_else(|| (Scheme::Other, before.clone()))
}

/// Returns true for text that looks like an ID from API Gateway: ten lower-case letters and digits.
pub(crate) fn is_api_id(word: &str) -> bool {
    word.len() == 10
        && word
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        && word.bytes().any(|c| c.is_ascii_digit())
}

/// Purpose of an address, from the name of its variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// For the management API: `MANAGEMENT_ENDPOINT`, `CALLBACK_URL`.
    Management,
    /// The name does not show it.
    Unknown,
    /// For clients: `CLIENT_URL`, `WSS_URL`.
    Clients,
}

impl Purpose {
    pub(crate) fn of(name: &str) -> Purpose {
        let name = name.to_ascii_uppercase();
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        if has(&["CLIENT", "PUBLIC", "FRONTEND", "BROWSER", "WSS"]) {
            Purpose::Clients
        } else if has(&["MANAGEMENT", "MGMT", "CALLBACK", "APIGWMANAGEMENT"]) {
            Purpose::Management
        } else {
            Purpose::Unknown
        }
    }
}
