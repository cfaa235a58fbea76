//! Evidence in the logs for the cause of a failed request.

use super::life::{ConnectionLife, RequestStep};

/// Returns status and error of a failed request in a few words.
pub(crate) fn failure_words(step: &RequestStep) -> String {
    let mut words = Vec::new();
    words.extend(step.status.map(|status| status.to_string()));
    match &step.error {
        Some(error) => words.push(error.clone()),
        None if step.function_failed => words.push("function failed".to_owned()),
        None => {}
    }
    words.join(" ")
}

/// Returns what functions logged about a request, and the errors that the access log has.
pub(crate) fn evidence_near(life: &ConnectionLife, step: &RequestStep) -> Vec<String> {
    /// Longest time between a request and a line about it, in milliseconds: an integration has 29 s.
    const NEAR: i64 = 30_000;
    let mut evidence = Vec::new();
    evidence.extend(step.integration_error.clone());
    if let Some(error) = step.authorizer.as_ref().and_then(|step| step.error.clone()) {
        evidence.push(format!("authorizer: {error}"));
    }
    let near = life
        .failures
        .iter()
        .filter(|failure| (failure.at - step.at).abs() <= NEAR);
    evidence.extend(near.take(2).map(|failure| failure.message.clone()));
    evidence.dedup();
    evidence
}
