//! Finds the problems of a connection, and their causes.

use std::collections::BTreeMap;

use stackgen_probe::{Certainty, Explanation};

use super::close_cause::close_problem;
use super::evidence::{evidence_near, failure_words};
use super::handshake_cause::handshake_problem;
use super::life::{ConnectionLife, RequestStep};
use super::problem::{ConnectionProblem, ProblemSeverity, explanation};

/// Returns the problems of a life, the worst first.
pub(crate) fn find_problems(life: &ConnectionLife) -> Vec<ConnectionProblem> {
    let mut problems = Vec::new();
    problems.extend(handshake_problem(life));
    problems.extend(failed_messages(life));
    problems.extend(failed_disconnect(life));
    problems.extend(close_problem(life));
    if problems
        .iter()
        .all(|problem| problem.severity < ProblemSeverity::Error)
    {
        problems.extend(logged_errors(life));
    }
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
    problems
}

/// Returns one problem for each kind of failure among the messages.
fn failed_messages(life: &ConnectionLife) -> Vec<ConnectionProblem> {
    let mut kinds: BTreeMap<(String, String), Vec<&RequestStep>> = BTreeMap::new();
    for step in life.messages().filter(|step| step.is_failure()) {
        let route = step
            .route
            .clone()
            .unwrap_or_else(|| "(no route)".to_owned());
        kinds
            .entry((route, failure_words(step)))
            .or_default()
            .push(step);
    }
    let problems = kinds.into_iter().map(|((route, words), steps)| {
        let count = match steps.len() {
            1 => String::new(),
            count => format!(" ×{count}"),
        };
        ConnectionProblem {
            severity: severity_of(steps[0]),
            summary: format!("{route} {words}{count}"),
            causes: message_causes(life, steps[0]),
        }
    });
    problems.collect()
}

/// A message that no route takes is the client's mistake, or that of the deployment. It harms less than a failed function.
fn severity_of(step: &RequestStep) -> ProblemSeverity {
    match step.function_failed || step.status.is_none_or(|status| status >= 500) {
        true => ProblemSeverity::Error,
        false => ProblemSeverity::Warning,
    }
}

fn message_causes(life: &ConnectionLife, step: &RequestStep) -> Vec<Explanation> {
    let by_status = match step.status {
        Some(403) => Some("Forbidden"),
        Some(429) => Some("Too Many Requests"),
        Some(504) => Some("Endpoint request timed out"),
        Some(500..) => Some("Internal server error"),
        _ => None,
    };
    if step.function_failed {
        return vec![failed_function(life, step)];
    }
    let frames = [step.error.as_deref(), by_status];
    let known = frames
        .into_iter()
        .flatten()
        .find_map(stackgen_probe::explain_error_frame);
    let mut causes: Vec<_> = known.into_iter().collect();
    for cause in &mut causes {
        cause.evidence = evidence_near(life, step);
    }
    causes
}

fn failed_function(life: &ConnectionLife, step: &RequestStep) -> Explanation {
    let evidence = evidence_near(life, step);
    let timed_out = evidence
        .iter()
        .any(|line| line.contains("timed out") || line.contains("timeout"));
    let (cause, next) = match timed_out {
        true => (
            "The route's function did not finish within its timeout, so the client got an error frame.",
            "Look for the call that it waits for in its lines. If it needs the time, raise its timeout; an integration waits at most 29 s.",
        ),
        false => (
            "The route's function failed, so the client got an error frame.",
            "Read its lines of this request: they contain the error.",
        ),
    };
    Explanation {
        evidence,
        ..explanation(Certainty::Certain, &["M4"], cause, next)
    }
}

fn failed_disconnect(life: &ConnectionLife) -> Option<ConnectionProblem> {
    let step = life.requests.iter().find(|step| step.is_disconnect())?;
    if !step.is_failure() {
        return None;
    }
    let cause =
        "The function of $disconnect failed, so its work for this connection may not be done.";
    let mut cause = explanation(
        Certainty::Likely,
        &["M18"],
        cause,
        "Read its lines. Records of connections that it did not delete remain until their TTL.",
    );
    cause.evidence = evidence_near(life, step);
    Some(ConnectionProblem {
        severity: ProblemSeverity::Error,
        summary: format!("$disconnect {}", failure_words(step)),
        causes: vec![cause],
    })
}

/// Returns a problem for errors that functions log although every request succeeded.
fn logged_errors(life: &ConnectionLife) -> Option<ConnectionProblem> {
    let first = life.failures.first()?;
    let count = match life.failures.len() {
        1 => "an error".to_owned(),
        count => format!("{count} errors"),
    };
    let mut cause = explanation(
        Certainty::Certain,
        &[],
        "A function logged an error, and API Gateway reports no failed request.",
        "Read the line: the function may have handled the error, or an answer to the client may be missing.",
    );
    cause.evidence = vec![first.message.clone()];
    Some(ConnectionProblem {
        severity: ProblemSeverity::Warning,
        summary: format!("{count} logged"),
        causes: vec![cause],
    })
}
