use std::collections::HashMap;

use stackgen_model::{Function, Integration, LogicalId, Setting};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location, Severity};

rule! {
    /// API Gateway stops waiting for a function before the function's own timeout.
    ///
    /// ## Why it hurts
    ///
    /// After `TimeoutInMillis`, 29 s when it is not set, API Gateway gives up: the handshake is answered with 504 (row C8), and a
    /// message with an `Endpoint request timed out` frame (row M5). The function runs on to its own timeout, does what it was
    /// asked, and is paid for, while the client asks again. A function that may run longer than 29 s is a note: no integration
    /// waits longer.
    ///
    /// ## How to fix it
    ///
    /// Give the function a timeout under the integration's. Let what takes longer start elsewhere and answer by
    /// PostToConnection.
    id: "SG308",
    name: "integration-timeout-under-function",
    severity: Warning,
    confidence: Medium,
    rows: ["M5", "C8"],
    fixable: false,
    example: "integrations/integration_timeout_under_function.diff",
}

/// What API Gateway waits when the template does not say, which is also the most.
const MOST: i64 = 29_000;

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let functions = context.model.functions.iter();
    let functions: HashMap<_, _> = functions.map(|it| (&it.resource.logical_id, it)).collect();
    let integrations = context.websockets().flat_map(|api| &api.integrations);
    integrations
        .filter_map(|it| check_integration(it, &functions))
        .collect()
}

fn check_integration(
    integration: &Integration,
    functions: &HashMap<&LogicalId, &Function>,
) -> Option<Finding> {
    let function = functions.get(integration.function.function.to()?)?;
    let waits = match integration.timeout_millis {
        Setting::Set(millis) => millis,
        Setting::Absent => MOST,
        Setting::Unknown(_) => return None,
    };
    let runs = match function.timeout_seconds {
        Setting::Set(seconds) => seconds,
        // Lambda's default.
        Setting::Absent => 3,
        Setting::Unknown(_) => return None,
    };
    // A timeout that API Gateway does not take is a mistake of its own.
    let is_taken = (50..=MOST).contains(&waits);
    if !is_taken || runs.saturating_mul(1000) <= waits {
        return None;
    }
    let (id, name) = (
        &integration.resource.logical_id,
        &function.resource.logical_id,
    );
    let message = format!("{id} waits {waits} ms for {name}, which may run {runs} s");
    let finding = Finding::new(
        &RULE,
        Location::of(&integration.resource, &["TimeoutInMillis"]),
        message,
    )
    .related(
        Location::of(&function.resource, &["Timeout"]),
        "the function's timeout",
    );
    Some(match waits {
        MOST => Finding { severity: Severity::Note, ..finding }
            .hint("29 s is all that an integration waits: let the function end, or answer by PostToConnection"),
        _ => finding.hint(format!("let `Timeout` of {name} be under the integration's, or wait longer")),
    })
}
