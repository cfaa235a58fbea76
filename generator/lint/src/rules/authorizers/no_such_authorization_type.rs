use stackgen_model::{Route, Text};

use crate::context::RuleContext;
use crate::facts::authorization::{AuthorizationKind, authorization_kind};
use crate::facts::settings;
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A route has an `AuthorizationType` that API Gateway v2 does not know.
    ///
    /// ## Why it hurts
    ///
    /// `COGNITO_USER_POOLS` and `TOKEN` belong to REST APIs, and `REQUEST` is a type of authorizers. A route of a
    /// WebSocket API has `NONE`, `AWS_IAM` or `CUSTOM`, in capitals (row F2). API Gateway refuses any other value, and
    /// the stack rolls back.
    ///
    /// ## How to fix it
    ///
    /// Write `CUSTOM` and an `AuthorizerId` for a Lambda authorizer, also for one that verifies Cognito tokens. `--fix`
    /// only corrects upper and lower case.
    id: "SG126",
    name: "no-such-authorization-type",
    severity: Error,
    confidence: High,
    rows: ["A1", "F2"],
    fixable: true,
    example: "authorizers/no_such_authorization_type.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let routes = context.websockets().flat_map(|api| &api.routes);
    routes.filter_map(check_route).collect()
}

fn check_route(route: &Route) -> Option<Finding> {
    let word = route
        .authorization_type
        .as_ref()
        .and_then(Text::as_literal)?;
    if authorization_kind(route) != AuthorizationKind::Other {
        return None;
    }
    let path = ["AuthorizationType"];
    let known = ["NONE", "AWS_IAM", "CUSTOM"];
    let correct = known
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(word));
    let edit = correct.and_then(|correct| fix::replace(&route.resource, &path, correct));
    let message = format!(
        "route `{}` has `AuthorizationType: {word}`, which does not exist",
        route.key
    );
    let finding = Finding::new(&RULE, Location::of(&route.resource, &path), message)
        .hint(match correct {
            Some(correct) => format!("write `{correct}`"),
            None if route.key.is_connect() => {
                "write `CUSTOM`, with the `AuthorizerId` of a Lambda authorizer".to_owned()
            }
            None => "write `NONE`: only `$connect` can have authorization".to_owned(),
        })
        .fix(Fix::one("write the type in capitals", edit));
    Some(match settings::is_computed(&route.resource, &path) {
        true => settings::unless_overridden(finding),
        false => finding,
    })
}
