use stackgen_model::{Api, Protocol};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A WebSocket API has no route selection expression.
    ///
    /// ## Why it hurts
    ///
    /// HTTP APIs have a default expression, WebSocket APIs do not (row F1). API Gateway refuses the API with `Invalid
    /// routeSelectionExpression`, and the stack rolls back.
    ///
    /// ## How to fix it
    ///
    /// Set `RouteSelectionExpression: $request.body.action`, with the property that selects the route in your messages.
    id: "SG215",
    name: "route-selection-missing",
    severity: Error,
    confidence: High,
    rows: ["F1", "M1"],
    fixable: false,
    example: "routes/route_selection_missing.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    context.websockets().filter_map(check_api).collect()
}

fn check_api(api: &Api) -> Option<Finding> {
    let resource = api.resource.as_ref()?;
    if api.protocol != Protocol::WebSocket || api.route_selection_expression.is_some() {
        return None;
    }
    let message = format!(
        "API {} has no `RouteSelectionExpression`",
        resource.logical_id
    );
    let location = Location::of(resource, &["RouteSelectionExpression"]);
    let finding = Finding::new(&RULE, location, message);
    Some(finding.hint("set `RouteSelectionExpression`, for example to `$request.body.action`"))
}
