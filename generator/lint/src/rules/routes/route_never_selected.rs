use stackgen_model::{Api, Resource, Route};

use crate::context::RuleContext;
use crate::facts::presence::custom_key;
use crate::facts::selection_expression::SelectionExpression;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A route has a key that the selection expression can never produce.
    ///
    /// ## Why it hurts
    ///
    /// The text around the variables of a selection expression is part of every value that it produces (row M1): the
    /// value of `${request.body.service}/${request.body.action}` always contains a `/`, even for a message without
    /// these properties. A key without it is never selected. Its messages go to `$default` or are answered with a
    /// `Forbidden` frame (rows M2, M3).
    ///
    /// ## How to fix it
    ///
    /// Add the text of the expression to the key, or change the expression.
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
    // Another rule reports an expression without variables, once and not per route.
    if selection.constant().is_some() {
        return Vec::new();
    }
    // Another rule reports a reserved key, which begins with `$`.
    let is_custom = |route: &&Route| custom_key(route).is_some_and(|key| !key.starts_with('$'));
    let custom: Vec<_> = api.routes.iter().filter(is_custom).collect();
    let never = custom.iter().copied();
    let never: Vec<_> = never
        .filter(|route| !selection.can_produce(route.key.as_str()))
        .collect();
    match (&api.resource, never.as_slice()) {
        // If no route can be selected, the expression is wrong.
        (Some(api), [first, _, ..]) if never.len() == custom.len() => {
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
        "`{expression}` never produces the key of a route, such as `{key}`: only `$default` is ever selected"
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
    .hint("remove the text around the expression's variables, or add it to every key")
}

fn route_finding(api: &Api, selection: &SelectionExpression<'_>, route: &Route) -> Finding {
    let (expression, key) = (selection.expression, &route.key);
    let message = format!("`{expression}` never produces `{key}`: the route is never selected");
    let finding = Finding::new(&RULE, Location::of(&route.resource, &["RouteKey"]), message)
        .hint("add the text around the expression's variables to the key");
    match &api.resource {
        Some(api) => finding.related(
            Location::of(api, &["RouteSelectionExpression"]),
            "the expression",
        ),
        None => finding,
    }
}
