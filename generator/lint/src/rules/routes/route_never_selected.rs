use stackgen_model::Api;

use crate::context::Context;
use crate::facts::presence::custom_key;
use crate::facts::selection::Selection;
use crate::rule::rule;
use crate::{Finding, Place};

rule! {
    /// A route has a key that the selection expression can never come to.
    ///
    /// ## Why it hurts
    ///
    /// What stands around the variables of a selection expression is in every value that it comes to (row M1):
    /// `${request.body.service}/${request.body.action}` always has a `/`, also for a message that has neither property. A key
    /// without it is never selected. Its messages go to `$default`, or are answered with a `Forbidden` frame (rows M2, M3).
    ///
    /// ## How to fix it
    ///
    /// Write the key with the text of the expression, or change the expression.
    id: "SG219",
    name: "route-never-selected",
    severity: Error,
    confidence: High,
    rows: ["M1", "M2", "M3"],
    fixable: false,
    example: "routes/route_never_selected.diff",
}

fn check(context: &Context<'_>) -> Vec<Finding> {
    context.websockets().flat_map(of_api).collect()
}

fn of_api(api: &Api) -> Vec<Finding> {
    let Some(selection) = Selection::of_routes(api) else {
        return Vec::new();
    };
    // An expression that reads nothing is a mistake of its own, found once and not at every route.
    if selection.fixed().is_some() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for route in &api.routes {
        // A key that begins with `$` is reserved, and that is what is wrong with it.
        let Some(key) = custom_key(route).filter(|key| !key.starts_with('$')) else {
            continue;
        };
        if selection.can_yield(key) {
            continue;
        }
        let expression = selection.expression;
        let message = format!("`{expression}` never comes to `{key}`: the route is never selected");
        let finding = Finding::new(&RULE, Place::of(&route.resource, &["RouteKey"]), message)
            .hint("write the key with the text that stands around the expression's variables");
        findings.push(match &api.resource {
            Some(api) => finding.related(
                Place::of(api, &["RouteSelectionExpression"]),
                "the expression",
            ),
            None => finding,
        });
    }
    findings
}
