use crate::context::RuleContext;
use crate::facts::endpoints::{Endpoint, EndpointHost};
use crate::facts::environment::{self, EnvironmentVariable};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// The management endpoint in a function's environment belongs to an API without WebSockets.
    ///
    /// ## Why it hurts
    ///
    /// Only WebSocket APIs have `@connections`. An HTTP API treats the request as an unknown route and answers 404; a
    /// REST API answers 403. No message reaches a client.
    ///
    /// This rule checks variables of functions behind a WebSocket API whose names mention management or WebSockets, and
    /// an endpoint or URL.
    ///
    /// ## How to fix it
    ///
    /// Build the address with the WebSocket API's ID and its stage.
    id: "SG512",
    name: "management-endpoint-of-another-api",
    severity: Error,
    confidence: Medium,
    rows: ["K5"],
    fixable: false,
    example: "management/management_endpoint_of_another_api.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let endpoints = context.facts.endpoints();
    let mut misdirected = endpoints.iter().filter(|it| is_misdirected(it)).peekable();
    if misdirected.peek().is_none() {
        return Vec::new();
    }
    let functions = context.facts.message_functions();
    let finding = |endpoint: &Endpoint<'_>| {
        let EndpointHost::Other(other) = endpoint.host else {
            return None;
        };
        let EnvironmentVariable { function, name, .. } = endpoint.variable;
        let id = &function.resource.logical_id;
        let api = functions.get(id)?.first()?.id.to()?;
        let other_id = &other.logical_id;
        let message =
            format!("{name} of {id} is the address of {other_id}, which is not a WebSocket API");
        let finding = Finding::new(&RULE, endpoint.variable.location(), message)
            .related(Location::of(other, &[]), "not a WebSocket API")
            .hint(format!(
                "write `${{{api}}}` and its stage, if it is for the management API"
            ));
        Some(finding)
    };
    environment::one_per_location(misdirected.filter_map(finding))
}

fn is_misdirected(endpoint: &Endpoint<'_>) -> bool {
    let name = endpoint.variable.name.to_ascii_uppercase();
    let has = |word: &str| name.contains(word);
    matches!(endpoint.host, EndpointHost::Other(_))
        && (has("MANAGEMENT") || has("MGMT") || has("WEBSOCKET"))
        && (has("ENDPOINT") || has("URL"))
}
