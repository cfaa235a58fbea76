use stackgen_model::{Authorizer, Model, Piece, Resource, Text};

use super::invoked_function;
use crate::context::RuleContext;
use crate::facts::authorization::websocket_authorizers;
use crate::facts::settings;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// An authorizer has no function.
    ///
    /// ## Why it hurts
    ///
    /// A `REQUEST` authorizer is a Lambda function, which `AuthorizerUri` names (row F6). API Gateway refuses an
    /// authorizer without it. With the ARN of another resource it refuses the authorizer, or every handshake fails with
    /// 500 (row A7).
    ///
    /// ## How to fix it
    ///
    /// Set `AuthorizerUri` to the invocation path of the authorizer's function, and allow API Gateway to invoke it (row
    /// A16).
    id: "SG121",
    name: "authorizer-without-function",
    severity: Error,
    confidence: High,
    rows: ["A7", "A16", "F6"],
    fixable: false,
    example: "authorizers/authorizer_without_function.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    websocket_authorizers(&context.facts)
        .filter_map(|authorizer| check_authorizer(context.model, authorizer))
        .collect()
}

fn check_authorizer(model: &Model, authorizer: &Authorizer) -> Option<Finding> {
    let resource = &authorizer.resource;
    let id = &resource.logical_id;
    let hint = "write `!Sub arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations`, \
                with the authorizer's function";
    let Some(uri) = &authorizer.uri else {
        let message = format!("authorizer {id} has no `AuthorizerUri`");
        return Some(
            Finding::new(&RULE, Location::of(resource, &["AuthorizerUri"]), message).hint(hint),
        );
    };
    let other = no_function(model, uri)?;
    let message = format!(
        "authorizer {id} names {}, an `{}`, which is not a function",
        other.logical_id, other.kind
    );
    let finding = Finding::new(&RULE, Location::of(resource, &["AuthorizerUri"]), message)
        .related(Location::of(other, &[]), "the named resource")
        .hint(hint);
    Some(finding)
}

/// Returns the resource that the URI names, if it cannot be a function.
fn no_function<'m>(model: &'m Model, uri: &Text) -> Option<&'m Resource> {
    let function = invoked_function(uri).unwrap_or_else(|| uri.clone());
    let Some(Piece::Reference(reference)) = function.pieces().first() else {
        return None;
    };
    let resource = model.resource(&reference.logical_id)?;
    // Versions, aliases and URLs also have attributes with the function's ARN.
    let is_other = !resource.kind.starts_with("AWS::Lambda::") && !settings::is_opaque(resource);
    is_other.then_some(resource)
}
