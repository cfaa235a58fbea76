use stackgen_model::Resource;

use crate::context::RuleContext;
use crate::facts::authorization::is_rest_authorizer_of_v2;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// An `AWS::ApiGateway::Authorizer`, which is for REST APIs, names a WebSocket API.
    ///
    /// ## Why it hurts
    ///
    /// `AWS::ApiGateway::` and `AWS::ApiGatewayV2::` are two services with separate IDs. The REST service knows no API
    /// with this ID and refuses the resource, and the stack rolls back.
    ///
    /// ## How to fix it
    ///
    /// Make it an `AWS::ApiGatewayV2::Authorizer`: `RestApiId` becomes `ApiId`, `Type` becomes `AuthorizerType:
    /// REQUEST`, `IdentitySource` becomes a list of `route.request.…`. Remove `AuthorizerResultTtlInSeconds` (row A11).
    id: "SG125",
    name: "rest-authorizer-on-websocket",
    severity: Error,
    confidence: High,
    rows: ["F6", "A11"],
    fixable: false,
    example: "authorizers/rest_authorizer_on_websocket.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let resources = context.model.resources.values().map(AsRef::as_ref);
    let rest = resources.filter(|resource| is_rest_authorizer_of_v2(context.model, resource));
    rest.map(resource_finding).collect()
}

fn resource_finding(resource: &Resource) -> Finding {
    let message = format!(
        "{} is an authorizer for REST APIs, but its API is not a REST API",
        resource.logical_id
    );
    Finding::new(&RULE, Location::of(resource, &["RestApiId"]), message).hint(
        "make it an `AWS::ApiGatewayV2::Authorizer`, with `ApiId` and `AuthorizerType: REQUEST`",
    )
}
