use std::collections::HashSet;

use stackgen_model::{Api, Authorizer, LogicalId, Resolved, Route, Text};

use crate::context::RuleContext;
use crate::facts::authorization::{AuthorizationFault, authorization_fault, is_jwt};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A WebSocket API uses JWT authorization, which only HTTP APIs have.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway refuses an authorizer of type `JWT` with `Only REQUEST authorizer type is supported on WEBSOCKET
    /// protocol Apis.` A route can have `NONE`, `AWS_IAM` or `CUSTOM` (row F2). It refuses `AuthorizationScopes` with
    /// any type but `JWT`: `Authorization Scopes are only valid for COGNITO_USER_POOLS and JWT authorization type`. The
    /// stack rolls back.
    ///
    /// ## How to fix it
    ///
    /// Verify the token in a Lambda authorizer: `AuthorizerType: REQUEST` with an `AuthorizerUri`, and
    /// `AuthorizationType: CUSTOM` on `$connect`. Pass issuer and audience to its function as settings, and check
    /// scopes there.
    id: "SG107",
    name: "jwt-on-websocket",
    severity: Error,
    confidence: High,
    rows: ["A1", "F2", "F6"],
    fixable: false,
    example: "authorizers/jwt_on_websocket.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    context
        .websockets()
        .flat_map(|api| check_api(context, api))
        .collect()
}

fn check_api(context: &RuleContext<'_>, api: &Api) -> Vec<Finding> {
    let jwt = api
        .authorizers
        .iter()
        .filter(|authorizer| is_jwt(authorizer));
    let mut findings: Vec<_> = jwt.clone().map(authorizer_finding).collect();
    // A route with such an authorizer is the same mistake.
    let reported: HashSet<&LogicalId> = jwt
        .map(|authorizer| &authorizer.resource.logical_id)
        .collect();
    let others = api.routes.iter().filter(|route| {
        let id = route.authorizer.to();
        id.is_none_or(|id| !reported.contains(id))
    });
    findings.extend(others.filter_map(|route| check_route(context, route)));
    findings
}

fn authorizer_finding(authorizer: &Authorizer) -> Finding {
    let resource = &authorizer.resource;
    let id = &resource.logical_id;
    let kind = authorizer
        .authorizer_type
        .as_ref()
        .and_then(Text::as_literal);
    let (message, key) = match kind {
        Some("JWT") => (
            format!("authorizer {id} has type `JWT`, which WebSocket APIs do not support"),
            "AuthorizerType",
        ),
        _ => (
            format!(
                "authorizer {id} has a `JwtConfiguration`, which WebSocket APIs do not support"
            ),
            "JwtConfiguration",
        ),
    };
    Finding::new(&RULE, Location::of(resource, &[key]), message)
        .hint("verify the token in a function, with `AuthorizerType: REQUEST` and `AuthorizerUri`")
}

fn check_route(context: &RuleContext<'_>, route: &Route) -> Option<Finding> {
    let resource = &route.resource;
    let key = &route.key;
    if let Some(AuthorizationFault::Jwt) = authorization_fault(context.model, route) {
        let message =
            format!("route `{key}` has authorization `JWT`, which WebSocket APIs do not support");
        let finding = Finding::new(
            &RULE,
            Location::of(resource, &["AuthorizationType"]),
            message,
        );
        return Some(finding.hint(match key.is_connect() {
            true => {
                "set `AuthorizationType: CUSTOM`, with a Lambda authorizer that verifies the token"
            }
            false => "set `AuthorizationType: NONE`, and attach a Lambda authorizer to `$connect`",
        }));
    }
    let scopes = resource
        .properties
        .get("AuthorizationScopes")
        .and_then(Resolved::as_list);
    scopes.is_some_and(|scopes| !scopes.is_empty()).then(|| {
        let message = format!("route `{key}` has scopes, which only `JWT` checks");
        Finding::new(
            &RULE,
            Location::of(resource, &["AuthorizationScopes"]),
            message,
        )
        .hint("remove them and let the authorizer's function check the token's scopes")
    })
}
