//! `AWS::Serverless::WebSocketApi`.

use std::collections::HashMap;

use stackgen_cfn::{Map, Node, Span, join, r#ref, sub};

use super::{Expander, Source, copy, invocation, permission, sub_with};
use crate::{Problem, ProblemKind};

const API: &[&str] = &[
    "ApiKeySelectionExpression",
    "Description",
    "DisableExecuteApiEndpoint",
    "DisableSchemaValidation",
    "IpAddressType",
    "RouteSelectionExpression",
];

impl Expander<'_> {
    pub(super) fn websocket_api(&mut self, source: &Source) {
        self.check_websocket_api(source);
        let mut api = Map::new();
        copy(&source.properties, &mut api, API);
        api.insert(
            "Name",
            source
                .properties
                .get("Name")
                .cloned()
                .unwrap_or_else(|| source.id.into()),
        );
        api.insert("ProtocolType", "WEBSOCKET");
        let mut tags = source
            .properties
            .get("Tags")
            .and_then(Node::as_map)
            .cloned()
            .unwrap_or_default();
        tags.insert("websocketapi:createdBy", "SAM");
        api.insert("Tags", tags);
        self.own(source, "AWS::ApiGatewayV2::Api", api);
        let stage = source
            .properties
            .get("StageName")
            .cloned()
            .unwrap_or_else(|| "default".into());
        self.websocket_routes(source, &stage);
        self.websocket_stage(source, stage);
        if source.properties.get("Domain").is_some() {
            self.unrelated_gap(
                format!("the custom domain of {} is not in the model", source.id),
                source.span,
            );
        }
    }

    fn websocket_routes(&mut self, source: &Source, stage: &Node) {
        let Some(routes) = source.properties.get("Routes").and_then(Node::as_map) else {
            self.gap(
                format!(
                    "the routes of {} are not in the model: they are not a plain mapping",
                    source.id
                ),
                source.span,
            );
            return;
        };
        let mut taken: HashMap<String, &str> = HashMap::new();
        for (key, entry) in routes.entries() {
            let span = if entry.key_span.file.is_some() {
                entry.key_span
            } else {
                entry.node.span
            };
            let Some(clean) = clean_key(key) else {
                let problem = Problem::new(
                    format!("SAM refuses the route key {key}: it must be alphanumeric"),
                    span,
                );
                let problem =
                    problem.with_hint("rename it, or write the route as AWS::ApiGatewayV2::Route");
                self.problems
                    .push(problem.of_kind(ProblemKind::RouteKeyRefused));
                continue;
            };
            let base = format!("{}{clean}", source.id);
            if let Some(first) = taken.insert(base.clone(), key) {
                self.report_collision(first, key, &base, span);
            }
            self.websocket_route(source, key, &base, &entry.node, stage, span);
        }
    }

    /// Reports two route keys with one logical ID. SAM's translator derives logical IDs with `str.capitalize`, which
    /// also lowers every letter after the first, and the later route silently replaces the earlier one.
    fn report_collision(&mut self, first: &str, second: &str, base: &str, span: Span) {
        let message = format!(
            "SAM generates {base}Route for both routes {first} and {second}; {first} is silently lost"
        );
        let hint = "rename one so that they differ in more than case and $, or write the routes as \
                    AWS::ApiGatewayV2::Route";
        let problem = Problem::new(message, span).with_hint(hint);
        self.problems
            .push(problem.of_kind(ProblemKind::RouteKeysCollide));
    }

    fn websocket_route(
        &mut self,
        source: &Source,
        key: &str,
        base: &str,
        spec: &Node,
        stage: &Node,
        span: Span,
    ) {
        let integration_id = format!("{base}Integration");
        let mut route = Map::new();
        let same = [
            "ApiKeyRequired",
            "ModelSelectionExpression",
            "OperationName",
            "RequestModels",
            "RequestParameters",
        ];
        copy(spec, &mut route, &same);
        copy(spec, &mut route, &["RouteResponseSelectionExpression"]);
        route.insert("ApiId", r#ref(source.id));
        route.insert("RouteKey", key);
        route.insert(
            "Target",
            join("/", ["integrations".into(), r#ref(&integration_id)]),
        );
        if key == "$connect" {
            self.connect_authorization(source, &mut route, span);
        }
        self.generated(
            source,
            format!("{base}Route"),
            "AWS::ApiGatewayV2::Route",
            route,
            span,
        );

        let function = spec.get("FunctionArn").cloned().unwrap_or_default();
        let mut integration = Map::new();
        integration.insert("ApiId", r#ref(source.id));
        integration.insert("IntegrationType", "AWS_PROXY");
        integration.insert("IntegrationUri", invocation(function.clone()));
        if let Some(timeout) = spec.get("IntegrationTimeout") {
            integration.insert("TimeoutInMillis", timeout.clone());
        }
        self.generated(
            source,
            integration_id,
            "AWS::ApiGatewayV2::Integration",
            integration,
            span,
        );

        let arn = format!(
            "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{}.ApiId}}/${{Stage}}/{key}",
            source.id
        );
        let arn = sub_with(&arn, [("Stage", self.budget.copy(stage))]);
        let properties = permission(function, arn);
        self.generated(
            source,
            format!("{base}Permission"),
            "AWS::Lambda::Permission",
            properties,
            span,
        );
    }

    fn connect_authorization(&mut self, source: &Source, route: &mut Map, span: Span) {
        let Some(auth) = source
            .properties
            .get("Auth")
            .filter(|auth| auth.as_map().is_some_and(|map| !map.is_empty()))
        else {
            return;
        };
        if let Some(kind) = auth.get("AuthType") {
            route.insert("AuthorizationType", kind.clone());
        }
        // SAM refuses a function together with another type. So this is a route with an authorizer of that type.
        let Some(function) = auth.get("AuthArn") else {
            return;
        };
        let id = format!("{}ConnectAuthorizer", source.id);
        route.insert("AuthorizerId", r#ref(&id));
        let mut authorizer = Map::new();
        authorizer.insert("ApiId", r#ref(source.id));
        authorizer.insert("AuthorizerType", "REQUEST");
        authorizer.insert("AuthorizerUri", invocation(function.clone()));
        authorizer.insert(
            "Name",
            auth.get("Name")
                .cloned()
                .unwrap_or_else(|| id.as_str().into()),
        );
        copy(auth, &mut authorizer, &["IdentitySource"]);
        if let Some(role) = auth.get("InvokeRole") {
            authorizer.insert("AuthorizerCredentialsArn", role.clone());
        } else {
            let arn = format!(
                "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{}}}/authorizers/*",
                source.id
            );
            let properties = permission(function.clone(), sub(arn));
            let id = format!("{}AuthorizerPermission", source.id);
            self.generated(source, id, "AWS::Lambda::Permission", properties, span);
        }
        self.generated(
            source,
            id,
            "AWS::ApiGatewayV2::Authorizer",
            authorizer,
            span,
        );
    }

    fn websocket_stage(&mut self, source: &Source, name: Node) {
        let id = match name.as_str() {
            Some("default") => format!("{}DefaultStage", source.id),
            Some(name) => format!("{}{name}Stage", source.id),
            None => format!("{}Stage", source.id),
        };
        let tags = Map::from_iter([("websocketapi:createdBy", "SAM")]);
        self.stage(source, id, name, tags);
    }
}

/// Returns the part of a logical ID that comes from a route key.
fn clean_key(key: &str) -> Option<String> {
    let key = match key {
        "$connect" | "$disconnect" | "$default" => &key[1..],
        _ if !key.is_empty() && key.chars().all(char::is_alphanumeric) => key,
        _ => return None,
    };
    let mut letters = key.chars();
    let first = letters.next()?.to_uppercase();
    Some(first.chain(letters.flat_map(char::to_lowercase)).collect())
}
