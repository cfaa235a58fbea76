use stackgen_model::ProblemKind;

use crate::Finding;
use crate::context::RuleContext;
use crate::rule::rule;

rule! {
    /// A route key of an `AWS::Serverless::WebSocketApi` contains characters other than letters and digits.
    ///
    /// ## Why it hurts
    ///
    /// SAM derives a route's logical ID from its key. Apart from `$connect`, `$disconnect` and `$default` it accepts
    /// only letters and digits. The transform fails with `Route key 'send-message' must be alphanumeric. Only $connect,
    /// $disconnect, and $default special routes are supported.`, and nothing is deployed. API Gateway itself has no
    /// such rule.
    ///
    /// ## How to fix it
    ///
    /// Rename the route and the value that clients send: `sendMessage`. If clients cannot change, write the route as an
    /// `AWS::ApiGatewayV2::Route` with its integration and permission.
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
