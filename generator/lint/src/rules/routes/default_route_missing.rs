use stackgen_model::Api;

use crate::context::Context;
use crate::facts::presence::{Sight, custom_key, has_route};
use crate::facts::selection::Selection;
use crate::rule::rule;
use crate::{Finding, Place};

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

fn check(context: &Context<'_>) -> Vec<Finding> {
    let sight = context.facts.route_visibility();
    let apis = context.websockets();
    apis.filter_map(|api| of_api(sight, api)).collect()
}

fn of_api(sight: &Sight<'_>, api: &Api) -> Option<Finding> {
    if has_route(api, "$default") || !sight.tells_every_route(api) {
        return None;
    }
    let mut custom = api.routes.iter().filter_map(custom_key);
    let first = custom.next()?;
    // What reads nothing sends every message one way: there is no other message.
    let selection = Selection::of_routes(api)?;
    if selection.fixed().is_some() {
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
        Finding::new(&RULE, Place::of(resource, &[]), message)
            .hint("add a `$default` route whose function answers what no other route takes"),
    )
}
