use stackgen_cfn::sub;
use stackgen_model::{Authorizer, Model, Piece, Text};

use super::invoked_function;
use crate::context::RuleContext;
use crate::facts::authorization::websocket_authorizers;
use crate::facts::settings;
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// The URI of an authorizer is not the invocation path of a Lambda function.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway expects `arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/{function
    /// ARN}/invocations` (rows F3, F6). It refuses a function's bare ARN or name: `Invalid Authorizer URI: … Authorizer
    /// URI should be a valid API Gateway ARN that represents a Lambda function invocation.`
    ///
    /// ## How to fix it
    ///
    /// Write the path around the function's ARN. `--fix` does this if the URI is a reference to a function, a version
    /// or an alias of the template.
    id: "SG112",
    name: "authorizer-uri-not-invocation",
    severity: Error,
    confidence: High,
    rows: ["F3", "F6"],
    fixable: true,
    example: "authorizers/authorizer_uri_not_invocation.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    websocket_authorizers(&context.facts)
        .filter_map(|authorizer| check_authorizer(context.model, authorizer))
        .collect()
}

fn check_authorizer(model: &Model, authorizer: &Authorizer) -> Option<Finding> {
    let uri = authorizer.uri.as_ref()?;
    let function = function(model, uri);
    // An output of a nested stack may contain the path or a part of it.
    let is_opaque = uri.references().any(|part| {
        let resource = model.resource(&part.logical_id);
        resource.is_none_or(|resource| settings::is_opaque(resource))
    });
    let written = matches!(uri.pieces().first(), Some(Piece::Literal(_)));
    let is_known = uri.unknown().is_none() && !is_opaque && (written || function.is_some());
    if !is_known || invoked_function(uri).is_some() {
        return None;
    }
    let resource = &authorizer.resource;
    let path = ["AuthorizerUri"];
    let shown = settings::as_written(uri);
    let message = format!("`{shown}` is not the invocation path of a function");
    let finding = Finding::new(&RULE, Location::of(resource, &path), message);
    let Some(function) = function else {
        if settings::is_invocation(uri) && uri.strip_suffix("/invocations").is_none() {
            return Some(finding.hint("append `/invocations`"));
        }
        return Some(finding.hint(
            "write `!Sub arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/…/invocations` \
             around the function's ARN",
        ));
    };
    let right = format!(
        "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{function}}}/invocations"
    );
    let edit = fix::replace(resource, &path, sub(right.as_str()));
    Some(
        finding
            .hint(format!("write `!Sub {right}`"))
            .fix(Fix::one("write the function's invocation path", edit)),
    )
}

/// Returns the expression for the ARN of the function that a URI refers to without a path.
fn function(model: &Model, uri: &Text) -> Option<String> {
    let id = &uri.as_reference()?.logical_id;
    match model.resource(id)?.kind.as_str() {
        "AWS::Lambda::Function" => Some(format!("{id}.Arn")),
        "AWS::Lambda::Version" | "AWS::Lambda::Alias" => Some(id.to_string()),
        _ => None,
    }
}
