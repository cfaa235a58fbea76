use std::collections::HashMap;

use stackgen_model::{Api, Integration, LogicalId, Route};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// An integration has responses, but every route that uses it is one-way.
    ///
    /// ## Why it hurts
    ///
    /// The client gets the response of an integration only on a two-way route, which has
    /// `RouteResponseSelectionExpression: $default` and a route response (row M8). On all others API Gateway drops it,
    /// whatever its status (row M7). The templates of the integration responses never run, clients wait for an answer,
    /// and nothing is logged.
    ///
    /// ## How to fix it
    ///
    /// Make the route two-way: set `RouteResponseSelectionExpression: $default` on the route and add an
    /// `AWS::ApiGatewayV2::RouteResponse` with `RouteResponseKey: $default`. If functions answer with PostToConnection,
    /// remove the integration responses.
    id: "SG309",
    name: "integration-response-on-one-way-route",
    severity: Warning,
    confidence: Medium,
    rows: ["M7", "M8"],
    fixable: false,
    example: "integrations/integration_response_on_one_way_route.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    context
        .websockets()
        .filter(|api| context.is_complete(api))
        .flat_map(check_api)
        .collect()
}

fn check_api(api: &Api) -> Vec<Finding> {
    let mut routes: HashMap<&LogicalId, Vec<&Route>> = HashMap::new();
    for route in &api.routes {
        if let Some(integration) = route.target.to() {
            routes.entry(integration).or_default().push(route);
        }
    }
    let finding = |integration: &Integration| {
        let response = integration.responses.first()?;
        let id = &integration.resource.logical_id;
        let routes = routes
            .get(id)
            .filter(|routes| routes.iter().all(|it| is_one_way(it)))?;
        let message = format!(
            "integration {id} has an integration response, but its route `{}` is one-way",
            routes.first()?.key
        );
        let location = Location::of(&response.resource, &[]);
        Some(
            Finding::new(&RULE, location, message)
                .related(Location::of(&routes.first()?.resource, &[]), "sends nothing back")
                .hint("set `RouteResponseSelectionExpression: $default` on the route and add a route response"),
        )
    };
    api.integrations.iter().filter_map(finding).collect()
}

/// Returns true if the client gets no response. Excludes `$connect`, whose status counts, `$disconnect`, after which nobody
/// is connected, and half-configured routes, which another rule reports.
fn is_one_way(route: &Route) -> bool {
    !matches!(route.key.as_str(), "$connect" | "$disconnect")
        && route.route_response_selection_expression.is_none()
        && route.responses.is_empty()
}
