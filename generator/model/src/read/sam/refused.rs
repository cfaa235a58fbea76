//! Mistakes in an `AWS::Serverless::WebSocketApi` for which SAM refuses the template.

use stackgen_cfn::{Map, Node, Span, Value};

use super::{Expander, Source};
use crate::{Problem, ProblemKind};

/// Properties that must be mappings.
const MAPPINGS: [&str; 8] = [
    "AccessLogSettings",
    "Auth",
    "DefaultRouteSettings",
    "Domain",
    "RouteSettings",
    "Routes",
    "StageVariables",
    "Tags",
];

impl Expander<'_> {
    /// Reports what SAM refuses in a WebSocket API, apart from its route keys.
    pub(super) fn check_websocket_api(&mut self, source: &Source) {
        let properties = &source.properties;
        for key in MAPPINGS {
            if let Some(node) = properties.get(key)
                && !is_mapping(node)
            {
                let message = format!(
                    "SAM refuses {}: {key} is {}, not a mapping",
                    source.id,
                    node.kind()
                );
                self.refuse(message, format!("write {key} as a mapping"), node.span);
            }
        }
        self.check_routes(source);
        self.check_auth(source);
        let literal = |path: &[&str]| properties.at_path(path).and_then(Node::as_str);
        if let Some(kind) = literal(&["IpAddressType"])
            && !["ipv4", "dualstack"].contains(&kind)
        {
            self.refuse(
                format!(
                    "SAM refuses {}: there is no IpAddressType {kind}",
                    source.id
                ),
                "write ipv4 or dualstack",
                span(source, &["IpAddressType"]),
            );
        }
        if literal(&["StageName"]) == Some("$default") {
            self.refuse(
                format!(
                    "SAM refuses {}: the stage of a WebSocket API cannot be named $default",
                    source.id
                ),
                "name it, or remove StageName for the name `default`",
                span(source, &["StageName"]),
            );
        }
        self.check_domain(source);
    }

    fn check_routes(&mut self, source: &Source) {
        let Some(node) = source.properties.get("Routes") else {
            let message = format!("SAM refuses {}: it has no Routes", source.id);
            return self.refuse(message, ROUTE_HINT, source.span);
        };
        let Some(routes) = node.as_map() else {
            return;
        };
        if routes.is_empty() {
            let message = format!("SAM refuses {}: its Routes are empty", source.id);
            self.refuse(message, ROUTE_HINT, node.span);
        }
        for (key, entry) in routes.entries() {
            if entry.node.get("FunctionArn").is_none() {
                let message = format!("SAM refuses {}: route {key} has no FunctionArn", source.id);
                self.refuse(
                    message,
                    ROUTE_HINT,
                    located(entry.key_span, entry.node.span),
                );
            }
        }
    }

    fn check_auth(&mut self, source: &Source) {
        let id = source.id;
        let Some(auth) = source.properties.get("Auth") else {
            return;
        };
        let Some(map) = auth.as_map().filter(|map| !map.is_empty()) else {
            return;
        };
        let routes = source.properties.get("Routes").and_then(Node::as_map);
        if routes.is_some_and(|routes| !routes.is_empty() && routes.get("$connect").is_none()) {
            self.refuse(
                format!("SAM refuses {id}: it has Auth and no $connect route"),
                "add a $connect route, the only one that is authorized, or remove Auth",
                auth.span,
            );
        }
        // A rule of the linter reports a function without the type CUSTOM.
        if map.get("AuthArn").is_some() {
            return;
        }
        match auth.get("AuthType") {
            None => self.refuse(
                format!("SAM refuses {id}: Auth has no AuthType"),
                "set AuthType to CUSTOM, AWS_IAM or NONE",
                auth.span,
            ),
            Some(kind) => {
                let alone = ["AWS_IAM", "NONE"];
                let kind = kind.as_str().unwrap_or_default().to_ascii_uppercase();
                if let Some(other) = first_besides(map, "AuthType")
                    && alone.contains(&kind.as_str())
                {
                    self.refuse(
                        format!("SAM refuses {id}: Auth with AuthType {kind} cannot have {other}"),
                        format!("remove {other}, or set AuthType to CUSTOM with an AuthArn"),
                        span(source, &["Auth", other]),
                    );
                }
            }
        }
    }

    fn check_domain(&mut self, source: &Source) {
        let Some(domain) = source.properties.get("Domain") else {
            return;
        };
        if domain.get("MutualTlsAuthentication").is_some() {
            self.refuse(
                format!(
                    "SAM refuses {}: a domain of a WebSocket API cannot have mutual TLS",
                    source.id
                ),
                "remove MutualTlsAuthentication",
                span(source, &["Domain", "MutualTlsAuthentication"]),
            );
        }
        let paths = domain.get("BasePath").and_then(Node::as_list);
        for path in paths.into_iter().flatten() {
            if path.as_str().is_none() {
                self.refuse(
                    format!(
                        "SAM refuses {}: an element of BasePath is {}, not text",
                        source.id,
                        path.kind()
                    ),
                    "SAM derives logical IDs from the paths: write them as text, without functions",
                    path.span,
                );
            }
        }
    }

    fn refuse(&mut self, message: String, hint: impl Into<String>, span: Span) {
        let problem = Problem::new(message, span).with_hint(hint);
        self.problems.push(problem.of_kind(ProblemKind::SamRefused));
    }
}

const ROUTE_HINT: &str = "write each route as `$connect: {FunctionArn: !GetAtt Function.Arn}`";

/// Returns true for a mapping, or for a function whose result may be one.
fn is_mapping(node: &Node) -> bool {
    matches!(node.value, Value::Map(_) | Value::Call(_) | Value::Null)
}

fn first_besides<'m>(map: &'m Map, key: &str) -> Option<&'m str> {
    map.keys().find(|&other| other != key)
}

/// Returns the location of a property, or of the nearest parent that has one.
fn span(source: &Source, path: &[&str]) -> Span {
    let mut node = &source.properties;
    let mut location = source.span;
    for key in path {
        let Some(entry) = node.as_map().and_then(|map| map.entry(key)) else {
            break;
        };
        node = &entry.node;
        location = located(located(node.span, entry.key_span), location);
    }
    location
}

/// Returns the first span, if it is one of a file.
fn located(span: Span, otherwise: Span) -> Span {
    match span.file {
        Some(_) => span,
        None => otherwise,
    }
}
