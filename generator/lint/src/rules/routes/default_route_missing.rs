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
    /// A message that is not JSON, that lacks the property of the selection expression, or whose value matches no route
    /// goes to `$default` (row M2). Without it the client gets the frame `{"message": "Forbidden", …}` and stays
    /// connected (row M3). A misspelled action looks like an authorization failure, and no function is invoked and no
    /// log of the stack shows it.
    ///
    /// The finding is a note: the template does not show which messages clients send, and an API whose clients send only
    /// messages with a route needs no other.
    ///
    /// ## How to fix it
    ///
    /// Add a `$default` route whose function answers unknown messages with a clear error.
    id: "SG203",
    name: "default-route-missing",
    severity: Note,
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
    // An expression without variables sends every message to one route.
    let selection = SelectionExpression::of_api(api)?;
    if selection.constant().is_some() {
        return None;
    }
    let resource = api.resource.as_ref()?;
    let id = &resource.logical_id;
    let others = custom.count();
    let mismatch = match others {
        0 => format!("does not match `{first}`"),
        1 => format!("matches neither `{first}` nor the other route"),
        _ => format!("matches neither `{first}` nor the other {others} routes"),
    };
    let message = format!(
        "API {id} has no `$default` route: a message that {mismatch} is answered with `Forbidden`"
    );
    let finding = Finding::new(&RULE, Location::of(resource, &[]), message);
    Some(finding.hint("add a `$default` route whose function answers all other messages"))
}
