use stackgen_model::ProblemKind;

use crate::Finding;
use crate::context::RuleContext;
use crate::rule::rule;

rule! {
    /// Two route keys of an `AWS::Serverless::WebSocketApi` result in the same logical ID.
    ///
    /// ## Why it hurts
    ///
    /// SAM derives a route's logical ID from its key: it removes `$`, writes the first letter in upper case and the
    /// rest in lower case. So `$connect` and `connect`, or `joinSession` and `joinsession`, become one resource, and
    /// the later one replaces the earlier one without a warning. The stack deploys, and a route is missing, possibly
    /// `$connect` with its authorizer.
    ///
    /// ## How to fix it
    ///
    /// Rename one of them so that they differ in more than case and `$`, or write the routes as
    /// `AWS::ApiGatewayV2::Route`.
    id: "SG213",
    name: "sam-route-keys-collide",
    severity: Error,
    confidence: High,
    rows: [],
    fixable: false,
    example: "routes/sam_route_keys_collide.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    super::check_problems(&RULE, context, ProblemKind::RouteKeysCollide)
}
