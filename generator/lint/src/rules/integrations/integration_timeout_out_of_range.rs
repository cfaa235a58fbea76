use stackgen_model::Integration;

use crate::context::RuleContext;
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// An integration's timeout is none that a WebSocket API takes.
    ///
    /// ## Why it hurts
    ///
    /// `TimeoutInMillis` is 50 to 29000 for WebSocket APIs (row C8), and 30000, the limit of HTTP APIs, is too much. API
    /// Gateway refuses the integration, `Timeout should be between 50 ms and 29000 ms`, and CloudFormation rolls back. The
    /// higher limit that can be asked for is that of REST APIs.
    ///
    /// ## How to fix it
    ///
    /// Write 29000 or less, in milliseconds; `--fix` does. Let what takes longer answer by PostToConnection.
    id: "SG307",
    name: "integration-timeout-out-of-range",
    severity: Error,
    confidence: High,
    rows: ["C8", "F3"],
    fixable: true,
    example: "integrations/integration_timeout_out_of_range.diff",
}

const RANGE: std::ops::RangeInclusive<i64> = 50..=29_000;

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let integrations = context.websockets().flat_map(|api| &api.integrations);
    integrations.filter_map(check_integration).collect()
}

fn check_integration(integration: &Integration) -> Option<Finding> {
    let timeout = integration
        .timeout_millis
        .value()
        .filter(|it| !RANGE.contains(it))?;
    let (resource, path) = (&integration.resource, ["TimeoutInMillis"]);
    let (least, most) = (RANGE.start(), RANGE.end());
    let id = &resource.logical_id;
    let message =
        format!("the timeout of {id} is {timeout} ms, and API Gateway takes {least} to {most}");
    let finding = Finding::new(&RULE, Location::of(resource, &path), message);
    Some(match timeout {
        timeout if timeout > most => {
            let edit = fix::replace(resource, &path, *most);
            finding
                .hint(format!("write {most} or less"))
                .fix(Fix::one(format!("write the timeout as {most}"), edit))
        }
        timeout if (1..=29).contains(timeout) => {
            finding.hint(format!("it counts milliseconds: write {timeout}000"))
        }
        _ => finding.hint(format!("write {least} or more")),
    })
}
