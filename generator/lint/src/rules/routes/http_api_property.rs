use stackgen_model::{Api, Protocol, Resolved, Resource};

use crate::context::RuleContext;
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// A WebSocket API has a property that only HTTP APIs support.
    ///
    /// ## Why it hurts
    ///
    /// Only HTTP APIs support `CorsConfiguration`, the OpenAPI `Body`, and `Target`, `RouteKey` and `CredentialsArn` of
    /// an API (row F1). API Gateway refuses `CorsConfiguration` with `Cors is not supported for WEBSOCKET
    /// protocolType`, and the stack rolls back. It refuses or ignores the others.
    ///
    /// ## How to fix it
    ///
    /// Remove the property; `--fix` removes `CorsConfiguration`. Browsers do not apply CORS to WebSockets: to allow
    /// only some origins, compare the `Origin` header in the authorizer or in the function of `$connect`.
    id: "SG218",
    name: "http-api-property",
    severity: Error,
    confidence: High,
    rows: ["F1"],
    fixable: true,
    example: "routes/http_api_property.diff",
}

const CORS: &str = "CorsConfiguration";

const HTTP_ONLY: &[&str] = &[
    CORS,
    "Body",
    "BodyS3Location",
    "Target",
    "RouteKey",
    "CredentialsArn",
];

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    context.websockets().flat_map(check_api).collect()
}

fn check_api(api: &Api) -> Vec<Finding> {
    match &api.resource {
        Some(resource) if api.protocol == Protocol::WebSocket => {
            let properties = HTTP_ONLY.iter();
            properties
                .filter_map(|name| check_property(resource, name))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn check_property(resource: &Resource, name: &str) -> Option<Finding> {
    // An unknown value may be no value.
    if let Resolved::Unknown(_) = resource.properties.get(name)? {
        return None;
    }
    let id = &resource.logical_id;
    let message = format!("API {id} is a WebSocket API, but only HTTP APIs support `{name}`");
    let finding = Finding::new(&RULE, Location::of(resource, &[name]), message)
        .hint(format!("remove `{name}`"));
    if name != CORS {
        return Some(finding.with_confidence(Confidence::Medium));
    }
    let edit = fix::remove(resource, &[name]);
    Some(finding.fix(Fix::one(format!("remove `{name}`"), edit)))
}
