use stackgen_model::{Link, Route};

use crate::context::Context;
use crate::facts::authorization::{Fault, Kind, fault, kind};
use crate::facts::settings;
use crate::rule::rule;
use crate::{Finding, Place};

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

fn check(context: &Context<'_>) -> Vec<Finding> {
    let routes = context.websockets().flat_map(|api| &api.routes);
    let unused =
        routes.filter(|route| matches!(fault(context.model, route), Some(Fault::IdUnused)));
    unused.map(of_route).collect()
}

fn of_route(route: &Route) -> Finding {
    if settings::is_generated(&route.resource) {
        return of_sam(route);
    }
    let authorizer = match &route.authorizer {
        Link::To(id) => format!("authorizer {id}"),
        _ => "an authorizer".to_owned(),
    };
    let (says, kind) = match kind(route) {
        Kind::LeftOut => ("has no `AuthorizationType`", "lets everybody in"),
        Kind::Iam => ("is authorized by `AWS_IAM`", "never asks it"),
        _ => ("has `AuthorizationType: NONE`", "lets everybody in"),
    };
    let resource = &route.resource;
    let message = format!("`$connect` names {authorizer}, but {says} and {kind}");
    let finding = Finding::new(&RULE, Place::of(resource, &["AuthorizationType"]), message)
        .related(
            Place::of(resource, &["AuthorizerId"]),
            "counts only beside `CUSTOM`",
        )
        .hint("set `AuthorizationType: CUSTOM`");
    match settings::is_computed(resource, &["AuthorizationType"]) {
        true => settings::by_default(finding),
        false => finding,
    }
}

/// The `Auth` of SAM's resource.
fn of_sam(route: &Route) -> Finding {
    let has = match kind(route) {
        Kind::LeftOut => "no `AuthType`",
        Kind::Iam => "`AuthType: AWS_IAM`",
        _ => "`AuthType: NONE`",
    };
    let message = format!("`Auth` names a function in `AuthArn` and has {has}, which SAM refuses");
    let place = Place::of(&route.resource, &["AuthorizationType"]);
    Finding::new(&RULE, place, message).hint("set `AuthType: CUSTOM`, or remove `AuthArn`")
}
