use crate::context::RuleContext;
use crate::facts::endpoints::{Endpoint, EndpointHost};
use crate::facts::environment::{self, EnvironmentVariable};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// The management endpoint that a function is told is that of an API without WebSockets.
    ///
    /// ## Why it hurts
    ///
    /// `@connections` is there at WebSocket APIs alone. An HTTP API takes the request for one to a route that it does not
    /// have, and answers 404; a REST API answers 403. No message reaches a client.
    ///
    /// It is told of variables of functions behind a WebSocket API whose names speak of management or of WebSockets and of
    /// an address.
    ///
    /// ## How to fix it
    ///
    /// Build the address with the WebSocket API's id and its stage.
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
    let mut wrong = endpoints.iter().filter(|it| is_wrong(it)).peekable();
    if wrong.peek().is_none() {
        return Vec::new();
    }
    let behind = context.facts.message_functions();
    let finding = |endpoint: &Endpoint<'_>| {
        let EndpointHost::Other(other) = endpoint.host else {
            return None;
        };
        let EnvironmentVariable { function, name, .. } = endpoint.variable;
        let id = &function.resource.logical_id;
        let api = behind.get(id)?.first()?.id.to()?;
        let other_id = &other.logical_id;
        let message =
            format!("{name} tells {id} the address of {other_id}, which has no connections");
        let finding = Finding::new(&RULE, endpoint.variable.location(), message)
            .related(Location::of(other, &[]), "no WebSocket API")
            .hint(format!(
                "write `${{{api}}}` and its stage, if that is meant"
            ));
        Some(finding)
    };
    environment::one_per_location(wrong.filter_map(finding))
}

fn is_wrong(endpoint: &Endpoint<'_>) -> bool {
    let name = endpoint.variable.name.to_ascii_uppercase();
    let has = |word: &str| name.contains(word);
    matches!(endpoint.host, EndpointHost::Other(_))
        && (has("MANAGEMENT") || has("MGMT") || has("WEBSOCKET"))
        && (has("ENDPOINT") || has("URL"))
}
