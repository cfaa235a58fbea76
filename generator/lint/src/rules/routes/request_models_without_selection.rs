use stackgen_model::{Resolved, Route};

use crate::context::RuleContext;
use crate::facts::presence::known_key;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A route has request models but no expression that selects one.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway validates messages only if the route has a `ModelSelectionExpression` whose value is a key of
    /// `RequestModels`. Without it nothing is validated: messages that should be answered with a `Bad request body`
    /// frame (row M6) reach the function.
    ///
    /// ## How to fix it
    ///
    /// Set `ModelSelectionExpression: $default` if the route has one model under the key `$default`, or to an
    /// expression that reads the message, such as `$request.body.kind`. API Gateway refuses a message whose key has no
    /// model, unless there is a `$default`.
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
        "route `{key}` has a request model `{first}` but does not select it: messages are not validated"
    );
    let location = Location::of(&route.resource, &["RequestModels"]);
    let hint = "set `ModelSelectionExpression` to an expression whose value is the key of a model";
    Some(Finding::new(&RULE, location, message).hint(hint))
}
