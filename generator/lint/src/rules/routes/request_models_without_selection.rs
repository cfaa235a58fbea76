use stackgen_model::{Resolved, Route};

use crate::context::RuleContext;
use crate::facts::presence::known_key;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A route has request models and no expression that selects one.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway holds a message against a model only when the route has a `ModelSelectionExpression`, which comes to a key
    /// of `RequestModels`. Without it nothing is validated: what should be answered with a `Bad request body` frame (row M6)
    /// goes to the function.
    ///
    /// ## How to fix it
    ///
    /// Set `ModelSelectionExpression: $default` where the route has one model under the key `$default`, or an expression that
    /// reads the message, such as `$request.body.kind`. A message whose key no model has is refused unless there is
    /// a `$default`.
    id: "SG220",
    name: "request-models-without-selection",
    severity: Warning,
    confidence: Medium,
    rows: ["M6"],
    fixable: false,
    example: "routes/request_models_without_selection.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let routes = context.websockets().flat_map(|api| &api.routes);
    routes.filter_map(check_route).collect()
}

fn check_route(route: &Route) -> Option<Finding> {
    let properties = &route.resource.properties;
    let models = properties.get("RequestModels").and_then(Resolved::as_map)?;
    let first = models.keys().next()?;
    let selected = properties.get("ModelSelectionExpression").is_some();
    let key = known_key(route).filter(|_| !selected)?;
    let message = format!(
        "route `{key}` has a request model `{first}` and selects none: no message is validated"
    );
    let location = Location::of(&route.resource, &["RequestModels"]);
    let hint = "set `ModelSelectionExpression` to what comes to the key of a model";
    Some(Finding::new(&RULE, location, message).hint(hint))
}
