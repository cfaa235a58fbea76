use stackgen_model::{Api, Route, Text};

use crate::context::Context;
use crate::rule::rule;
use crate::{Finding, Place};

rule! {
    /// `$connect` is open to everybody although the API has an authorizer.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway invokes an authorizer only for a `$connect` route whose `AuthorizationType` is `CUSTOM` and whose
    /// `AuthorizerId` names it (row A1). With `NONE`, or with nothing written, every handshake is let through: functions
    /// get no `requestContext.authorizer`, user ids are empty, and whoever should have been refused is connected.
    /// Nothing fails, so that tests with good tokens pass.
    ///
    /// ## How to fix it
    ///
    /// Set `AuthorizationType: CUSTOM` and `AuthorizerId` on the `$connect` route, and create a new deployment: the stage
    /// serves the old wiring until then (row D1). Where callers without a token are welcome, attach the authorizer all
    /// the same, without an identity source, and let its function tell callers apart.
    id: "SG102",
    name: "connect-open-beside-authorizer",
    severity: Error,
    confidence: High,
    rows: ["A1", "D1"],
    fixable: false,
    example: "authorizers/connect_open_beside_authorizer.diff",
}

fn check(context: &Context<'_>) -> Vec<Finding> {
    context.websockets().flat_map(of_api).collect()
}

fn of_api(api: &Api) -> Vec<Finding> {
    let open = api
        .routes
        .iter()
        .filter(|route| route.key.is_connect() && is_open(route));
    let Some(authorizer) = api.authorizers.first() else {
        return Vec::new();
    };
    let finding = |route: &Route| {
        let id = &authorizer.resource.logical_id;
        let message = format!("`$connect` lets everybody in, and authorizer {id} is never invoked");
        Finding::new(
            &RULE,
            Place::of(&route.resource, &["AuthorizationType"]),
            message,
        )
        .related(Place::of(&authorizer.resource, &[]), "the authorizer")
        .hint(format!(
            "set `AuthorizationType: CUSTOM` and `AuthorizerId: !Ref {id}`"
        ))
    };
    open.map(finding).collect()
}

fn is_open(route: &Route) -> bool {
    match &route.authorization_type {
        None => true,
        Some(kind) => Text::as_literal(kind) == Some("NONE"),
    }
}
