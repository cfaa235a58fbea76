//! The handshake was answered with 101: subprotocols, error frames, silence.

use super::Certainty::{Certain, Likely, Possible};
use super::Explanation;
use super::recorded::{self, ServerRecord};
use crate::handshake::Handshake;
use crate::report::{Report, Seen};

/// What is wrong although there was a 101.
pub(super) fn explain(
    report: &Report,
    handshake: &Handshake,
    records: &[ServerRecord],
) -> Vec<Explanation> {
    let mut explanations = Vec::new();
    if !handshake.violations.is_empty() {
        let cause = "The answer says 101 and breaks the WebSocket protocol, so there is no connection. Browsers fail \
                     with 1006.";
        let mut explanation = Explanation::new(Certain, &["X2"], cause)
            .next("API Gateway does not answer so: look at proxies in between, or at what it is that listens there.");
        explanation.evidence = handshake
            .violations
            .iter()
            .map(|it| it.says().to_owned())
            .collect();
        explanations.push(explanation);
    } else if !report.subprotocols.is_empty() && handshake.subprotocol.is_none() {
        explanations.push(no_subprotocol(report));
    }
    explanations.extend(frames(report, records));
    explanations.extend(silence(report));
    explanations
}

fn no_subprotocol(report: &Report) -> Explanation {
    Explanation::new(
        Certain,
        &["C10", "C9"],
        "Subprotocols were offered and none was chosen. This client stays connected; browsers fail with 1006.",
    )
    .seen(format!("offered: {}", report.subprotocols.join(", ")))
    .seen("101 without Sec-WebSocket-Protocol")
    .next(
        "The $connect function has to return the header `Sec-WebSocket-Protocol` with one of what was offered. API \
         Gateway echoes none by itself.",
    )
}

/// One explanation for each kind of error frame, with how often it came.
fn frames(report: &Report, records: &[ServerRecord]) -> Vec<Explanation> {
    let mut found: Vec<(&str, usize)> = Vec::new();
    for observation in &report.observations {
        if let Seen::Received {
            error: Some(message),
            ..
        } = &observation.seen
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
            "No route of the stage's deployment matches the message, and the deployment has no $default. It is never \
             the authorizer: that one is asked at $connect alone.",
        )
        .next(
            "Compare the message with RouteSelectionExpression and the route keys, letter by letter. If the route is \
             there, the stage serves an older deployment: `stackgen status`, then `stackgen deploy --redeploy-stage`.",
        ),
        "Internal server error" => Explanation::new(
            Likely,
            &["M4", "C7"],
            "The route's function threw, or API Gateway may not invoke it.",
        )
        .next(
            "Read the function's log for the frame's requestId. If the function was never called, look at its resource \
             policy, and at whether the deployed integration points at a function that still exists (row D1).",
        ),
        "Endpoint request timed out" => Explanation::new(
            Certain,
            &["M5"],
            "The route's integration did not answer within its TimeoutInMillis (29 s if nothing is set).",
        )
        .next("Look at the function's duration in its REPORT lines. Long work is to go on after an early answer."),
        "Bad request body" => Explanation::new(
            Certain,
            &["M6"],
            "The message does not fit the route's request model.",
        )
        .next("Compare it with the model that the deployment holds; a model that changed is not live without one (row D1)."),
        "Too Many Requests" | "Limit Exceeded" | "Rate exceeded" => Explanation::new(
            Likely,
            &["M19", "L5"],
            "The message was throttled. AWS does not document the frame's text.",
        )
        .next("Look at the stage's DefaultRouteSettings and RouteSettings, and at the account's quota."),
        other => Explanation::new(
            Possible,
            &["M4"],
            format!("API Gateway could not serve a message and says {other:?}, which the reference does not know."),
        )
        .next("Look the frame's requestId up in the access log and in the execution log."),
    }
}

fn silence(report: &Report) -> Option<Explanation> {
    let waited = report
        .observations
        .iter()
        .find_map(|observation| match observation.seen {
            Seen::Silence { waited } => Some(waited),
            _ => None,
        })?;
    Some(
        Explanation::new(
            Likely,
            &["M7", "M8"],
            "The route is one-way: whatever its function returns, no frame goes back.",
        )
        .seen(format!("no answer within {} s", waited.as_secs_f64()))
        .next(
            "If there should be one: a two-way route needs RouteResponseSelectionExpression `$default` and a \
             RouteResponse `$default`, both deployed, and its function returns a body. Otherwise the function has to \
             post to the connection. The function's log says whether the message arrived.",
        ),
    )
}
