//! `AWS::Serverless::HttpApi` and the `HttpApi` events of functions.

use std::collections::HashSet;

use stackgen_cfn::{Map, Node, Span, r#ref};

use super::body::{HttpApi, default_body, operation};
use super::{Expander, Source, Target, copy, permission, sub_with};

const IMPLICIT: &str = "ServerlessHttpApi";
const ANY: &str = "x-amazon-apigateway-any-method";

impl Expander<'_> {
    pub(super) fn http_api(&mut self, source: &Source) {
        if source.properties.get("Domain").is_some() {
            self.unrelated_gap(
                format!("the custom domain of {} is not in the model", source.id),
                source.span,
            );
        }
        let attributes = source
            .attributes
            .iter()
            .map(|(key, node)| ((*key).to_owned(), (*node).clone()));
        let attributes = attributes.collect();
        self.declare(
            source.id,
            source.properties.clone(),
            attributes,
            source.span,
        );
        self.authorizer_permissions(source);
    }

    fn declare(&mut self, id: &str, properties: Node, attributes: Vec<(String, Node)>, span: Span) {
        // An event may have declared it before.
        let body = properties
            .get("DefinitionBody")
            .and_then(Node::as_map)
            .cloned()
            .unwrap_or_else(default_body);
        let mut api = HttpApi {
            body,
            properties,
            attributes,
            span,
            default_of: HashSet::new(),
            order: self.declared,
        };
        self.declared += 1;
        if let Some(early) = self.http_apis.get_mut(id).map(std::mem::take) {
            api.default_of = early.default_of;
            let paths = early
                .body
                .get("paths")
                .and_then(Node::as_map)
                .cloned()
                .unwrap_or_default();
            for (path, methods) in paths {
                for (method, operation) in methods.as_map().cloned().unwrap_or_default() {
                    api.add(&path, &method, operation);
                }
            }
        }
        self.http_apis.insert(id.to_owned(), api);
    }

    /// Adds the route of a function's event, with the permission to invoke the function.
    pub(super) fn http_event(
        &mut self,
        source: &Source,
        name: &str,
        event: &Node,
        target: &Target,
    ) {
        let nothing = Node::from(Map::new());
        let properties = event.get("Properties").unwrap_or(&nothing);
        let api = match properties.get("ApiId") {
            None => Some(IMPLICIT),
            Some(id) => id.as_str().or_else(|| id.as_call()?.as_ref_name()),
        };
        let path = properties
            .get("Path")
            .map_or(Some("$default"), Node::as_str);
        let method = properties.get("Method").map_or(Some(ANY), Node::as_str);
        let (Some(api), Some(path), Some(method)) = (api, path, method) else {
            self.unrelated_gap(
                format!(
                    "event {name} of {} is not in the model: it is not plain text",
                    source.id
                ),
                event.span,
            );
            return;
        };
        if !self.http_apis.contains_key(api) {
            let globals = self.merged("HttpApi", None);
            self.declare(api, globals, Vec::new(), event.span);
        }
        let any = method.eq_ignore_ascii_case("any") || method == ANY;
        let method = if any {
            ANY.to_owned()
        } else {
            method.to_lowercase()
        };
        let Some(http_api) = self.http_apis.get_mut(api) else {
            return;
        };
        let operation = operation(properties, target, path);
        let covered = path != "$default" && http_api.default_of.contains(source.id);
        if path == "$default" {
            http_api.default_of.insert(source.id.to_owned());
        }
        http_api.add(path, &method, operation.at(event.span));
        if !covered {
            let method = if any {
                "*".to_owned()
            } else {
                method.to_uppercase()
            };
            let arn = format!(
                "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Api}}/*/{method}{}",
                permitted_path(path)
            );
            let properties = permission(target.name(), sub_with(&arn, [("Api", r#ref(api))]));
            let id = format!("{}{name}Permission", source.id);
            self.generated(
                source,
                id,
                "AWS::Lambda::Permission",
                properties,
                event.span,
            );
        }
    }

    /// Adds the permissions to invoke authorizers that the template requests.
    fn authorizer_permissions(&mut self, source: &Source) {
        let authorizers = source
            .properties
            .at_path(&["Auth", "Authorizers"])
            .and_then(Node::as_map);
        for (name, authorizer) in authorizers.into_iter().flat_map(Map::iter) {
            let is_requested = authorizer
                .get("EnableFunctionDefaultPermissions")
                .and_then(Node::as_bool);
            if let (Some(true), Some(function)) = (is_requested, authorizer.get("FunctionArn")) {
                let arn = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/authorizers/*";
                let properties =
                    permission(function.clone(), sub_with(arn, [("Api", r#ref(source.id))]));
                let id = format!("{}{name}AuthorizerPermission", source.id);
                self.generated(
                    source,
                    id,
                    "AWS::Lambda::Permission",
                    properties,
                    authorizer.span,
                );
            }
        }
    }

    pub(super) fn finish_http_apis(&mut self) {
        let mut apis = std::mem::take(&mut self.http_apis);
        apis.sort_by_key(|_, api| api.order);
        for (id, mut api) in apis {
            api.add_security(&mut self.budget);
            let properties = api.properties.clone();
            let mut resource = Map::new();
            if properties.get("DefinitionUri").is_none() {
                api.describe();
                resource.insert("Body", api.body.clone());
            } else {
                resource.insert(
                    "BodyS3Location",
                    properties.get("DefinitionUri").cloned().unwrap_or_default(),
                );
            }
            copy(&properties, &mut resource, &["FailOnWarnings"]);
            let source = Source {
                id: &id,
                span: api.span,
                properties,
                attributes: api
                    .attributes
                    .iter()
                    .map(|(key, node)| (key.as_str(), node))
                    .collect(),
            };
            self.own(&source, "AWS::ApiGatewayV2::Api", resource);
            self.http_stage(&source);
        }
    }

    fn http_stage(&mut self, source: &Source) {
        let name = source
            .properties
            .get("StageName")
            .cloned()
            .unwrap_or_else(|| "$default".into());
        let id = match name.as_str() {
            Some("$default") => format!("{}ApiGatewayDefaultStage", source.id),
            Some(name) if name.chars().all(char::is_alphanumeric) => {
                format!("{}{name}Stage", source.id)
            }
            // SAM's translator uses a digest of the name. Only a Ref through `.Stage` could depend on it.
            _ => format!("{}Stage", source.id),
        };
        let mut tags = source
            .properties
            .get("Tags")
            .and_then(Node::as_map)
            .cloned()
            .unwrap_or_default();
        tags.insert("httpapi:createdBy", "SAM");
        self.stage(source, id, name, tags);
    }
}

/// Returns the path of a permission: without a trailing slash, `*` for every parameter, nothing for `$default`.
fn permitted_path(path: &str) -> String {
    if path == "$default" {
        return String::new();
    }
    let trimmed = if path.len() > 1 {
        path.trim_end_matches('/')
    } else {
        path
    };
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
