use stackgen_model::ProblemKind;

use crate::Finding;
use crate::context::RuleContext;
use crate::rule::rule;

rule! {
    /// A route key of an `AWS::Serverless::WebSocketApi` has other characters than letters and digits.
    ///
    /// ## Why it hurts
    ///
    /// SAM makes a route's logical id of its key, and takes letters and digits alone beside `$connect`, `$disconnect` and
    /// `$default`. The transform fails with `Route key 'send-message' must be alphanumeric. Only $connect, $disconnect,
    /// and $default special routes are supported.`, and nothing is deployed. API Gateway itself has no such rule.
    ///
    /// ## How to fix it
    ///
    /// Rename the route and what clients send: `sendMessage`. Where clients cannot change, write the route out as
    /// `AWS::ApiGatewayV2::Route`, with its integration and permission.
    id: "SG221",
    name: "sam-route-key-refused",
    severity: Error,
    confidence: High,
    rows: [],
    fixable: false,
    example: "routes/sam_route_key_refused.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    super::check_problems(&RULE, context, ProblemKind::RouteKeyRefused)
}
