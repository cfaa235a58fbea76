//! The OpenAPI body that SAM generates for an HTTP API.

use std::collections::HashSet;

use stackgen_cfn::{Map, Node, Span, map, r#ref};

use super::budget::Budget;
use super::{Target, invocation};

/// Temporary key for the `Auth` of an operation's event, until that of the API is known.
const EVENT_AUTH: &str = "x-stackgen-auth";

/// An HTTP API. Events of functions extend its OpenAPI body.
#[derive(Default)]
pub(super) struct HttpApi {
    pub(super) body: Map,
    pub(super) properties: Node,
    /// `Condition` and other attributes, for the API itself.
    pub(super) attributes: Vec<(String, Node)>,
    pub(super) span: Span,
    /// Functions behind `$default`. They need no permissions for other routes.
    pub(super) default_of: HashSet<String>,
    /// Position of its declaration: SAM writes APIs in that order.
    pub(super) order: usize,
}

impl HttpApi {
    pub(super) fn add(&mut self, path: &str, method: &str, operation: Node) {
        if self.body.get("paths").and_then(Node::as_map).is_none() {
            self.body.insert("paths", Map::new());
        }
        let Some(paths) = self.body.get_mut("paths").and_then(Node::as_map_mut) else {
            return;
        };
        if paths.get(path).and_then(Node::as_map).is_none() {
            paths.insert(path, Map::new());
        }
        if let Some(methods) = paths.get_mut(path).and_then(Node::as_map_mut) {
            methods.insert(method, operation);
        }
    }

    /// Adds the authorizers of `Auth`, and the default authorizer for every operation that names none.
    pub(super) fn add_security(&mut self, budget: &mut Budget) {
        let auth = self.properties.get("Auth").cloned().unwrap_or_default();
        let authorizers = auth
            .get("Authorizers")
            .and_then(Node::as_map)
            .cloned()
            .unwrap_or_default();
        let mut scopes_of = |name: &str| {
            let scopes = authorizers
                .get(name)
                .and_then(|authorizer| authorizer.get("AuthorizationScopes"));
            scopes.map_or_else(|| Node::from(Vec::new()), |scopes| budget.copy(scopes))
        };
        let default = auth.get("DefaultAuthorizer").and_then(Node::as_str);
        let paths = self.body.get_mut("paths").and_then(Node::as_map_mut);
        for (_, methods) in paths.into_iter().flat_map(Map::iter_mut) {
            for (_, operation) in methods.as_map_mut().into_iter().flat_map(Map::iter_mut) {
                let Some(operation) = operation.as_map_mut() else {
                    continue;
                };
                let event_auth = operation.remove(EVENT_AUTH);
                if operation.get("security").is_some() {
                    continue;
                }
                let own = event_auth
                    .as_ref()
                    .and_then(|auth| auth.get("Authorizer"))
                    .and_then(Node::as_str);
                let Some(name) = own.or(default) else {
                    continue;
                };
                let scopes = event_auth
                    .as_ref()
                    .and_then(|auth| auth.get("AuthorizationScopes"))
                    .cloned();
                let entry = map([(name, scopes.unwrap_or_else(|| scopes_of(name)))]);
                operation.insert("security", vec![entry]);
            }
        }
        let schemes: Map = authorizers
            .iter()
            .map(|(name, authorizer)| (name, scheme(authorizer)))
            .collect();
        if !schemes.is_empty() {
            let mut components = self
                .body
                .get("components")
                .and_then(Node::as_map)
                .cloned()
                .unwrap_or_default();
            components.insert("securitySchemes", schemes);
            self.body.insert("components", components);
        }
    }

    /// Adds title, description, CORS and tags.
    pub(super) fn describe(&mut self) {
        let mut info = self
            .body
            .get("info")
            .and_then(Node::as_map)
            .cloned()
            .unwrap_or_default();
        if let Some(name) = self.properties.get("Name") {
            info.insert("title", name.clone());
        }
        if let Some(description) = self.properties.get("Description") {
            info.insert("description", description.clone());
        }
        self.body.insert("info", info);
        if let Some(cors) = self.properties.get("CorsConfiguration") {
            self.body
                .insert("x-amazon-apigateway-cors", cors_extension(cors));
        }
        let mut tags = Map::new();
        for (name, value) in self
            .properties
            .get("Tags")
            .and_then(Node::as_map)
            .into_iter()
            .flat_map(Map::iter)
        {
            tags.insert(name, value.clone());
        }
        tags.insert("httpapi:createdBy", "SAM");
        let tag = |(name, value): (&str, &Node)| {
            map([
                ("name", Node::from(name)),
                ("x-amazon-apigateway-tag-value", value.clone()),
            ])
        };
        self.body
            .insert("tags", tags.iter().map(tag).collect::<Vec<_>>());
    }
}

pub(super) fn default_body() -> Map {
    let info = map([
        ("version", Node::from("1.0")),
        ("title", r#ref("AWS::StackName")),
    ]);
    let entries = [
        ("info", info),
        ("paths", Map::new().into()),
        ("openapi", "3.0.1".into()),
    ];
    entries.into_iter().collect()
}

pub(super) fn operation(properties: &Node, target: &Target, path: &str) -> Node {
    let mut integration = Map::new();
    integration.insert("type", "aws_proxy");
    integration.insert("httpMethod", "POST");
    let version = properties.get("PayloadFormatVersion").cloned();
    integration.insert(
        "payloadFormatVersion",
        version.unwrap_or_else(|| "2.0".into()),
    );
    integration.insert("uri", invocation(target.arn()));
    if let Some(timeout) = properties.get("TimeoutInMillis") {
        integration.insert("timeoutInMillis", timeout.clone());
    }
    let mut operation = Map::new();
    operation.insert("x-amazon-apigateway-integration", integration);
    operation.insert("responses", Map::new());
    if path == "$default" {
        operation.insert("isDefaultRoute", true);
    }
    if let Some(auth) = properties.get("Auth") {
        operation.insert(EVENT_AUTH, auth.clone());
    }
    operation.into()
}

/// Returns an authorizer of `Auth` as a security scheme.
fn scheme(authorizer: &Node) -> Node {
    let mut extension = Map::new();
    let kind = if authorizer.get("JwtConfiguration").is_some() {
        "jwt"
    } else {
        "request"
    };
    extension.insert("type", kind);
    let names = [
        ("JwtConfiguration", "jwtConfiguration"),
        ("IdentitySource", "identitySource"),
        ("FunctionInvokeRole", "authorizerCredentialsArn"),
        (
            "AuthorizerPayloadFormatVersion",
            "authorizerPayloadFormatVersion",
        ),
        ("EnableSimpleResponses", "enableSimpleResponses"),
    ];
    for (from, to) in names {
        if let Some(node) = authorizer.get(from) {
            extension.insert(to, node.clone());
        }
    }
    if let Some(function) = authorizer.get("FunctionArn") {
        extension.insert("authorizerUri", invocation(function.clone()));
    }
    if let Some(identity) = authorizer.get("Identity") {
        let sources = [
            ("Headers", "$request.header."),
            ("QueryStrings", "$request.querystring."),
            ("StageVariables", "$stageVariables."),
            ("Context", "$context."),
        ];
        let mut all = Vec::new();
        for (key, prefix) in sources {
            let names = identity
                .get(key)
                .and_then(Node::as_list)
                .unwrap_or_default();
            all.extend(
                names
                    .iter()
                    .filter_map(Node::as_str)
                    .map(|name| Node::from(format!("{prefix}{name}"))),
            );
        }
        if !all.is_empty() {
            extension.insert("identitySource", all);
        }
        if let Some(seconds) = identity.get("ReauthorizeEvery") {
            extension.insert("authorizerResultTtlInSeconds", seconds.clone());
        }
    }
    map([("x-amazon-apigateway-authorizer", Node::from(extension))])
}

fn cors_extension(cors: &Node) -> Node {
    let Some(settings) = cors.as_map() else {
        let origins = match cors.as_bool() {
            Some(_) => vec![Node::from("*")].into(),
            None => cors.clone(),
        };
        return map([("allowOrigins", origins)]);
    };
    let lower = |key: &str| key[..1].to_lowercase() + &key[1..];
    map(settings
        .iter()
        .filter(|(key, _)| key.is_ascii() && !key.is_empty())
        .map(|(key, node)| (lower(key), node.clone())))
}
