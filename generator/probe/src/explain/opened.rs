//! Explains problems after an answer with 101: violations, subprotocols, error frames and silence.

use super::Certainty::{Certain, Likely, Possible};
use super::Explanation;
use super::recorded::{self, ServerRecord};
use crate::report::{ObservationKind, ProbeReport};
use crate::response::HandshakeResponse;

/// Explains the problems of a connection whose handshake was answered with 101.
pub(super) fn explain(
    report: &ProbeReport,
    handshake: &HandshakeResponse,
    records: &[ServerRecord],
) -> Vec<Explanation> {
    let mut explanations = Vec::new();
    if !handshake.violations.is_empty() {
        let cause = "The answer has status 101 but breaks the WebSocket protocol, so no connection opens. Browsers \
                     fail with 1006.";
        let mut explanation = Explanation::new(Certain, &["X2"], cause)
            .with_next_step("API Gateway never answers like this: check the proxies in between, and which server listens there.");
        explanation.evidence = handshake
            .violations
            .iter()
            .map(|violation| violation.description().to_owned())
            .collect();
        explanations.push(explanation);
    } else if !report.subprotocols.is_empty() && handshake.subprotocol.is_none() {
        explanations.push(no_subprotocol(report));
    }
    explanations.extend(frames(report, records));
    explanations.extend(silence(report).map(|guess| recorded::silence(guess, records)));
    explanations
}

fn no_subprotocol(report: &ProbeReport) -> Explanation {
    Explanation::new(
        Certain,
        &["C10", "C9"],
        "Subprotocols were offered, but the server chose none. This client stays connected; browsers fail with 1006.",
    )
    .with_evidence(format!("offered: {}", report.subprotocols.join(", ")))
    .with_evidence("101 without Sec-WebSocket-Protocol")
    .with_next_step(
        "Return the header `Sec-WebSocket-Protocol` with one of the offered subprotocols from the $connect function. \
         API Gateway does not echo one by itself.",
    )
}

/// Returns one explanation per kind of error frame, with the number of such frames.
fn frames(report: &ProbeReport, records: &[ServerRecord]) -> Vec<Explanation> {
    let mut found: Vec<(&str, usize)> = Vec::new();
    for observation in &report.observations {
        if let ObservationKind::Received {
            error: Some(message),
            ..
        } = &observation.kind
        {
            match found.iter_mut().find(|(known, _)| known == message) {
                Some((_, count)) => *count += 1,
                None => found.push((message, 1)),
            }
        }
    }
    let explain = |(message, count)| recorded::frames(frame(message), message, count, records);
    found.into_iter().flat_map(explain).collect()
}

fn frame(message: &str) -> Explanation {
    match message {
        "Forbidden" => Explanation::new(
            Certain,
            &["M3", "D1"],
            "No route of the stage's deployment matches the message, and the deployment has no $default route. The \
             authorizer is never the cause: API Gateway calls it only at $connect.",
        )
        .with_next_step(
            "Compare the message with RouteSelectionExpression and the route keys, character by character. If the route \
             exists, the stage serves an older deployment: run `stackgen status`, then `stackgen deploy --redeploy-stage`.",
        ),
        "Internal server error" => Explanation::new(
            Likely,
            &["M4", "M7", "C7"],
            "The route's function threw an error or returned something other than a proxy response, or API Gateway may not \
             invoke it.",
        )
        .with_next_step(
            "Search the function's log for the frame's requestId. If the function was not called, check its resource \
             policy, and whether the deployed integration calls a function that still exists (row D1).",
        ),
        "Endpoint request timed out" => Explanation::new(
            Certain,
            &["M5"],
            "The route's integration did not answer within its TimeoutInMillis (default: 29 s).",
        )
        .with_next_step("Check the function's duration in its REPORT lines. Answer early, and do long work asynchronously."),
        "Bad request body" => Explanation::new(
            Certain,
            &["M6"],
            "The message does not match the route's request model.",
        )
        .with_next_step("Compare it with the model in the deployment. A changed model takes effect with the next deployment (row D1)."),
        "Too Many Requests" | "Limit Exceeded" | "Rate exceeded" => Explanation::new(
            Likely,
            &["M19", "L5"],
            "The message was throttled. AWS does not document the text of this frame.",
        )
        .with_next_step("Check the stage's DefaultRouteSettings and RouteSettings, and the account's quota."),
        other => Explanation::new(
            Possible,
            &["M4"],
            format!("API Gateway could not serve a message. The reference does not list its error {other:?}."),
        )
        .with_next_step("Search the access log and the execution log for the frame's requestId."),
    }
}

fn silence(report: &ProbeReport) -> Option<Explanation> {
    let waited = report
        .observations
        .iter()
        .find_map(|observation| match observation.kind {
            ObservationKind::Silence { waited } => Some(waited),
            _ => None,
        })?;
    Some(
        Explanation::new(
            Likely,
            &["M7", "M8"],
            "The route is one-way: API Gateway sends nothing of what its function returns.",
        )
        .with_evidence(format!("no answer within {} s", waited.as_secs_f64()))
        .with_next_step(
            "If the route should answer, make it two-way: it needs RouteResponseSelectionExpression `$default` and a \
             RouteResponse `$default`, both deployed, and its function must return a body. Otherwise the function must \
             post to the connection. The function's log shows whether the message arrived.",
        ),
    )
}
