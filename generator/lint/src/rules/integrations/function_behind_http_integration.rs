use stackgen_model::Integration;

use crate::context::RuleContext;
use crate::facts::settings;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// An integration of type `HTTP`, `HTTP_PROXY` or `MOCK` has the URI of a function.
    ///
    /// ## Why it hurts
    ///
    /// `HTTP` and `HTTP_PROXY` call a web address, and `MOCK` calls nothing. Only `AWS_PROXY`, which passes the whole
    /// event, and `AWS`, with a mapping template, invoke a function (row F3). API Gateway refuses the integration, or
    /// every call fails (row C7), or `MOCK` answers without invoking the function.
    ///
    /// ## How to fix it
    ///
    /// Set `IntegrationType: AWS_PROXY`.
    id: "SG318",
    name: "function-behind-http-integration",
    severity: Error,
    confidence: High,
    rows: ["F3", "C7"],
    fixable: false,
    example: "integrations/function_behind_http_integration.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let integrations = context.websockets().flat_map(|api| &api.integrations);
    integrations.filter_map(check_integration).collect()
}

fn check_integration(integration: &Integration) -> Option<Finding> {
    let kind = integration.known_type()?;
    if !settings::is_invocation(integration.uri.as_ref()?)
        || !matches!(kind, "HTTP" | "HTTP_PROXY" | "MOCK")
    {
        return None;
    }
    let (resource, id) = (&integration.resource, &integration.resource.logical_id);
    let message =
        format!("{id} has the URI of a function, but type `{kind}` does not invoke functions");
    let finding = Finding::new(&RULE, Location::of(resource, &["IntegrationType"]), message)
        .related(Location::of(resource, &["IntegrationUri"]), "a function");
    Some(finding.hint("set `IntegrationType: AWS_PROXY`"))
}
