use stackgen_model::{Api, Text};

use crate::context::RuleContext;
use crate::facts::endpoints::{Endpoint, EndpointHost, Scheme};
use crate::facts::environment::{self, EnvironmentVariable};
use crate::facts::{arn, connection_arns};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// An endpoint of a WebSocket API names a stage that the API does not have.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway answers `@connections` requests and handshakes for a missing stage with 403 (rows K5, C3). The
    /// template deploys, and the failure looks like a missing permission.
    ///
    /// ## How to fix it
    ///
    /// Build the address with a reference to the stage: `…/${Stage}`, where `Stage` is the logical ID of the
    /// `AWS::ApiGatewayV2::Stage`.
    id: "SG514",
    name: "endpoint-of-no-stage",
    severity: Error,
    confidence: High,
    rows: ["K5", "C3"],
    fixable: false,
    example: "management/endpoint_of_no_stage.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let endpoints = context.facts.endpoints();
    let findings = endpoints
        .iter()
        .filter_map(|endpoint| check_endpoint(context, endpoint));
    environment::one_per_location(findings)
}

fn check_endpoint(context: &RuleContext<'_>, endpoint: &Endpoint<'_>) -> Option<Finding> {
    let (EndpointHost::WebSocket(api), Some(path)) = (endpoint.host, &endpoint.path) else {
        return None;
    };
    let path = arn::with_stage_names(context.model, path);
    let first = ["/", "?"].into_iter().fold(path, |path, end| {
        path.split_once(end)
            .map_or(path.clone(), |(first, _)| first)
    });
    let first = first.as_literal().filter(|first| !first.is_empty())?;
    let stages = connection_arns::stage_names(&context.facts, api)?;
    let names: Option<Vec<&str>> = stages.iter().map(Text::as_literal).collect();
    let names = names.filter(|names| !names.contains(&first))?;
    let EnvironmentVariable { function, name, .. } = endpoint.variable;
    let (id, api_id) = (&function.resource.logical_id, api.id.to()?);
    let use_of = match endpoint.scheme {
        Scheme::WebSocket => "clients",
        _ => "the management API",
    };
    let message = format!(
        "{name} of {id} is an address for {use_of} with stage `{first}`, which {api_id} does not have"
    );
    let mut finding = Finding::new(&RULE, endpoint.variable.location(), message);
    if let Some(stage) = stage_location(api) {
        finding = finding.related(stage, "its stage");
    }
    Some(finding.hint(match names.as_slice() {
        [name] => format!("write `{name}`"),
        names => format!("write one of `{}`", names.join("`, `")),
    }))
}

fn stage_location(api: &Api) -> Option<Location> {
    let stage = api.stages.first()?;
    Some(Location::of(&stage.resource, &["StageName"]))
}
