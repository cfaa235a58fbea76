use stackgen_model::{Authorizer, Model, Piece, Resource, Text};

use super::invoked;
use crate::context::RuleContext;
use crate::facts::authorization::websocket_authorizers;
use crate::facts::settings;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// An authorizer has no function to ask.
    ///
    /// ## Why it hurts
    ///
    /// A `REQUEST` authorizer is a Lambda function, named by `AuthorizerUri` (row F6). Without it the authorizer is refused;
    /// with the ARN of something that is no function it is refused, or every handshake fails with 500 (row A7).
    ///
    /// ## How to fix it
    ///
    /// Write the invocation path of the authorizer's function as `AuthorizerUri`, and give API Gateway the permission to
    /// invoke it (row A16).
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
        let message = format!("authorizer {id} has no `AuthorizerUri`, and so no function");
        return Some(
            Finding::new(&RULE, Location::of(resource, &["AuthorizerUri"]), message).hint(hint),
        );
    };
    let other = no_function(model, uri)?;
    let message = format!(
        "authorizer {id} asks {}, which is an `{}` and no function",
        other.logical_id, other.kind
    );
    let finding = Finding::new(&RULE, Location::of(resource, &["AuthorizerUri"]), message)
        .related(Location::of(other, &[]), "what it asks")
        .hint(hint);
    Some(finding)
}

/// The resource in the place of the function, when it can be none.
fn no_function<'m>(model: &'m Model, uri: &Text) -> Option<&'m Resource> {
    let function = invoked(uri).unwrap_or_else(|| uri.clone());
    let Some(Piece::Reference(reference)) = function.pieces().first() else {
        return None;
    };
    let resource = model.resource(&reference.logical_id)?;
    // A function's ARN is an attribute of some of its companions too.
    let is_other = !resource.kind.starts_with("AWS::Lambda::") && !settings::is_opaque(resource);
    is_other.then_some(resource)
}
