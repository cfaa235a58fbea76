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
    /// API Gateway uses `AuthorizerId` only if `AuthorizationType` is `CUSTOM`. With `NONE` or without a type the route
    /// looks protected but is open, and the authorizer is never invoked (row A1). With `AWS_IAM` API Gateway requires a
    /// signed request (row A14) and ignores the authorizer. SAM refuses an `AuthArn` in the `Auth` of an
    /// `AWS::Serverless::WebSocketApi` unless `AuthType` is `CUSTOM`.
    ///
    /// ## How to fix it
    ///
    /// Set `AuthorizationType: CUSTOM`, or `AuthType: CUSTOM` with SAM. If the route should be open or use IAM, remove
    /// `AuthorizerId`.
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
    let (has, effect) = match authorization_kind(route) {
        AuthorizationKind::LeftOut => ("has no `AuthorizationType`", "is open"),
        AuthorizationKind::Iam => ("uses `AWS_IAM`", "ignores it"),
        _ => ("has `AuthorizationType: NONE`", "is open"),
    };
    let resource = &route.resource;
    let message = format!("`$connect` names {authorizer}, but {has} and {effect}");
    let finding = Finding::new(
        &RULE,
        Location::of(resource, &["AuthorizationType"]),
        message,
    )
    .related(
        Location::of(resource, &["AuthorizerId"]),
        "used only with `CUSTOM`",
    )
    .hint("set `AuthorizationType: CUSTOM`");
    match settings::is_computed(resource, &["AuthorizationType"]) {
        true => settings::unless_overridden(finding),
        false => finding,
    }
}

/// Reports the `Auth` property of a SAM resource.
fn sam_finding(route: &Route) -> Finding {
    let has = match authorization_kind(route) {
        AuthorizationKind::LeftOut => "no `AuthType`",
        AuthorizationKind::Iam => "`AuthType: AWS_IAM`",
        _ => "`AuthType: NONE`",
    };
    let message = format!("`Auth` has an `AuthArn` and {has}, which SAM refuses");
    let location = Location::of(&route.resource, &["AuthorizationType"]);
    Finding::new(&RULE, location, message).hint("set `AuthType: CUSTOM`, or remove `AuthArn`")
}
