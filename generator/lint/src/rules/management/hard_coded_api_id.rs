use std::collections::HashSet;
use std::sync::Arc;

use stackgen_model::{Api, LogicalId, Resource, Text};

use crate::context::RuleContext;
use crate::facts::connection_arns::{self, MANAGE_CONNECTIONS};
use crate::facts::endpoints::{self, Endpoint, EndpointHost, Purpose, Scheme};
use crate::facts::environment::{self, EnvironmentVariable};
use crate::facts::permissions;
use crate::facts::policies::PolicyStatement;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// The id of an API is written in, although the template has the API.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway gives an API its id when it is created. A copy of the stack in another account, region or environment,
    /// and this one after the API was replaced, has another API: functions then post to the old one, and are answered 403
    /// or 410 (rows K4, K5), or to another environment's clients.
    ///
    /// It is told of addresses of WebSocket APIs in the environment of functions, of what roles may manage the
    /// connections of, and of the sources of permissions for the API's functions, where no other permission admits the API:
    /// then the API of a copy may not invoke them (rows C7, A16). An API of another stack may be meant: then hand its id in as a parameter or an import.
    ///
    /// ## How to fix it
    ///
    /// Write `${Api}` in the place of the id, inside of `!Sub`.
    id: "SG511",
    name: "hard-coded-api-id",
    severity: Warning,
    confidence: Medium,
    rows: ["K4", "K5", "C7", "A16"],
    fixable: false,
    example: "management/hard_coded_api_id.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let own = |api: &Api| api.resource.as_ref().and(api.id.to().cloned());
    let Some(api) = context.websockets().find_map(own) else {
        return Vec::new();
    };
    let endpoints = context.facts.endpoints();
    let told = endpoints
        .iter()
        .filter(|endpoint| is_of_websocket(endpoint));
    let told = told.map(|endpoint| {
        let EnvironmentVariable { function, name, .. } = endpoint.variable;
        let what = format!("{name} of {}", function.resource.logical_id);
        id_finding(&what, endpoint.variable.location(), &api)
    });
    let statements = context.facts.policy_statements();
    let about = statements
        .iter()
        .filter(|it| connection_arns::allows_managing(it));
    let granted = about.flat_map(|statement| check_statement(statement, &api));
    let admitted = check_permissions(context, &api);
    environment::one_per_location(told.chain(granted).chain(admitted))
}

/// FunctionPermissions for an id alone: beside one for the template's own API, such an id is that of another stack's.
fn check_permissions(context: &RuleContext<'_>, api: &LogicalId) -> Vec<Finding> {
    let called = context.facts.called_functions();
    let (mut literal, mut admitting) = (Vec::new(), HashSet::new());
    for permission in &context.model.permissions {
        let function = permission.function.function.to();
        let Some(function) = function.filter(|function| called.contains_key(function)) else {
            continue;
        };
        match &permission.source_arn {
            Some(arn) if has_id(arn) => literal.push((function, &permission.resource)),
            _ if permissions::is_for_api_gateway(permission) => drop(admitting.insert(function)),
            _ => {}
        }
    }
    literal.retain(|(function, _)| !admitting.contains(function));
    let of_permission = |(_, permission): (_, &Arc<Resource>)| {
        let what = format!("the source of {}", permission.logical_id);
        id_finding(&what, Location::of(permission, &["SourceArn"]), api)
    };
    literal.into_iter().map(of_permission).collect()
}

fn id_finding(what: &str, location: Location, api: &LogicalId) -> Finding {
    let message = format!("{what} has the id of an API written in");
    Finding::new(&RULE, location, message).hint(format!(
        "write `${{{api}}}` in its place, if {api} is meant"
    ))
}

fn is_of_websocket(endpoint: &Endpoint<'_>) -> bool {
    let name = endpoint.variable.name.to_ascii_uppercase();
    matches!(endpoint.host, EndpointHost::Literal)
        && is_of_stage(endpoint.path.as_ref())
        && (endpoint.scheme == Scheme::WebSocket
            || Purpose::of(&name) == Purpose::Management
            || name.contains("WEBSOCKET"))
}

/// Whether a path is no longer than that of a stage and its connections: more is the path of an HTTP or REST API.
fn is_of_stage(path: Option<&Text>) -> bool {
    let rest = path.and_then(|path| path.split_once("/"));
    rest.is_none_or(|(_, rest)| rest == Text::new() || rest.strip_prefix("@connections").is_some())
}

fn check_statement(statement: &PolicyStatement<'_>, api: &LogicalId) -> Vec<Finding> {
    let literal = statement.resources().filter(|(text, _)| has_id(text));
    let what = format!(
        "a resource of `{MANAGE_CONNECTIONS}` in {}",
        statement.resource.logical_id
    );
    literal
        .map(|(_, location)| id_finding(&what, location, api))
        .collect()
}

/// Whether the ARN of an API is that of an id.
fn has_id(arn: &Text) -> bool {
    let resource = arn
        .split_once(":execute-api:")
        .and_then(|(_, rest)| Some(rest.split_once(":")?.1.split_once(":")?.1));
    let id = resource.and_then(|resource| Some(resource.split_once("/")?.0));
    id.is_some_and(|id| id.as_literal().is_some_and(endpoints::is_api_id))
}
