use stackgen_model::{Api, Route};

use crate::context::RuleContext;
use crate::facts::presence::{custom_key, exists_with_api};
use crate::facts::selection_expression::SelectionExpression;
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// The route selection expression reads nothing of a message, although routes wait to be selected by it.
    ///
    /// ## Why it hurts
    ///
    /// An expression without a variable, such as `request.body.action` without its `$`, comes to the same text for every
    /// message (row M1). One of headers or of a query string comes to nothing, since messages have neither (row E2). All
    /// messages go one way, to `$default`, or are answered with a `Forbidden` frame (rows M2, M3), and no other route's function
    /// is ever called.
    ///
    /// ## How to fix it
    ///
    /// Write `$request.body.action`, with the property by which clients say what they want. An API that has `$default` alone
    /// may well select statically.
    id: "SG214",
    name: "static-route-selection",
    severity: Error,
    confidence: High,
    rows: ["M1", "M2", "M3", "E2"],
    fixable: true,
    example: "routes/static_route_selection.diff",
}

const EXPRESSION: &str = "RouteSelectionExpression";

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    context.websockets().filter_map(check_api).collect()
}

fn check_api(api: &Api) -> Option<Finding> {
    let resource = api.resource.as_ref()?;
    let selection = SelectionExpression::of_api(api)?;
    let (why, fixed) = match selection.constant() {
        Some(text) => ("is the same for every message", text),
        None if reads_the_handshake(&selection) => ("reads what no message has", ""),
        None => return None,
    };
    let dead = |route: &&Route| {
        let key = custom_key(route).filter(|&key| key != fixed);
        key.is_some() && exists_with_api(api, &route.resource)
    };
    let route = api.routes.iter().find(dead)?;
    let expression = selection.expression;
    let message = format!(
        "`{expression}` {why}: route `{}` is never selected",
        route.key
    );
    let location = Location::of(resource, &[EXPRESSION]);
    let finding = Finding::new(&RULE, location, message).related(
        Location::of(&route.resource, &["RouteKey"]),
        "never selected",
    );
    if !expression.starts_with("request.body.") {
        let finding = finding.hint("read a property of the message: `$request.body.action`");
        return Some(match selection.constant() {
            Some(_) => finding,
            None => finding.with_confidence(Confidence::Medium),
        });
    }
    let right = format!("${expression}");
    let edit = fix::replace(resource, &[EXPRESSION], right.as_str());
    let title = format!("write the expression as `{right}`");
    Some(
        finding
            .hint(format!("write `{right}`"))
            .fix(Fix::one(title, edit)),
    )
}

fn reads_the_handshake(selection: &SelectionExpression<'_>) -> bool {
    let of_handshake = ["request.header.", "request.querystring."];
    let mut variables = selection.variables.iter();
    variables.all(|name| of_handshake.iter().any(|prefix| name.starts_with(prefix)))
}
