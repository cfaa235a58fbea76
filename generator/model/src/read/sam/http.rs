//! `AWS::Serverless::HttpApi` and the `HttpApi` events of functions.

use stackgen_cfn::{Map, Node, Span, map, r#ref};

use super::{Expander, Source, Target, copy, invocation, permission, sub_with};

const IMPLICIT: &str = "ServerlessHttpApi";
const ANY: &str = "x-amazon-apigateway-any-method";
/// Where an operation keeps its event's `Auth` until the api's own is known.
const ASKED: &str = "x-stackgen-auth";

/// An HTTP API whose OpenAPI body grows with the events of functions.
pub(super) struct HttpApi {
    body: Map,
    properties: Node,
    /// `Condition` and its like, to be put on the api itself.
    attributes: Vec<(String, Node)>,
    span: Span,
    /// Functions that `$default` leads to: they need no permission for other routes.
    default_of: Vec<String>,
}

impl Expander<'_> {
    pub(super) fn http_api(&mut self, source: &Source) {
        if source.properties.get("DefinitionUri").is_some() {
            self.gap(format!("the OpenAPI file of {} is not in the model", source.id), source.span);
        }
        if source.properties.get("Domain").is_some() {
            self.gap(format!("the custom domain of {} is not in the model", source.id), source.span);
        }
        let attributes = source.attributes.iter().map(|(key, node)| ((*key).to_owned(), (*node).clone()));
        let attributes = attributes.collect();
        self.declare(source.id, source.properties.clone(), attributes, source.span);
        self.authorizer_permissions(source);
    }

    fn declare(&mut self, id: &str, properties: Node, attributes: Vec<(String, Node)>, span: Span) {
        // An event may have declared it before the resource was met.
        let body = properties.get("DefinitionBody").and_then(Node::as_map).cloned().unwrap_or_else(default_body);
        let mut api = HttpApi { body, properties, attributes, span, default_of: Vec::new() };
        if let Some(early) = self.http_apis.shift_remove(id) {
            api.default_of = early.default_of;
            let paths = early.body.get("paths").and_then(Node::as_map).cloned().unwrap_or_default();
            for (path, methods) in paths {
                for (method, operation) in methods.as_map().cloned().unwrap_or_default() {
                    api.add(&path, &method, operation);
                }
            }
        }
        self.http_apis.insert(id.to_owned(), api);
    }

    /// Adds the route that a function's event asks for, with the permission to call the function.
    pub(super) fn http_event(&mut self, source: &Source, name: &str, event: &Node, target: &Target) {
        let nothing = Node::from(Map::new());
        let properties = event.get("Properties").unwrap_or(&nothing);
        let api = match properties.get("ApiId") {
            None => Some(IMPLICIT),
            Some(id) => id.as_str().or_else(|| id.as_call()?.as_ref_name()),
        };
        let path = properties.get("Path").map_or(Some("$default"), Node::as_str);
        let method = properties.get("Method").map_or(Some(ANY), Node::as_str);
        let (Some(api), Some(path), Some(method)) = (api, path, method) else {
            self.gap(format!("event {name} of {} is not in the model: it is not plain text", source.id), event.span);
            return;
        };
        if !self.http_apis.contains_key(api) {
            let globals = super::globals::merged(self.template, "HttpApi", None);
            self.declare(api, globals, Vec::new(), event.span);
        }
        let any = method.eq_ignore_ascii_case("any") || method == ANY;
        let method = if any { ANY.to_owned() } else { method.to_lowercase() };
        let Some(http_api) = self.http_apis.get_mut(api) else {
            return;
        };
        let operation = operation(properties, target, path);
        let covered = path != "$default" && http_api.default_of.iter().any(|function| function == source.id);
        if path == "$default" {
            http_api.default_of.push(source.id.to_owned());
        }
        http_api.add(path, &method, operation.at(event.span));
        if !covered {
            let method = if any { "*".to_owned() } else { method.to_uppercase() };
            let arn = format!(
                "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Api}}/*/{method}{}",
                permitted_path(path)
            );
            let properties = permission(target.name(), sub_with(&arn, [("Api", r#ref(api))]));
            let id = format!("{}{name}Permission", source.id);
            self.generated(source, id, "AWS::Lambda::Permission", properties, event.span);
        }
    }

    /// The permissions to call authorizers, where SAM is asked to make them.
    fn authorizer_permissions(&mut self, source: &Source) {
        let authorizers = source.properties.at_path(&["Auth", "Authorizers"]).and_then(Node::as_map);
        for (name, authorizer) in authorizers.into_iter().flat_map(Map::iter) {
            let asked = authorizer.get("EnableFunctionDefaultPermissions").and_then(Node::as_bool);
            if let (Some(true), Some(function)) = (asked, authorizer.get("FunctionArn")) {
                let arn = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/authorizers/*";
                let properties = permission(function.clone(), sub_with(arn, [("Api", r#ref(source.id))]));
                let id = format!("{}{name}AuthorizerPermission", source.id);
                self.generated(source, id, "AWS::Lambda::Permission", properties, authorizer.span);
            }
        }
    }

    pub(super) fn finish_http_apis(&mut self) {
        for (id, mut api) in std::mem::take(&mut self.http_apis) {
            api.add_security();
            let properties = api.properties.clone();
            let mut resource = Map::new();
            if properties.get("DefinitionUri").is_none() {
                api.describe();
                resource.insert("Body", api.body.clone());
            } else {
                resource.insert("BodyS3Location", properties.get("DefinitionUri").cloned().unwrap_or_default());
            }
            copy(&properties, &mut resource, &["FailOnWarnings"]);
            let source = Source {
                id: &id,
                span: api.span,
                properties,
                attributes: api.attributes.iter().map(|(key, node)| (key.as_str(), node)).collect(),
            };
            self.own(&source, "AWS::ApiGatewayV2::Api", resource);
            self.http_stage(&source);
        }
    }

    fn http_stage(&mut self, source: &Source) {
        let name = source.properties.get("StageName").cloned().unwrap_or_else(|| "$default".into());
        let id = match name.as_str() {
            Some("$default") => format!("{}ApiGatewayDefaultStage", source.id),
            Some(name) if name.chars().all(char::is_alphanumeric) => format!("{}{name}Stage", source.id),
            // The translator digests the name; nothing but a Ref through `.Stage` can know the result.
            _ => format!("{}Stage", source.id),
        };
        let mut stage = Map::new();
        stage.insert("ApiId", r#ref(source.id));
        stage.insert("StageName", name);
        stage.insert("AutoDeploy", true);
        let mut tags = source.properties.get("Tags").and_then(Node::as_map).cloned().unwrap_or_default();
        tags.insert("httpapi:createdBy", "SAM");
        stage.insert("Tags", tags);
        let same = ["StageVariables", "AccessLogSettings", "DefaultRouteSettings", "RouteSettings"];
        copy(&source.properties, &mut stage, &same);
        self.aliases.insert(format!("{}.Stage", source.id), id.clone());
        self.generated(source, id, "AWS::ApiGatewayV2::Stage", stage, source.span);
    }
}

impl HttpApi {
    fn add(&mut self, path: &str, method: &str, operation: Node) {
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

    /// The authorizers of `Auth`, and the default one on every operation that names none.
    fn add_security(&mut self) {
        let auth = self.properties.get("Auth").cloned().unwrap_or_default();
        let authorizers = auth.get("Authorizers").and_then(Node::as_map).cloned().unwrap_or_default();
        let scopes_of = |name: &str| {
            let scopes = authorizers.get(name).and_then(|authorizer| authorizer.get("AuthorizationScopes"));
            scopes.cloned().unwrap_or_else(|| Node::from(Vec::new()))
        };
        let default = auth.get("DefaultAuthorizer").and_then(Node::as_str);
        let paths = self.body.get_mut("paths").and_then(Node::as_map_mut);
        for (_, methods) in paths.into_iter().flat_map(Map::iter_mut) {
            for (_, operation) in methods.as_map_mut().into_iter().flat_map(Map::iter_mut) {
                let Some(operation) = operation.as_map_mut() else {
                    continue;
                };
                let asked = operation.remove(ASKED);
                if operation.get("security").is_some() {
                    continue;
                }
                let own = asked.as_ref().and_then(|auth| auth.get("Authorizer")).and_then(Node::as_str);
                let Some(name) = own.or(default) else {
                    continue;
                };
                let scopes = asked.as_ref().and_then(|auth| auth.get("AuthorizationScopes")).cloned();
                let entry = map([(name, scopes.unwrap_or_else(|| scopes_of(name)))]);
                operation.insert("security", vec![entry]);
            }
        }
        let schemes: Map = authorizers.iter().map(|(name, authorizer)| (name, scheme(authorizer))).collect();
        if !schemes.is_empty() {
            let mut components = self.body.get("components").and_then(Node::as_map).cloned().unwrap_or_default();
            components.insert("securitySchemes", schemes);
            self.body.insert("components", components);
        }
    }

    /// Title, description, CORS and tags.
    fn describe(&mut self) {
        let mut info = self.body.get("info").and_then(Node::as_map).cloned().unwrap_or_default();
        if let Some(name) = self.properties.get("Name") {
            info.insert("title", name.clone());
        }
        if let Some(description) = self.properties.get("Description") {
            info.insert("description", description.clone());
        }
        self.body.insert("info", info);
        if let Some(cors) = self.properties.get("CorsConfiguration") {
            self.body.insert("x-amazon-apigateway-cors", cors_extension(cors));
        }
        let mut tags = Map::new();
        for (name, value) in self.properties.get("Tags").and_then(Node::as_map).into_iter().flat_map(Map::iter) {
            tags.insert(name, value.clone());
        }
        tags.insert("httpapi:createdBy", "SAM");
        let tag = |(name, value): (&str, &Node)| {
            map([("name", Node::from(name)), ("x-amazon-apigateway-tag-value", value.clone())])
        };
        self.body.insert("tags", tags.iter().map(tag).collect::<Vec<_>>());
    }
}

fn default_body() -> Map {
    let info = map([("version", Node::from("1.0")), ("title", r#ref("AWS::StackName"))]);
    let entries = [("info", info), ("paths", Map::new().into()), ("openapi", "3.0.1".into())];
    entries.into_iter().collect()
}

fn operation(properties: &Node, target: &Target, path: &str) -> Node {
    let mut integration = Map::new();
    integration.insert("type", "aws_proxy");
    integration.insert("httpMethod", "POST");
    let version = properties.get("PayloadFormatVersion").cloned();
    integration.insert("payloadFormatVersion", version.unwrap_or_else(|| "2.0".into()));
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
        operation.insert(ASKED, auth.clone());
    }
    operation.into()
}

/// An authorizer of `Auth` as a security scheme.
fn scheme(authorizer: &Node) -> Node {
    let mut extension = Map::new();
    let kind = if authorizer.get("JwtConfiguration").is_some() { "jwt" } else { "request" };
    extension.insert("type", kind);
    let names = [
        ("JwtConfiguration", "jwtConfiguration"),
        ("IdentitySource", "identitySource"),
        ("FunctionInvokeRole", "authorizerCredentialsArn"),
        ("AuthorizerPayloadFormatVersion", "authorizerPayloadFormatVersion"),
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
            let names = identity.get(key).and_then(Node::as_list).unwrap_or_default();
            all.extend(names.iter().filter_map(Node::as_str).map(|name| Node::from(format!("{prefix}{name}"))));
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
    map(settings.iter().filter(|(key, _)| key.is_ascii() && !key.is_empty()).map(|(key, node)| (lower(key), node.clone())))
}

/// The path in a permission: no trailing slash, `*` for every parameter, nothing for `$default`.
fn permitted_path(path: &str) -> String {
    if path == "$default" {
        return String::new();
    }
    let trimmed = if path.len() > 1 { path.trim_end_matches('/') } else { path };
    let mut out = String::new();
    let mut rest = trimmed;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((_, tail)) = after.split_once('}') else {
            break;
        };
        out.push_str(before);
        out.push('*');
        rest = tail;
    }
    out + rest
}
