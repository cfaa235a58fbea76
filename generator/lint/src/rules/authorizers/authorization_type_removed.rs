use stackgen_model::{Route, Text};

use crate::context::RuleContext;
use crate::facts::authorization::removed_type;
use crate::facts::settings;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// The `AuthorizationType` of `$connect` is removed, instead of set to `NONE`.
    ///
    /// ## Why it hurts
    ///
    /// CloudFormation reports success and changes nothing: a route whose `AuthorizationType` is removed keeps its
    /// authorizer (section 6 of the reference). API Gateway still refuses callers who should get in. If the template
    /// removes the authorizer too, it cannot be deleted: `Cannot delete authorizer '…', is referenced in route`.
    ///
    /// ## How to fix it
    ///
    /// Write `AuthorizationType: NONE` if everyone may connect, or restore the type and `AuthorizerId`. This rule needs
    /// `--previous`.
    id: "SG122",
    name: "authorization-type-removed",
    severity: Error,
    confidence: High,
    rows: ["F2"],
    fixable: false,
    example: "authorizers/authorization_type_removed.diff",
    compares: true,
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let connects = context
        .websockets()
        .flat_map(|api| &api.routes)
        .filter(|route| route.key.is_connect());
    connects
        .filter_map(|route| Some(route_finding(route, &removed_type(&context.facts, route)?)))
        .collect()
}

fn route_finding(route: &Route, had: &Text) -> Finding {
    let had = had.as_literal().unwrap_or("…");
    let message = format!(
        "`$connect` keeps `AuthorizationType: {had}` of the earlier revision: removing the property does not reset it"
    );
    let hint = match settings::is_generated(&route.resource) {
        true => "write `Auth: {AuthType: NONE}` if everyone may connect",
        false => "write `AuthorizationType: NONE` if everyone may connect",
    };
    Finding::new(&RULE, Location::of(&route.resource, &[]), message).hint(hint)
}
