use stackgen_model::{Integration, Text};

use crate::context::RuleContext;
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// An integration of a WebSocket API asks for payload format 2.0.
    ///
    /// ## Why it hurts
    ///
    /// Payload formats are a choice of HTTP APIs; a WebSocket API knows 1.0 alone (row F3). The integration is refused,
    /// `Unsupported PayloadFormatVersion: 2.0`, and the stack rolls back. It comes of an HTTP API's integration that was
    /// copied.
    ///
    /// ## How to fix it
    ///
    /// Remove `PayloadFormatVersion`. `--fix` does.
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
    let message = format!("{id} asks for payload format {version}, which only HTTP APIs have");
    let fix = Fix::one(
        "remove `PayloadFormatVersion`",
        fix::remove(resource, &path),
    );
    let finding = Finding::new(&RULE, Location::of(resource, &path), message);
    Some(finding.hint("remove `PayloadFormatVersion`").fix(fix))
}
