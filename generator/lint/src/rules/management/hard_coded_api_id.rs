use std::collections::HashSet;
use std::sync::Arc;

use stackgen_model::{Api, LogicalId, Resource, Text};

use crate::context::RuleContext;
use crate::facts::connection_arns::{self, MANAGE_CONNECTIONS};
use crate::facts::endpoints::{self, Endpoint, EndpointHost, Purpose, Scheme};
use crate::facts::environment::{self, EnvironmentVariable};
use crate::facts::permissions;
use crate::facts::policies::RoleStatement;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// The template contains the literal ID of an API, although it creates the API.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway generates an API's ID. In another account, region or environment, or after the API was replaced, the
    /// ID differs. Functions then post to the old API and get 403 or 410 (rows K4, K5), or reach clients of another
    /// environment.
    ///
    /// This rule checks addresses of WebSocket APIs in environment variables, resources of
    /// `execute-api:ManageConnections` in policies, and sources of permissions for the API's functions if no other
    /// permission allows the API: then the API of another stack may not invoke them (rows C7, A16). If the ID belongs
    /// to an API of another stack, pass it as a parameter or an import.
    ///
    /// ## How to fix it
    ///
    /// Write `${Api}` instead of the ID, in a `!Sub`.
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
    let in_variables = endpoints
        .iter()
        .filter(|endpoint| names_websocket_api(endpoint));
    let in_variables = in_variables.map(|endpoint| {
        let EnvironmentVariable { function, name, .. } = endpoint.variable;
        let subject = format!("{name} of {}", function.resource.logical_id);
        id_finding(&subject, endpoint.variable.location(), &api)
    });
    let statements = context.facts.policy_statements();
    let about = statements
        .iter()
        .filter(|it| connection_arns::allows_managing(it));
    let in_policies = about.flat_map(|statement| check_statement(statement, &api));
    let in_permissions = check_permissions(context, &api);
    environment::one_per_location(in_variables.chain(in_policies).chain(in_permissions))
}

/// Reports permissions for a literal ID. If another permission allows the template's API, the ID belongs to another stack.
fn check_permissions(context: &RuleContext<'_>, api: &LogicalId) -> Vec<Finding> {
    let called = context.facts.called_functions();
    let (mut literal, mut allowing) = (Vec::new(), HashSet::new());
    for permission in &context.model.permissions {
        let function = permission.function.function.to();
        let Some(function) = function.filter(|function| called.contains_key(function)) else {
            continue;
        };
        match &permission.source_arn {
            Some(arn) if has_id(arn) => literal.push((function, &permission.resource)),
            _ if permissions::is_for_api_gateway(permission) => drop(allowing.insert(function)),
            _ => {}
        }
    }
    literal.retain(|(function, _)| !allowing.contains(function));
    let finding = |(_, permission): (_, &Arc<Resource>)| {
        let subject = format!("the source of {}", permission.logical_id);
        id_finding(&subject, Location::of(permission, &["SourceArn"]), api)
    };
    literal.into_iter().map(finding).collect()
}

fn id_finding(subject: &str, location: Location, api: &LogicalId) -> Finding {
    let message = format!("{subject} contains the literal ID of an API");
    Finding::new(&RULE, location, message).hint(format!(
        "write `${{{api}}}` instead, if it is the ID of {api}"
    ))
}

fn names_websocket_api(endpoint: &Endpoint<'_>) -> bool {
    let name = endpoint.variable.name.to_ascii_uppercase();
    matches!(endpoint.host, EndpointHost::Literal)
        && is_stage_path(endpoint.path.as_ref())
        && (endpoint.scheme == Scheme::WebSocket
            || Purpose::of(&name) == Purpose::Management
            || name.contains("WEBSOCKET"))
}

/// Returns true for the path of a stage or of its connections. Longer paths belong to HTTP and REST APIs.
fn is_stage_path(path: Option<&Text>) -> bool {
    let rest = path.and_then(|path| path.split_once("/"));
    rest.is_none_or(|(_, rest)| rest == Text::new() || rest.strip_prefix("@connections").is_some())
}

fn check_statement(statement: &RoleStatement<'_>, api: &LogicalId) -> Vec<Finding> {
    let literal = statement.resources().filter(|(text, _)| has_id(text));
    let subject = format!(
        "a resource of `{MANAGE_CONNECTIONS}` in {}",
        statement.resource.logical_id
    );
    literal
        .map(|(_, location)| id_finding(&subject, location, api))
        .collect()
}

/// Returns true for the ARN of an API that contains a literal ID.
fn has_id(arn: &Text) -> bool {
    let resource = arn
        .split_once(":execute-api:")
        .and_then(|(_, rest)| Some(rest.split_once(":")?.1.split_once(":")?.1));
    let id = resource.and_then(|resource| Some(resource.split_once("/")?.0));
    id.is_some_and(|id| id.as_literal().is_some_and(endpoints::is_api_id))
}
