use stackgen_model::ProblemKind;

use crate::Finding;
use crate::context::RuleContext;
use crate::rule::rule;

rule! {
    /// SAM refuses an `AWS::Serverless::WebSocketApi`.
    ///
    /// ## Why it hurts
    ///
    /// SAM's transform checks the resource and fails with `Invalid Serverless Application Specification document`, for
    /// example because a route has no `FunctionArn`, because `Auth` has settings that its `AuthType` does not allow, or
    /// because `RouteSettings` is a list. Nothing is deployed.
    ///
    /// ## How to fix it
    ///
    /// Correct the property as the finding says. Mistakes that other rules explain, such as a route key that is not
    /// alphanumeric, are reported by those.
    id: "SG222",
    name: "sam-websocket-api-refused",
    severity: Error,
    confidence: High,
    rows: [],
    fixable: false,
    example: "routes/sam_websocket_api_refused.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    super::check_problems(&RULE, context, ProblemKind::SamRefused)
}
