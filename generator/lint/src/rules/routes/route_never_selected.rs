use stackgen_model::{Api, Resource, Route};

use crate::context::RuleContext;
use crate::facts::presence::custom_key;
use crate::facts::selection_expression::SelectionExpression;
use crate::rule::rule;
use crate::{Finding, Location};

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

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    context.websockets().flat_map(check_api).collect()
}

fn check_api(api: &Api) -> Vec<Finding> {
    let Some(selection) = SelectionExpression::of_api(api) else {
        return Vec::new();
    };
    // An expression that reads nothing is a mistake of its own, found once and not at every route.
    if selection.constant().is_some() {
        return Vec::new();
    }
    // A key that begins with `$` is reserved, and that is what is wrong with it.
    let is_judged = |route: &&Route| custom_key(route).is_some_and(|key| !key.starts_with('$'));
    let judged: Vec<_> = api.routes.iter().filter(is_judged).collect();
    let never = judged.iter().copied();
    let never: Vec<_> = never
        .filter(|route| !selection.can_produce(route.key.as_str()))
        .collect();
    match (&api.resource, never.as_slice()) {
        // When none is ever selected, it is the expression that is wrong.
        (Some(api), [first, _, ..]) if never.len() == judged.len() => {
            vec![expression_finding(api, &selection, first)]
        }
        _ => never
            .into_iter()
            .map(|route| route_finding(api, &selection, route))
            .collect(),
    }
}

fn expression_finding(
    api: &Resource,
    selection: &SelectionExpression<'_>,
    route: &Route,
) -> Finding {
    let (expression, key) = (selection.expression, &route.key);
    let message = format!(
        "`{expression}` never comes to the key of a route, such as `{key}`: none but `$default` is ever selected"
    );
    Finding::new(
        &RULE,
        Location::of(api, &["RouteSelectionExpression"]),
        message,
    )
    .related(
        Location::of(&route.resource, &["RouteKey"]),
        "one of the routes",
    )
    .hint("take away the text around the expression's variables, or write every key with it")
}

fn route_finding(api: &Api, selection: &SelectionExpression<'_>, route: &Route) -> Finding {
    let (expression, key) = (selection.expression, &route.key);
    let message = format!("`{expression}` never comes to `{key}`: the route is never selected");
    let finding = Finding::new(&RULE, Location::of(&route.resource, &["RouteKey"]), message)
        .hint("write the key with the text that stands around the expression's variables");
    match &api.resource {
        Some(api) => finding.related(
            Location::of(api, &["RouteSelectionExpression"]),
            "the expression",
        ),
        None => finding,
    }
}
