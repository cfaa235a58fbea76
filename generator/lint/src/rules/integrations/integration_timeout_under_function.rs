use std::collections::{HashMap, HashSet};

use stackgen_model::{Api, Function, Integration, LogicalId, Setting};

use crate::context::RuleContext;
use crate::facts::presence;
use crate::rule::rule;
use crate::{Finding, Location, Severity};

rule! {
    /// API Gateway stops waiting for a function before the function's own timeout.
    ///
    /// ## Why it hurts
    ///
    /// After `TimeoutInMillis`, 29 s by default, API Gateway stops waiting: the handshake fails with 504 (row C8), and
    /// a message is answered with an `Endpoint request timed out` frame (row M5). The function runs on until its own
    /// timeout, completes the work and is billed, while the client retries. Nobody waits for `$disconnect`, so its
    /// integration is not checked. If the integration waits 29 s, the finding is a note: no integration waits longer, so
    /// the function's timeout may be meant for other callers. A function behind several integrations is reported once, and
    /// not at a `$connect` route if it has others: which of its routes takes long is not in the template.
    ///
    /// ## How to fix it
    ///
    /// Set the function's timeout below the integration's. Start longer work elsewhere, and answer with
    /// PostToConnection.
    id: "SG308",
    name: "integration-timeout-under-function",
    severity: Warning,
    confidence: Medium,
    rows: ["M5", "C8"],
    fixable: false,
    example: "integrations/integration_timeout_under_function.diff",
}

/// Default and maximum timeout of an integration in milliseconds.
const MAX_MILLIS: i64 = 29_000;

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let functions = context.model.functions.iter();
    let functions: HashMap<_, _> = functions.map(|it| (&it.resource.logical_id, it)).collect();
    let apis = context.websockets();
    let pairs = apis.flat_map(|api| api.integrations.iter().map(move |it| (api, it)));
    let mut pairs: Vec<_> = pairs
        // Nobody waits for what a function returns to `$disconnect`.
        .filter(|(api, it)| !is_only_for(api, it, "$disconnect"))
        .collect();
    pairs.sort_by_key(|(api, it)| is_only_for(api, it, "$connect"));
    let mut reported = HashSet::new();
    let findings = pairs.into_iter().filter_map(|(_, it)| {
        let finding = check_integration(it, &functions)?;
        reported
            .insert(it.function.function.to())
            .then_some(finding)
    });
    findings.collect()
}

/// Returns true if only routes with this key use an integration.
fn is_only_for(api: &Api, integration: &Integration, key: &str) -> bool {
    let id = Some(&integration.resource.logical_id);
    let users = api.routes.iter().filter(|route| route.target.to() == id);
    let mut keys = users.map(presence::known_key).peekable();
    keys.peek().is_some() && keys.all(|known| known == Some(key))
}

fn check_integration(
    integration: &Integration,
    functions: &HashMap<&LogicalId, &Function>,
) -> Option<Finding> {
    let function = functions.get(integration.function.function.to()?)?;
    let waits = match integration.timeout_millis {
        Setting::Set(millis) => millis,
        Setting::Absent => MAX_MILLIS,
        Setting::Unknown(_) => return None,
    };
    let runs = match function.timeout_seconds {
        Setting::Set(seconds) => seconds,
        // Lambda's default.
        Setting::Absent => 3,
        Setting::Unknown(_) => return None,
    };
    // Another rule reports a timeout that API Gateway does not allow.
    let is_allowed = (50..=MAX_MILLIS).contains(&waits);
    if !is_allowed || runs.saturating_mul(1000) <= waits {
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
        MAX_MILLIS => Finding { severity: Severity::Note, ..finding }
            .hint("an integration waits at most 29 s: shorten the function's timeout, or answer with PostToConnection"),
        _ => finding.hint(format!("set `Timeout` of {name} below the integration's timeout, or raise the latter")),
    })
}
