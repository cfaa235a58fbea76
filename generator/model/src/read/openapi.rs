//! Routes, integrations and authorizers in the OpenAPI body of an HTTP API.

use std::collections::BTreeMap;

use crate::resource::Resource;
use crate::{LogicalId, OrderedMap, Piece, Reference, Resolved, Text, Unknown, UnknownReason};

const ANY: &str = "x-amazon-apigateway-any-method";
const METHODS: &[&str] = &[
    "get", "put", "post", "delete", "options", "head", "patch", ANY,
];

/// Fields of the integration extension, and the properties of an integration that they set.
const INTEGRATION: &[(&str, &str)] = &[
    ("connectionId", "ConnectionId"),
    ("connectionType", "ConnectionType"),
    ("credentials", "CredentialsArn"),
    ("httpMethod", "IntegrationMethod"),
    ("integrationSubtype", "IntegrationSubtype"),
    ("payloadFormatVersion", "PayloadFormatVersion"),
    ("requestParameters", "RequestParameters"),
    ("responseParameters", "ResponseParameters"),
    ("timeoutInMillis", "TimeoutInMillis"),
    ("tlsConfig", "TlsConfig"),
    ("uri", "IntegrationUri"),
];

const AUTHORIZER: &[(&str, &str)] = &[
    ("authorizerCredentialsArn", "AuthorizerCredentialsArn"),
    (
        "authorizerPayloadFormatVersion",
        "AuthorizerPayloadFormatVersion",
    ),
    (
        "authorizerResultTtlInSeconds",
        "AuthorizerResultTtlInSeconds",
    ),
    ("authorizerUri", "AuthorizerUri"),
    ("enableSimpleResponses", "EnableSimpleResponses"),
];

/// Approximate limit in bytes for the scopes of all operations: scopes of the document apply to every operation.
const MAX_SCOPES: usize = 16 << 20;

type Properties = OrderedMap<String, Resolved>;

/// Returns the resources that an API's `Body` implies.
pub(super) fn implied(api: &Resource) -> Vec<Resource> {
    let Some(body) = api
        .properties
        .get("Body")
        .filter(|_| api.kind == "AWS::ApiGatewayV2::Api")
    else {
        return Vec::new();
    };
    let mut resources = Vec::new();
    let schemes = body.at_path(&["components", "securitySchemes"]);
    for (name, scheme) in schemes.and_then(Resolved::as_map).into_iter().flatten() {
        if let Some(extension) = scheme.get("x-amazon-apigateway-authorizer") {
            resources.push(authorizer(api, name, extension));
        }
    }
    let mut budget = MAX_SCOPES;
    for (path, methods) in body
        .get("paths")
        .and_then(Resolved::as_map)
        .into_iter()
        .flatten()
    {
        for (method, operation) in methods.as_map().into_iter().flatten() {
            if METHODS.contains(&method.as_str()) {
                resources.extend(route(api, body, path, method, operation, &mut budget));
            }
        }
    }
    resources
}

fn route(
    api: &Resource,
    body: &Resolved,
    path: &str,
    method: &str,
    operation: &Resolved,
    budget: &mut usize,
) -> Vec<Resource> {
    let key = match (path.trim_start_matches('/'), method) {
        ("$default", ANY) => "$default".to_owned(),
        (_, ANY) => format!("ANY {path}"),
        (_, method) => format!("{} {path}", method.to_uppercase()),
    };
    let mut properties = owned(api);
    properties.insert("RouteKey".to_owned(), Resolved::literal(key.as_str()));
    secure(api, body, operation, &mut properties, budget);
    if let Some(name) = operation.get("operationId") {
        properties.insert("OperationName".to_owned(), name.clone());
    }
    let mut resources = Vec::new();
    if let Some(extension) = operation.get("x-amazon-apigateway-integration") {
        let id = format!("{}/{key} integration", api.logical_id);
        let mut target = Text::literal("integrations/");
        target.append(Text::from(reference(&id)));
        properties.insert("Target".to_owned(), Resolved::Text(target));
        resources.push(resource(
            api,
            id,
            "AWS::ApiGatewayV2::Integration",
            integration(api, extension),
        ));
    }
    let id = format!("{}/{key}", api.logical_id);
    resources.push(resource(api, id, "AWS::ApiGatewayV2::Route", properties));
    resources
}

