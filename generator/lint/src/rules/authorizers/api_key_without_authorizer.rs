use stackgen_model::{Api, Route, Text};

use crate::context::RuleContext;
use crate::facts::authorization::{AuthorizationKind, authorization_kind};
use crate::facts::settings;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// `$connect` requires an API key that only an authorizer can supply, and it has no authorizer.
    ///
    /// ## Why it hurts
    ///
    /// With `ApiKeySelectionExpression: $context.authorizer.usageIdentifierKey` API Gateway takes the key from the
    /// response of the Lambda authorizer of `$connect` and ignores headers (row A15). Without an authorizer no
    /// handshake has a key, and all of them fail with 403.
    ///
    /// ## How to fix it
    ///
    /// Attach a Lambda authorizer that returns `usageIdentifierKey` to `$connect`. Or read the key from the header:
    /// remove `ApiKeySelectionExpression`, or set it to `$request.header.x-api-key`.
    id: "SG127",
    name: "api-key-without-authorizer",
    severity: Error,
    confidence: High,
    rows: ["A15"],
    fixable: false,
    example: "authorizers/api_key_without_authorizer.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    context.websockets().flat_map(check_api).collect()
}

fn check_api(api: &Api) -> Vec<Finding> {
    let expression = api.api_key_selection_expression.as_ref();
    let expression = expression.and_then(Text::as_literal);
    if expression != Some("$context.authorizer.usageIdentifierKey") {
        return Vec::new();
    }
    api.routes
        .iter()
        .filter(is_keyless)
        .map(|route| route_finding(api, route))
        .collect()
}

fn is_keyless(route: &&Route) -> bool {
    route.key.is_connect()
        && route.api_key_required.value() == Some(&true)
        && matches!(
            authorization_kind(route),
            AuthorizationKind::LeftOut | AuthorizationKind::Open | AuthorizationKind::Iam
        )
        && !settings::is_set(&route.resource, "AuthorizerId")
        && !settings::is_computed(&route.resource, &["AuthorizationType"])
}

fn route_finding(api: &Api, route: &Route) -> Finding {
    let location = Location::of(&route.resource, &["ApiKeyRequired"]);
    let message = "`$connect` requires an API key from its authorizer, but has no authorizer";
    let finding = Finding::new(&RULE, location, message)
        .hint("attach a Lambda authorizer to `$connect`, or set the expression to `$request.header.x-api-key`");
    match &api.resource {
        None => finding,
        Some(resource) => finding.related(
            Location::of(resource, &["ApiKeySelectionExpression"]),
            "the key comes from here",
        ),
    }
}
