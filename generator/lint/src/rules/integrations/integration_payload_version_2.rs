use stackgen_model::{Integration, Text};

use crate::context::RuleContext;
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// An integration of a WebSocket API has payload format 2.0.
    ///
    /// ## Why it hurts
    ///
    /// Only HTTP APIs have a choice of payload formats; a WebSocket API supports only 1.0 (row F3). API Gateway refuses
    /// the integration with `Unsupported PayloadFormatVersion: 2.0`, and the stack rolls back. This happens when the
    /// integration of an HTTP API is copied.
    ///
    /// ## How to fix it
    ///
    /// Remove `PayloadFormatVersion`, as `--fix` does.
    id: "SG306",
    name: "integration-payload-version-2",
    severity: Error,
    confidence: High,
    rows: ["F3"],
    fixable: true,
    example: "integrations/integration_payload_version_2.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let integrations = context.websockets().flat_map(|api| &api.integrations);
    integrations.filter_map(check_integration).collect()
}

fn check_integration(integration: &Integration) -> Option<Finding> {
    let version = integration.payload_format_version.as_ref()?;
    let version = Text::as_literal(version).filter(|version| version.starts_with('2'))?;
    let (resource, path) = (&integration.resource, ["PayloadFormatVersion"]);
    let id = &resource.logical_id;
    let message = format!("{id} has payload format {version}, which only HTTP APIs support");
    let fix = Fix::one(
        "remove `PayloadFormatVersion`",
        fix::remove(resource, &path),
    );
    let finding = Finding::new(&RULE, Location::of(resource, &path), message);
    Some(finding.hint("remove `PayloadFormatVersion`").fix(fix))
}
