//! Why a handshake was refused, by what the logs contain about authorizer and integration.

use stackgen_probe::{Certainty, Explanation, explain_handshake_status};

use super::evidence::{evidence_near, failure_words};
use super::life::{ConnectionLife, RequestStep};
use super::problem::{ConnectionProblem, ProblemSeverity, explanation};

/// Largest number of causes of one status.
const MAX_CAUSES: usize = 3;

/// Returns the problem of a refused or failed handshake.
pub(crate) fn handshake_problem(life: &ConnectionLife) -> Option<ConnectionProblem> {
    let step = life.handshake()?;
    if !step.is_failure() {
        return None;
    }
    let mut causes = match step.status {
        Some(status) => causes(step, status),
        None => Vec::new(),
    };
    let evidence = evidence_near(life, step);
    for cause in &mut causes {
        cause.evidence.extend(evidence.iter().cloned());
        cause.evidence.dedup();
    }
    Some(ConnectionProblem {
        severity: ProblemSeverity::Error,
        summary: format!("refused {}", failure_words(step)),
        causes,
    })
}

/// True if the authorizer answered or failed.
fn authorizer_ran(step: &RequestStep) -> bool {
    let ran = step.authorizer.as_ref();
    ran.is_some_and(|ran| ran.status.is_some() || ran.latency_ms.is_some() || ran.error.is_some())
}

fn causes(step: &RequestStep, status: u16) -> Vec<Explanation> {
    let error = step
        .authorizer
        .as_ref()
        .and_then(|ran| ran.error.as_deref());
    let was_invoked = step.latency_ms.is_some() || step.function_ms.is_some();
    if step.integration_status == Some(status) || was_invoked && status < 500 {
        return vec![refused_by_function(status)];
    }
    match status {
        401 if authorizer_ran(step) => vec![unauthorized()],
        401 if step.is_in_access_log => vec![not_invoked()],
        403 if authorizer_ran(step) => vec![denied()],
        500 if error.is_some() => vec![authorizer_failed()],
        _ => {
            let mut known = explain_handshake_status(status);
            known.truncate(MAX_CAUSES);
            known
        }
    }
}

fn refused_by_function(status: u16) -> Explanation {
    let cause = format!(
        "The authorizer, if there is one, let the client in, and the function of $connect returned {status}."
    );
    let next = "Read the function's lines of this connection: they contain the reason, which the client never gets.";
    explanation(Certainty::Likely, &["C5"], cause, next)
}

fn not_invoked() -> Explanation {
    let cause = "The access log has no result of the authorizer for this handshake: an identity source was missing or empty, so API Gateway answered 401 without invoking the authorizer.";
    let next = "Compare the authorizer's IdentitySource with what the client sends. If some callers have no token, the list must be empty (`callers: mixed`).";
    explanation(Certainty::Likely, &["A2"], cause, next)
}

fn unauthorized() -> Explanation {
    let cause = "API Gateway invoked the authorizer, which refused the token with `Unauthorized`.";
    let next = "Read the authorizer's lines of this connection: the token may have expired, or have another issuer, audience or kind.";
    explanation(Certainty::Likely, &["A6"], cause, next)
}

fn denied() -> Explanation {
    let cause = "API Gateway invoked the authorizer, and its policy does not allow this connection: it denies, or its Resource does not match.";
    let next = "Look at the policy in the authorizer's answer. A Resource that ends in `/prod/*/*` does not match `/prod/$connect`.";
    explanation(Certainty::Likely, &["A5"], cause, next)
}

fn authorizer_failed() -> Explanation {
    let cause = "The authorizer failed, or its answer is not valid: it throws something else than `Unauthorized`, returns no principalId, or puts an object or a list into the context.";
    let next = "Read the authorizer's lines of this connection. Without any line, API Gateway may not be allowed to invoke it (row A16).";
    explanation(Certainty::Likely, &["A7", "A8", "A9", "A16"], cause, next)
}
