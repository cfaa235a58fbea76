use stackgen_model::{Api, Grant, Integration, Link, Model, Resolved, Resource, Route};

use crate::context::RuleContext;
use crate::facts::connection_arns::MANAGE_CONNECTIONS;
use crate::facts::creation_order::visit_references;
use crate::facts::function_roles::{FunctionRoles, may_allow};
use crate::facts::presence::known_key;
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// Nothing in the stack can send anything to the clients of an API.
    ///
    /// ## Why it hurts
    ///
    /// Clients hear something if a function posts to their connections, which takes `execute-api:ManageConnections`
    /// (row K1), or if a route answers, which takes a route response (row M8). Here no role allows the one and no route
    /// has the other: clients can send messages, and nothing ever comes back. What functions return is dropped without
    /// an error (row M7), and a call of PostToConnection fails with 403.
    ///
    /// There is no finding if somebody else may post: a role with unknown policies, a role outside of the template, a
    /// function that hands work to other services, or a resource that receives the API's ID or address. If a function
    /// of the template is known to post, `manage-connections-missing` reports its role.
    ///
    /// ## How to fix it
    ///
    /// Allow `execute-api:ManageConnections` to a function that posts, or make a route answer with
    /// `RouteResponseSelectionExpression: $default` and a route response. If clients only send, suppress the finding. For
    /// an API without routes for messages it is a note.
    id: "SG517",
    name: "nothing-sent-to-clients",
    severity: Warning,
    confidence: Medium,
    rows: ["K1", "M7", "M8"],
    fixable: false,
    example: "management/nothing_sent_to_clients.diff",
}

/// Actions that hand work to somebody else, who may post.
const HANDS_OVER: &[&str] = &[
    "ecs:RunTask",
    "events:PutEvents",
    "firehose:PutRecord",
    "firehose:PutRecordBatch",
    "iot:Publish",
    "kinesis:PutRecord",
    "kinesis:PutRecords",
    "lambda:InvokeFunction",
    "s3:PutObject",
    "sns:Publish",
    "sqs:SendMessage",
    "ssm:PutParameter",
    "states:StartExecution",
    "states:StartSyncExecution",
    "sts:AssumeRole",
];

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let visibility = context.facts.route_visibility();
    let apis = context.websockets().filter(|api| {
        visibility.shows_every_route(api)
            && !may_answer(context.model, api)
            && api.integrations.iter().all(is_of_function)
            && api
                .integrations
                .iter()
                .any(|it| it.function.function.to().is_some())
    });
    let apis: Vec<_> = apis.collect();
    if apis.is_empty() || somebody_may_post(context) {
        return Vec::new();
    }
    apis.into_iter()
        .filter(|api| !is_given_away(context.model, api))
        .filter_map(api_finding)
        .collect()
}

fn api_finding(api: &Api) -> Option<Finding> {
    let resource = api.resource.as_ref()?;
    let message = format!(
        "nothing can reach the clients of {}: no role may post to its connections, and no route answers",
        resource.logical_id
    );
    let hint = format!(
        "allow `{MANAGE_CONNECTIONS}` to the function that posts, or add a route response to a route"
    );
    let finding = Finding::new(&RULE, Location::of(resource, &[]), message).hint(hint);
    let takes_messages =
        |route: &Route| !matches!(known_key(route), Some("$connect" | "$disconnect"));
    Some(match api.routes.iter().any(takes_messages) {
        true => finding,
        // Without messages there is nothing to answer.
        false => finding.with_confidence(Confidence::Low),
    })
}

/// Returns true if a route may send what its integration returns, or is configured to try.
fn may_answer(model: &Model, api: &Api) -> bool {
    let of_routes = api.routes.iter().any(|route| {
        route.route_response_selection_expression.is_some() || !route.responses.is_empty()
    });
    // The route of a response can be unknown.
    let mut resources = model.resources.values();
    of_routes || resources.any(|it| it.kind == "AWS::ApiGatewayV2::RouteResponse")
}

/// Returns true if an integration calls a function of the template, or nothing. Anything else may post.
fn is_of_function(integration: &Integration) -> bool {
    matches!(integration.function.function, Link::To(_)) || integration.known_type() == Some("MOCK")
}

/// Returns true if a role, or somebody who is not in the template, may post to connections.
fn somebody_may_post(context: &RuleContext<'_>) -> bool {
    let model = context.model;
    let roles: &FunctionRoles<'_> = context.facts.function_roles();
    let hands_over = |grant: &Grant| {
        let mut actions = HANDS_OVER.iter().chain([&MANAGE_CONNECTIONS]);
        actions.any(|action| may_allow(grant, action))
    };
    let unknown_role = model
        .functions
        .iter()
        .any(|it| roles.complete_role(it).is_none());
    let others = |resource: &Resource| {
        let kind = resource.kind.as_str();
        ["AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::RolePolicy"]
            .iter()
            .any(|prefix| kind.starts_with(prefix))
            || kind == "AWS::CloudFormation::Stack"
    };
    unknown_role
        || !context.facts.posting_functions().is_empty()
        || model.roles.iter().any(|role| !roles.is_complete(role))
        || model
            .roles
            .iter()
            .flat_map(|role| &role.grants)
            .any(hands_over)
        || model.resources.values().any(|resource| others(resource))
}

/// Returns true if an output for other stacks or a resource that is no part of the API receives its ID or address.
fn is_given_away(model: &Model, api: &Api) -> bool {
    let Some(id) = api.id.to() else {
        return true;
    };
    let names = |value: &Resolved| {
        let mut found = false;
        visit_references(value, &mut |name| found |= name == id.as_str());
        found
    };
    let parts = [
        "AWS::ApiGatewayV2::",
        "AWS::Lambda::",
        "AWS::IAM::",
        "AWS::Logs::",
    ];
    let mut others = model
        .resources
        .values()
        .filter(|it| !parts.iter().any(|part| it.kind.starts_with(part)));
    let outputs = model.outputs.as_map();
    let mut exports = outputs
        .into_iter()
        .flat_map(|outputs| outputs.values())
        .filter(|output| output.get("Export").is_some());
    others.any(|it| names(&it.properties)) || exports.any(names)
}
