use std::sync::Arc;

use stackgen_model::{Api, Piece, Resolved, Resource};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A text is longer than API Gateway allows.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway refuses the resource, and the stack rolls back. Names of APIs, authorizers, models and stages can
    /// have 128 characters, descriptions 1024, URIs of integrations and authorizers 2048, operation names 64, schemas
    /// of models 32768, values of stage variables 2048, and formats of access logs 3 KB.
    ///
    /// ## How to fix it
    ///
    /// Shorten it. Parts that are known only when the stack exists do not count.
    id: "SG605",
    name: "text-too-long",
    severity: Error,
    confidence: High,
    rows: [],
    fixable: false,
    example: "quotas/text_too_long.diff",
}

/// Resource types without `AWS::ApiGatewayV2::`, their properties and the maximum number of characters.
const MAX_LENGTHS: &[(&str, &[&str], usize)] = &[
    ("Api", &["Description"], 1024),
    ("Api", &["Name"], 128),
    ("Api", &["Version"], 64),
    ("Authorizer", &["AuthorizerUri"], 2048),
    ("Authorizer", &["Name"], 128),
    ("Deployment", &["Description"], 1024),
    ("Deployment", &["StageName"], 128),
    ("Integration", &["Description"], 1024),
    ("Integration", &["IntegrationUri"], 2048),
    ("Model", &["ContentType"], 256),
    ("Model", &["Description"], 1024),
    ("Model", &["Name"], 128),
    ("Model", &["Schema"], 32768),
    ("Route", &["OperationName"], 64),
    ("Stage", &["AccessLogSettings", "Format"], 3072),
    ("Stage", &["Description"], 1024),
    ("Stage", &["StageName"], 128),
];

const MAX_VARIABLE: usize = 2048;

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    context.websockets().flat_map(check_api).collect()
}

fn check_api(api: &Api) -> Vec<Finding> {
    let resources = api.resource.iter();
    let resources = resources
        .chain(api.routes.iter().map(|it| &it.resource))
        .chain(api.integrations.iter().map(|it| &it.resource))
        .chain(api.authorizers.iter().map(|it| &it.resource))
        .chain(api.models.iter().map(|it| &it.resource))
        .chain(api.deployments.iter().map(|it| &it.resource))
        .chain(api.stages.iter().map(|it| &it.resource));
    resources.flat_map(check_resource).collect()
}

fn check_resource(resource: &Arc<Resource>) -> Vec<Finding> {
    let kind = resource.kind.strip_prefix("AWS::ApiGatewayV2::");
    let of_kind = MAX_LENGTHS.iter().filter(|(of, ..)| kind == Some(*of));
    let mut findings: Vec<Finding> = of_kind
        .filter_map(|(_, path, max)| check_property(resource, path, *max))
        .collect();
    let variables = resource.properties.get("StageVariables");
    for name in variables
        .and_then(Resolved::as_map)
        .into_iter()
        .flat_map(|it| it.keys())
    {
        let path = ["StageVariables", name.as_str()];
        findings.extend(check_property(resource, &path, MAX_VARIABLE));
    }
    findings
}

fn check_property(resource: &Resource, path: &[&str], max: usize) -> Option<Finding> {
    let Resolved::Text(text) = resource.properties.at_path(path)? else {
        return None;
    };
    let known = text.pieces().iter().map(|piece| match piece {
        Piece::Literal(text) => text.chars().count(),
        _ => 0,
    });
    let length: usize = known.sum();
    if length <= max {
        return None;
    }
    let (property, id) = (path.join("."), &resource.logical_id);
    let at_least = if text.as_literal().is_some() {
        ""
    } else {
        "at least "
    };
    let message =
        format!("`{property}` of {id} has {at_least}{length} characters, but {max} are allowed");
    Some(Finding::new(&RULE, Location::of(resource, path), message).hint("shorten it"))
}
