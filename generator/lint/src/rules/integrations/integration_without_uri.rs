use stackgen_model::Integration;

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// An integration has no URI.
    ///
    /// ## Why it hurts
    ///
    /// Every integration type except `MOCK` needs an `IntegrationUri` (row F3). API Gateway refuses the integration, or
    /// every call fails: handshakes with 500, messages with `Internal server error` frames (row C7).
    ///
    /// ## How to fix it
    ///
    /// Set `IntegrationUri`; for a function to
    /// `arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations`.
    id: "SG313",
    name: "integration-without-uri",
    severity: Error,
    confidence: High,
    rows: ["F3"],
    fixable: false,
    example: "integrations/integration_without_uri.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let integrations = context.websockets().flat_map(|api| &api.integrations);
    integrations.filter_map(check_integration).collect()
}

fn check_integration(integration: &Integration) -> Option<Finding> {
    let kind = integration.known_type()?;
    let calls = matches!(kind, "AWS_PROXY" | "AWS" | "HTTP" | "HTTP_PROXY");
    let (resource, id) = (&integration.resource, &integration.resource.logical_id);
    if !calls || integration.uri.is_some() || resource.properties.as_map().is_none() {
        return None;
    }
    let message = format!("{id} has type `{kind}` but no `IntegrationUri`");
    Some(
        Finding::new(&RULE, Location::of(resource, &[]), message)
            .hint("set `IntegrationUri` to what it calls"),
    )
}
