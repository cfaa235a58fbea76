use stackgen_model::{Route, Text};

use crate::context::RuleContext;
use crate::facts::authorization::removed_type;
use crate::facts::settings;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// `$connect` was authorized in the earlier revision, and its type is removed instead of set to `NONE`.
    ///
    /// ## Why it hurts
    ///
    /// CloudFormation reports success and changes nothing: a route whose `AuthorizationType` is removed keeps its
    /// authorizer (section 6 of the reference). Callers who should be let in are still refused, and an authorizer that
    /// is removed together with it stays: `Cannot delete authorizer '…', is referenced in route`.
    ///
    /// ## How to fix it
    ///
    /// Write `AuthorizationType: NONE` if everybody may connect, or put type and `AuthorizerId` back. Seen with
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
    let had = had.as_literal().unwrap_or("an authorization type");
    let message = format!(
        "`$connect` had `{had}` in the earlier revision and keeps it, because no type is written"
    );
    let hint = match settings::is_generated(&route.resource) {
        true => "write `Auth: {AuthType: NONE}` if everybody may connect",
        false => "write `AuthorizationType: NONE` if everybody may connect",
    };
    Finding::new(&RULE, Location::of(&route.resource, &[]), message).hint(hint)
}
