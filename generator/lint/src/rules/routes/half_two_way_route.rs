use std::sync::Arc;

use stackgen_model::{Api, Model, Resource, Route, Text};

use crate::context::RuleContext;
use crate::facts::presence::{exists_with_api, known_key};
use crate::facts::role_rights;
use crate::rule::rule;
use crate::{Confidence, Finding, Location, Severity};

rule! {
    /// A route is only half configured to answer.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway sends what a function returns to the client only if the route has `RouteResponseSelectionExpression:
    /// $default` **and** a route response `$default` (row M8). With only one of them nothing is sent and nothing is
    /// logged: the client waits for an answer that the function has returned. SAM's `RouteResponseSelectionExpression`
    /// creates only the first half.
    ///
    /// Sources disagree about a route response without the expression: AWS documents both, but patterns of AWS's own have
    /// only the response, and their pages show the answers that clients got. This is a note. An expression without a response
    /// is a warning if the function may post to connections, because it may send its answers that way.
    ///
    /// ## How to fix it
    ///
    /// Set the expression to `$default` and add an `AWS::ApiGatewayV2::RouteResponse` with `RouteResponseKey:
    /// $default`, on which the deployment must depend (row F7). For a one-way route remove both, and answer with
    /// PostToConnection.
    id: "SG211",
    name: "half-two-way-route",
    severity: Error,
    confidence: High,
    rows: ["M8", "F5", "F7"],
    fixable: false,
    example: "routes/half_two_way_route.diff",
}

const SELECTION: &str = "RouteResponseSelectionExpression";

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    // A response whose route is unknown may belong to any route.
    let responses = context.model.resources.values();
    let mut responses = responses.filter(|it| it.kind == "AWS::ApiGatewayV2::RouteResponse");
    let has_stray = responses.any(|response| !names_a_route(response));
    let of_api = |api| -> Vec<Finding> {
        let is_complete = context.is_complete(api) && !has_stray;
        api.routes
            .iter()
            .filter_map(|route| check_route(context.model, api, is_complete, route))
            .collect()
    };
    context.websockets().flat_map(of_api).collect()
}

/// Returns true if the function of a route may post to connections.
fn answers_with_posts(model: &Model, api: &Api, route: &Route) -> bool {
    let mut integrations = api.integrations.iter();
    let target = route.target.to();
    let called = integrations.find(|it| target == Some(&it.resource.logical_id));
    let function = called.and_then(|called| called.function.function.to());
    function.is_some_and(|function| role_rights::may_post(model, function))
}

fn names_a_route(response: &Arc<Resource>) -> bool {
    let route = response.properties.text("RouteId");
    route.is_some_and(|route| route.as_reference().is_some())
}

fn check_route(model: &Model, api: &Api, is_complete: bool, route: &Route) -> Option<Finding> {
    // API Gateway reads only the status of the response to a handshake, and after `$disconnect` nobody is connected.
    let key = known_key(route).filter(|key| !["$connect", "$disconnect"].contains(key))?;
    let location = Location::of(&route.resource, &[SELECTION]);
    let expression = route.route_response_selection_expression.as_ref();
    let response = route.responses.first();
    match (expression.map(Text::as_literal), response) {
        (Some(Some(other)), _) if !["$default", "\\$default"].contains(&other) => {
            let message = format!(
                "`{other}` selects no response of route `{key}`: the only possible response is `$default`"
            );
            Some(Finding::new(&RULE, location, message).hint("write `$default`"))
        }
        (Some(Some(_)), None) if is_complete => {
            let message = format!(
                "route `{key}` selects the response `$default` but has none: the function's result is not sent"
            );
            let hint = format!(
                "add an `AWS::ApiGatewayV2::RouteResponse` with `RouteId: !Ref {}` and `RouteResponseKey: $default`",
                route.resource.logical_id
            );
            let finding = Finding::new(&RULE, location, message).hint(hint);
            Some(match answers_with_posts(model, api, route) {
                true => Finding {
                    severity: Severity::Warning,
                    ..finding
                },
                false => finding,
            })
        }
        (None, Some(response)) if exists_with_api(api, &response.resource) => {
            let message = format!(
                "route `{key}` has a response but does not select it: the result of its integration may not be sent"
            );
            let finding = Finding::new(&RULE, location, message).with_confidence(Confidence::Low);
            let related = Location::of(&response.resource, &[]);
            Some(
                finding
                    .related(related, "the response")
                    .hint(format!("set `{SELECTION}: $default`")),
            )
        }
        _ => None,
    }
}
