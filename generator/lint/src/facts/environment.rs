//! What functions are told by their environment, and the addresses of apis among it.

use std::collections::{HashMap, HashSet};

use stackgen_cfn::{Node, Span};
use stackgen_model::{Api, Function, LogicalId, Model, Piece, Resolved, Resource, Text};

use crate::facts::Facts;
use crate::{Finding, Place};

/// A variable in a function's environment.
#[derive(Clone, Copy)]
pub(crate) struct Variable<'a> {
    pub(crate) function: &'a Function,
    pub(crate) name: &'a str,
    pub(crate) value: &'a Resolved,
}

impl<'a> Variable<'a> {
    fn path(&self) -> [&'a str; 3] {
        ["Environment", "Variables", self.name]
    }

    pub(crate) fn place(&self) -> Place {
        Place::of(&self.function.resource, &self.path())
    }

    /// Where its name stands; its value's place in a file that implies the function.
    pub(crate) fn key_place(&self) -> Place {
        let place = self.place();
        let variables = self.function.resource.node(&["Environment", "Variables"]);
        let entry = variables.and_then(|node| node.as_map()?.entry(self.name));
        match entry.map(|entry| entry.key_span) {
            Some(span) if span.file.is_some() => Place { span, ..place },
            _ => place,
        }
    }

    /// Whether the function's code stands in the template and does not read it, as a placeholder for code to come does not.
    pub(crate) fn is_idle(&self) -> bool {
        code(self.function).is_some_and(|code| !mentions(code, &[self.name]))
    }

    /// Its value as it stands in the file.
    pub(crate) fn node(&self) -> Option<&'a Node> {
        self.function.resource.node(&self.path())
    }
}

/// The code of a function, when it stands in the template.
pub(crate) fn code(function: &Function) -> Option<&Text> {
    match function.code.as_ref()?.get("ZipFile")? {
        Resolved::Text(code) => Some(code),
        _ => None,
    }
}

/// Whether code has one of these words in it.
pub(crate) fn mentions(code: &Text, words: &[&str]) -> bool {
    let has = |piece: &Piece| match piece {
        Piece::Literal(text) => words.iter().any(|word| text.contains(word)),
        _ => false,
    };
    code.pieces().iter().any(has)
}

/// The variables of all functions.
pub(crate) fn variables<'a>(facts: &Facts<'a>) -> impl Iterator<Item = Variable<'a>> {
    let functions = facts.model.functions.iter();
    functions.flat_map(|function| {
        let variables = function.environment.value().into_iter().flatten();
        variables.map(move |(name, value)| Variable {
            function,
            name,
            value,
        })
    })
}

/// A variable that holds the address of an api: `https://{api}.execute-api.{region}.{suffix}/{stage}`.
pub(crate) struct Endpoint<'a> {
    pub(crate) variable: Variable<'a>,
    pub(crate) scheme: Scheme,
    pub(crate) host: Host<'a>,
    /// What stands after the host's slash, if there is one.
    pub(crate) path: Option<Text>,
}

/// What an address begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Https,
    /// `wss://`, or `ws://`.
    WebSocket,
    /// Nothing, or something else.
    Other,
}

/// Whose address it is.
#[derive(Clone, Copy)]
pub(crate) enum Host<'a> {
    /// A WebSocket API of the template.
    WebSocket(&'a Api),
    /// Another API of the template.
    Other(&'a Resource),
    /// An id that is written in.
    Literal,
}

/// The addresses of apis in the environment of functions.
pub(crate) fn endpoints<'a>(facts: &Facts<'a>) -> Vec<Endpoint<'a>> {
    let own = |api: &'a Api| Some((api.id.to()?, api));
    let websockets: HashMap<_, _> = facts.websockets().filter_map(own).collect();
    let endpoint = |variable: Variable<'a>| {
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
    variable: Variable<'a>,
    text: &'a Text,
) -> Option<Endpoint<'a>> {
    let host = |id: &LogicalId| match websockets.get(id) {
        Some(api) => Some(Host::WebSocket(api)),
        None => other_api(facts.model, id).map(Host::Other),
    };
    if let [Piece::Reference(first), rest @ ..] = text.pieces()
        && first.attribute.as_deref() == Some("ApiEndpoint")
    {
        let host = host(&first.logical_id)?;
        let rest: Text = rest.iter().cloned().collect();
        return Some(Endpoint {
            variable,
            scheme: match host {
                Host::WebSocket(_) => Scheme::WebSocket,
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
        [Piece::Literal(id)] if is_api_id(id) => Host::Literal,
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

/// The API of the template that has that id, if it is none for WebSockets.
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

/// Whether it looks like an id that API Gateway gives: ten lower-case letters and digits.
pub(crate) fn is_api_id(word: &str) -> bool {
    word.len() == 10
        && word
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        && word.bytes().any(|c| c.is_ascii_digit())
}

/// What the name of a variable says of the address in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Connections are managed by it: `MANAGEMENT_ENDPOINT`, `CALLBACK_URL`.
    Management,
    /// It does not say.
    Unsaid,
    /// Clients connect to it: `CLIENT_URL`, `WSS_URL`.
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
            Purpose::Unsaid
        }
    }
}

/// One finding a place: `Globals` of SAM give one variable to many functions.
pub(crate) fn one_a_place(findings: impl IntoIterator<Item = Finding>) -> Vec<Finding> {
    let mut seen: HashSet<Span> = HashSet::new();
    let new = |finding: &Finding| {
        let span = finding.place.span;
        span.file.is_none() || seen.insert(span)
    };
    findings.into_iter().filter(new).collect()
}
