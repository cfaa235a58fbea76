use stackgen_model::{Api, Protocol, Resolved, Resource};

use crate::context::RuleContext;
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// A WebSocket API has a property that only HTTP APIs have.
    ///
    /// ## Why it hurts
    ///
    /// `CorsConfiguration`, the OpenAPI `Body`, and `Target`, `RouteKey` and `CredentialsArn` of an API are supported for
    /// HTTP APIs only (row F1). With `CorsConfiguration` the deployment of the stack fails with `Cors is not supported for
    /// WEBSOCKET protocolType`; what the others are there to make is refused too, or not made.
    ///
    /// ## How to fix it
    ///
    /// Remove it; `--fix` removes `CorsConfiguration`. Browsers do not ask leave of a WebSocket server: to let only some
    /// origins in, compare the `Origin` header in the authorizer or in the function of `$connect`.
    id: "SG218",
    name: "http-api-property",
    severity: Error,
    confidence: High,
    rows: ["F1"],
    fixable: true,
    example: "routes/http_api_property.diff",
}

const CORS: &str = "CorsConfiguration";

const OF_HTTP: &[&str] = &[
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
            let properties = OF_HTTP.iter();
            properties
                .filter_map(|name| check_property(resource, name))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn check_property(resource: &Resource, name: &str) -> Option<Finding> {
    // What is not known may turn out to be no value at all.
    if let Resolved::Unknown(_) = resource.properties.get(name)? {
        return None;
    }
    let id = &resource.logical_id;
    let message = format!("API {id} is a WebSocket API, and `{name}` is of HTTP APIs");
    let finding = Finding::new(&RULE, Location::of(resource, &[name]), message)
        .hint(format!("remove `{name}`"));
    if name != CORS {
        return Some(finding.with_confidence(Confidence::Medium));
    }
    let edit = fix::remove(resource, &[name]);
    Some(finding.fix(Fix::one(format!("remove `{name}`"), edit)))
}
