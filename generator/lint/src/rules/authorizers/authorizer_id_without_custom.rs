use stackgen_model::{Link, Route};

use crate::context::RuleContext;
use crate::facts::authorization::{
    AuthorizationFault, AuthorizationKind, authorization_fault, authorization_kind,
};
use crate::facts::settings;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// `$connect` names an authorizer, but its `AuthorizationType` is not `CUSTOM`.
    ///
    /// ## Why it hurts
    ///
    /// `AuthorizationType` decides, and `AuthorizerId` counts only beside `CUSTOM`. With `NONE` or without a type a route
    /// that looks protected lets everybody in, and the authorizer is never invoked (row A1); with `AWS_IAM` API Gateway
    /// asks for a signed request (row A14) and not for the authorizer. SAM refuses `Auth` of an
    /// `AWS::Serverless::WebSocketApi` with an `AuthArn` beside anything but `AuthType: CUSTOM`.
    ///
    /// ## How to fix it
    ///
    /// Set `AuthorizationType: CUSTOM`, with SAM `AuthType: CUSTOM`. If the route shall be open, or shall be authorized by IAM, remove `AuthorizerId`.
    id: "SG103",
    name: "authorizer-id-without-custom",
    severity: Error,
    confidence: High,
    rows: ["A1", "A14", "F2"],
    fixable: false,
    example: "authorizers/authorizer_id_without_custom.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let routes = context.websockets().flat_map(|api| &api.routes);
    let unused = routes.filter(|route| {
        matches!(
            authorization_fault(context.model, route),
            Some(AuthorizationFault::UnusedId)
        )
    });
    unused.map(route_finding).collect()
}

fn route_finding(route: &Route) -> Finding {
    if settings::is_generated(&route.resource) {
        return sam_finding(route);
    }
    let authorizer = match &route.authorizer {
        Link::To(id) => format!("authorizer {id}"),
        _ => "an authorizer".to_owned(),
    };
    let (says, kind) = match authorization_kind(route) {
        AuthorizationKind::LeftOut => ("has no `AuthorizationType`", "lets everybody in"),
        AuthorizationKind::Iam => ("is authorized by `AWS_IAM`", "never asks it"),
        _ => ("has `AuthorizationType: NONE`", "lets everybody in"),
    };
    let resource = &route.resource;
    let message = format!("`$connect` names {authorizer}, but {says} and {kind}");
    let finding = Finding::new(
        &RULE,
        Location::of(resource, &["AuthorizationType"]),
        message,
    )
    .related(
        Location::of(resource, &["AuthorizerId"]),
        "counts only beside `CUSTOM`",
    )
    .hint("set `AuthorizationType: CUSTOM`");
    match settings::is_computed(resource, &["AuthorizationType"]) {
        true => settings::unless_overridden(finding),
        false => finding,
    }
}

/// The `Auth` of SAM's resource.
fn sam_finding(route: &Route) -> Finding {
    let has = match authorization_kind(route) {
        AuthorizationKind::LeftOut => "no `AuthType`",
        AuthorizationKind::Iam => "`AuthType: AWS_IAM`",
        _ => "`AuthType: NONE`",
    };
    let message = format!("`Auth` names a function in `AuthArn` and has {has}, which SAM refuses");
    let location = Location::of(&route.resource, &["AuthorizationType"]);
    Finding::new(&RULE, location, message).hint("set `AuthType: CUSTOM`, or remove `AuthArn`")
}
