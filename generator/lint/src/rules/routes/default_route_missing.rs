use stackgen_model::Api;

use crate::context::RuleContext;
use crate::facts::presence::{custom_key, has_route};
use crate::facts::route_visibility::RouteVisibility;
use crate::facts::selection_expression::SelectionExpression;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// An API with routes for messages has no `$default` route.
    ///
    /// ## Why it hurts
    ///
    /// A message that is no JSON, that lacks what the selection expression reads, or whose value no route has, goes to
    /// `$default` (row M2). Without it the client gets the frame `{"message": "Forbidden", …}` and stays connected (row M3):
    /// a misspelt action looks like a failure of authorization, and no function and no log of the stack's own hears of it.
    ///
    /// ## How to fix it
    ///
    /// Add a `$default` route. Its function can answer what it does not know with an error that says so.
    id: "SG203",
    name: "default-route-missing",
    severity: Warning,
    confidence: Medium,
    rows: ["M2", "M3"],
    fixable: false,
    example: "routes/default_route_missing.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let visibility = context.facts.route_visibility();
    let apis = context.websockets();
    apis.filter_map(|api| check_api(visibility, api)).collect()
}

fn check_api(visibility: &RouteVisibility<'_>, api: &Api) -> Option<Finding> {
    if has_route(api, "$default") || !visibility.shows_every_route(api) {
        return None;
    }
    let mut custom = api.routes.iter().filter_map(custom_key);
    let first = custom.next()?;
    // What reads nothing sends every message one way: there is no other message.
    let selection = SelectionExpression::of_api(api)?;
    if selection.constant().is_some() {
        return None;
    }
    let resource = api.resource.as_ref()?;
    let id = &resource.logical_id;
    let others = custom.count();
    let routes = match others {
        0 => format!("`{first}`"),
        1 => format!("`{first}` or the other route"),
        _ => format!("`{first}` or the other {others} routes"),
    };
    let message = format!(
        "API {id} has no `$default` route: a message that is not for {routes} is answered `Forbidden`"
    );
    Some(
        Finding::new(&RULE, Location::of(resource, &[]), message)
            .hint("add a `$default` route whose function answers what no other route takes"),
    )
}
