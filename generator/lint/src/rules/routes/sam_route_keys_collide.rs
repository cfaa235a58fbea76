use stackgen_model::ProblemKind;

use crate::Finding;
use crate::context::RuleContext;
use crate::rule::rule;

rule! {
    /// Two route keys of an `AWS::Serverless::WebSocketApi` come to one logical id.
    ///
    /// ## Why it hurts
    ///
    /// SAM makes a route's logical id of its key without `$`, the first letter raised and every other lowered, so that
    /// `$connect` and `connect`, or `joinSession` and `joinsession`, are one resource. The later takes the place of the
    /// earlier without a word: the stack is deployed and a route is missing, `$connect` and its authorizer among them.
    ///
    /// ## How to fix it
    ///
    /// Rename one of them so that they differ in more than case and `$`, or write the routes out as
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
