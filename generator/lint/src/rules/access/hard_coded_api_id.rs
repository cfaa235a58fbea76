use stackgen_model::{Api, LogicalId, Text};

use crate::context::Context;
use crate::facts::connections::{self, MANAGE};
use crate::facts::environment::{self, Endpoint, Host, Purpose, Scheme, Variable};
use crate::facts::policies::{self, Statement};
use crate::rule::rule;
use crate::{Finding, Place};

rule! {
    /// The id of an API is written in, although the template has the API.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway gives an API its id when it is created. A copy of the stack in another account, region or environment,
    /// and this one after the API was replaced, has another API: functions then post to the old one, and are answered 403
    /// or 410 (rows K4, K5), or to another environment's clients.
    ///
    /// It is told of addresses of WebSocket APIs in the environment of functions and of what roles may manage the
    /// connections of. An API of another stack may be meant: then hand its id in as a parameter or an import.
    ///
    /// ## How to fix it
    ///
    /// Write `${Api}` in the place of the id, inside of `!Sub`.
    id: "SG511",
    name: "hard-coded-api-id",
    severity: Warning,
    confidence: Medium,
    rows: ["K4", "K5"],
    fixable: false,
    example: "access/hard_coded_api_id.diff",
}

fn check(context: &Context<'_>) -> Vec<Finding> {
    let own = |api: &Api| api.resource.as_ref().and(api.id.to().cloned());
    let Some(api) = context.websockets().find_map(own) else {
        return Vec::new();
    };
    let endpoints = environment::endpoints(context);
    let told = endpoints
        .iter()
        .filter(|endpoint| is_of_websocket(endpoint));
    let told = told.map(|endpoint| {
        let Variable { function, name, .. } = endpoint.variable;
        let what = format!("{name} of {}", function.resource.logical_id);
        of(&what, endpoint.variable.place(), &api)
    });
    let statements = policies::allowing(context.model);
    let about = statements.iter().filter(|it| connections::is_about(it));
    let granted = about.flat_map(|statement| of_statement(statement, &api));
    environment::one_a_place(told.chain(granted))
}

fn of(what: &str, place: Place, api: &LogicalId) -> Finding {
    let message = format!("{what} has the id of an API written in");
    Finding::new(&RULE, place, message).hint(format!(
        "write `${{{api}}}` in its place, if {api} is meant"
    ))
}

fn is_of_websocket(endpoint: &Endpoint<'_>) -> bool {
    let name = endpoint.variable.name.to_ascii_uppercase();
    matches!(endpoint.host, Host::Literal)
        && (endpoint.scheme == Scheme::WebSocket
            || Purpose::of(&name) == Purpose::Management
            || name.contains("WEBSOCKET"))
}

fn of_statement(statement: &Statement<'_>, api: &LogicalId) -> Vec<Finding> {
    let literal = statement.resources().filter(|(text, _)| has_id(text));
    let what = format!(
        "a resource of `{MANAGE}` in {}",
        statement.resource.logical_id
    );
    literal.map(|(_, place)| of(&what, place, api)).collect()
}

/// Whether the ARN of an API is that of an id.
fn has_id(arn: &Text) -> bool {
    let resource = arn
        .split_once(":execute-api:")
        .and_then(|(_, rest)| Some(rest.split_once(":")?.1.split_once(":")?.1));
    let id = resource.and_then(|resource| Some(resource.split_once("/")?.0));
    id.is_some_and(|id| id.as_literal().is_some_and(environment::is_api_id))
}