/// Applies the first security requirement of the operation or, without one, of the document.
fn secure(
    api: &Resource,
    body: &Resolved,
    operation: &Resolved,
    properties: &mut Properties,
    budget: &mut usize,
) {
    let requirements = operation.get("security").or_else(|| body.get("security"));
    let first = requirements
        .and_then(Resolved::as_list)
        .and_then(<[_]>::first)
        .and_then(Resolved::as_map);
    let (name, scopes) = match first.and_then(OrderedMap::first) {
        Some((name, scopes)) => (name.as_str(), Some(scopes)),
        None => ("NONE", None),
    };
    let extension = body.at_path(&[
        "components",
        "securitySchemes",
        name,
        "x-amazon-apigateway-authorizer",
    ]);
    let kind = extension
        .and_then(|extension| extension.get("type"))
        .and_then(Resolved::as_literal);
    let authorization = match (name, kind) {
        ("AWS_IAM", _) => "AWS_IAM",
        (_, Some("jwt")) => "JWT",
        (_, Some(_)) => "CUSTOM",
        (_, None) => "NONE",
    };
    properties.insert(
        "AuthorizationType".to_owned(),
        Resolved::literal(authorization),
    );
    if matches!(authorization, "JWT" | "CUSTOM") {
        let id = format!("{}/{name} authorizer", api.logical_id);
        properties.insert(
            "AuthorizerId".to_owned(),
            Resolved::Text(Text::from(reference(&id))),
        );
        if let Some(scopes) =
            scopes.filter(|scopes| scopes.as_list().is_some_and(|list| !list.is_empty()))
        {
            let scopes = match *budget {
                0 => Resolved::Unknown(Unknown::new(UnknownReason::TooLarge, api.span, "")),
                _ => scopes.clone(),
            };
            *budget = budget.saturating_sub(scopes.weight());
            properties.insert("AuthorizationScopes".to_owned(), scopes);
        }
    }
}

fn integration(api: &Resource, extension: &Resolved) -> Properties {
    let mut properties = owned(api);
    let kind = extension
        .get("type")
        .and_then(Resolved::as_literal)
        .unwrap_or_default();
    properties.insert(
        "IntegrationType".to_owned(),
        Resolved::literal(kind.to_uppercase()),
    );
    rename(extension, INTEGRATION, &mut properties);
    properties
}

fn authorizer(api: &Resource, name: &str, extension: &Resolved) -> Resource {
    let mut properties = owned(api);
    properties.insert("Name".to_owned(), Resolved::literal(name));
    let kind = extension
        .get("type")
        .and_then(Resolved::as_literal)
        .unwrap_or_default();
    properties.insert(
        "AuthorizerType".to_owned(),
        Resolved::literal(kind.to_uppercase()),
    );
    rename(extension, AUTHORIZER, &mut properties);
    if let Some(sources) = extension.get("identitySource") {
        let list = match sources.as_literal() {
            Some(text) => Resolved::List(
                text.split(',')
                    .map(|source| Resolved::literal(source.trim()))
                    .collect(),
            ),
            None => sources.clone(),
        };
        properties.insert("IdentitySource".to_owned(), list);
    }
    if let Some(jwt) = extension.get("jwtConfiguration") {
        let mut renamed = Properties::default();
        rename(
            jwt,
            &[("audience", "Audience"), ("issuer", "Issuer")],
            &mut renamed,
        );
        properties.insert("JwtConfiguration".to_owned(), Resolved::Map(renamed));
    }
    let id = format!("{}/{name} authorizer", api.logical_id);
    resource(api, id, "AWS::ApiGatewayV2::Authorizer", properties)
}

fn rename(from: &Resolved, names: &[(&str, &str)], to: &mut Properties) {
    for (old, new) in names {
        if let Some(value) = from.get(old) {
            to.insert((*new).to_owned(), value.clone());
        }
    }
}

fn owned(api: &Resource) -> Properties {
    let own = Resolved::Text(Text::from(reference(api.logical_id.as_str())));
    OrderedMap::from_iter([("ApiId".to_owned(), own)])
}

fn reference(id: &str) -> Piece {
    Piece::Reference(Reference {
        logical_id: LogicalId::new(id),
        attribute: None,
    })
}

fn resource(api: &Resource, id: String, kind: &str, properties: Properties) -> Resource {
    Resource {
        logical_id: LogicalId::new(id),
        kind: kind.to_owned(),
        conditional: api.conditional.clone(),
        depends_on: Vec::new(),
        retained: api.retained,
        properties: Resolved::Map(properties),
        attributes: BTreeMap::new(),
        implied: true,
        span: api.span,
        document: stackgen_cfn::Node::default(),
    }
}
