use stackgen_cfn::r#ref;
use stackgen_model::{Api, Authorizer, Route};

use crate::context::RuleContext;
use crate::facts::authorization::{AuthorizationFault, authorization_fault, is_jwt};
use crate::facts::settings;
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// `$connect` has `AuthorizationType: CUSTOM` but no authorizer.
    ///
    /// ## Why it hurts
    ///
    /// `CUSTOM` requires a Lambda authorizer in `AuthorizerId`. Without it API Gateway refuses a new route (`Invalid
    /// authorizer ID specified`), and the stack rolls back. On an existing route the update fails or keeps an earlier
    /// authorizer that the template does not show.
    ///
    /// ## How to fix it
    ///
    /// Set `AuthorizerId` to the ID of an authorizer of the same API. `--fix` does this if the API has only one.
    id: "SG104",
    name: "custom-without-authorizer",
    severity: Error,
    confidence: High,
    rows: ["A1", "F2"],
    fixable: true,
    example: "authorizers/custom_without_authorizer.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let of_api = |api| move |route| check_route(context, api, route);
    let apis = context.websockets();
    apis.flat_map(|api| api.routes.iter().filter_map(of_api(api)))
        .collect()
}

fn check_route(context: &RuleContext<'_>, api: &Api, route: &Route) -> Option<Finding> {
    let Some(AuthorizationFault::NoAuthorizer) = authorization_fault(context.model, route) else {
        return None;
    };
    let resource = &route.resource;
    let message = "`$connect` has `AuthorizationType: CUSTOM` but no `AuthorizerId`";
    let finding = Finding::new(
        &RULE,
        Location::of(resource, &["AuthorizationType"]),
        message,
    );
    if settings::is_generated(resource) {
        return Some(finding.hint("set `AuthArn` in `Auth` to the function's ARN"));
    }
    Some(match only_one(api) {
        None => finding.hint("set `AuthorizerId` to the ID of an authorizer of this API"),
        Some(authorizer) => {
            let id = authorizer.resource.logical_id.as_str();
            let edit = fix::insert(resource, &[], "AuthorizerId", r#ref(id));
            finding
                .related(
                    Location::of(&authorizer.resource, &[]),
                    "the API's only authorizer",
                )
                .hint(format!("set `AuthorizerId: !Ref {id}`"))
                .fix(Fix::one(format!("set `AuthorizerId` to {id}"), edit))
        }
    })
}

/// Returns the API's only authorizer, if it always exists.
fn only_one(api: &Api) -> Option<&Authorizer> {
    match api.authorizers.as_slice() {
        [one] => (settings::condition(&one.resource).is_none() && !is_jwt(one)).then_some(one),
        _ => None,
    }
}
