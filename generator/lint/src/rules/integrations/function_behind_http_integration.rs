use stackgen_model::{Integration, Text};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// An integration of a type that calls web addresses, or nothing at all, has the URI of a function.
    ///
    /// ## Why it hurts
    ///
    /// `HTTP` and `HTTP_PROXY` call a web address, and `MOCK` calls nothing: a function is invoked by `AWS_PROXY`, which hands it the
    /// whole event, or by `AWS` with a mapping template (row F3). API Gateway refuses the integration, or fails every call of it
    /// (row C7), or, with `MOCK`, answers without ever invoking the function.
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
    let kind = integration
        .integration_type
        .as_ref()
        .and_then(Text::as_literal)?;
    let is_function = integration
        .uri
        .as_ref()?
        .split_once(":lambda:path/")
        .is_some();
    if !is_function || !matches!(kind, "HTTP" | "HTTP_PROXY" | "MOCK") {
        return None;
    }
    let (resource, id) = (&integration.resource, &integration.resource.logical_id);
    let message = format!("{id} has a function's URI, and its type `{kind}` invokes none");
    let finding = Finding::new(&RULE, Location::of(resource, &["IntegrationType"]), message)
        .related(Location::of(resource, &["IntegrationUri"]), "a function");
    Some(finding.hint("set `IntegrationType: AWS_PROXY`"))
}
