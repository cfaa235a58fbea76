use stackgen_model::Integration;

use crate::context::RuleContext;
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// The timeout of an integration is outside the range of WebSocket APIs.
    ///
    /// ## Why it hurts
    ///
    /// `TimeoutInMillis` of a WebSocket API is 50 to 29000 (row C8); 30000, the limit of HTTP APIs, is too high. API
    /// Gateway refuses the integration with `Timeout should be between 50 ms and 29000 ms`, and the stack rolls back.
    /// Only REST APIs can get a higher limit on request.
    ///
    /// ## How to fix it
    ///
    /// Write 29000 or less, in milliseconds, as `--fix` does. For longer work, answer with PostToConnection.
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
    let (min, max) = (RANGE.start(), RANGE.end());
    let id = &resource.logical_id;
    let message =
        format!("the timeout of {id} is {timeout} ms, but API Gateway allows {min} to {max}");
    let finding = Finding::new(&RULE, Location::of(resource, &path), message);
    Some(match timeout {
        timeout if timeout > max => {
            let edit = fix::replace(resource, &path, *max);
            finding
                .hint(format!("write {max} or less"))
                .fix(Fix::one(format!("write the timeout as {max}"), edit))
        }
        timeout if (1..=29).contains(timeout) => {
            finding.hint(format!("write {timeout}000: the unit is milliseconds"))
        }
        _ => finding.hint(format!("write {min} or more")),
    })
}
