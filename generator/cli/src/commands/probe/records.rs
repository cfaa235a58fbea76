//! Records of the local gateway about a probe.

use std::time::Duration;

use stackgen_gateway::{FailureRecord, FailureSubject, log_without_error};
use stackgen_probe::{ProbeReport, RecordSubject, Secrets, ServerRecord};
use tokio::time::timeout;

use crate::local::LocalGateway;
use crate::ui::Ui;

/// Longest wait for an answer of a gateway on this machine.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks the gateway for failures of the probe's handshake, messages and connection. Returns nothing if it does not answer.
pub(super) async fn look_up(
    local: &LocalGateway,
    report: &ProbeReport,
    secrets: &Secrets,
    ui: &Ui,
) -> Vec<FailureRecord> {
    let Some(id) = report
        .handshake()
        .and_then(|handshake| handshake.header("x-amzn-requestid"))
    else {
        return Vec::new();
    };
    match timeout(TIMEOUT, local.remote().failures(id)).await {
        Ok(Ok(mut failures)) => {
            for failure in &mut failures {
                hide(failure, secrets);
            }
            failures
        }
        Ok(Err(error)) => {
            ui.detail(|| format!("cannot read failures from the local gateway: {error}"));
            Vec::new()
        }
        Err(_) => {
            ui.detail(|| {
                "cannot read failures from the local gateway: it does not answer".to_owned()
            });
            Vec::new()
        }
    }
}

/// Hides the probe's secrets in texts of functions.
fn hide(failure: &mut FailureRecord, secrets: &Secrets) {
    let FailureRecord {
        message,
        reason,
        error,
        authorizer,
        log,
        ..
    } = failure;
    let texts = [message, reason]
        .into_iter()
        .chain(error.iter_mut().flat_map(|error| {
            let texts = [&mut error.error_type, &mut error.message];
            texts.into_iter().chain(&mut error.trace)
        }))
        .chain(log)
        .chain(
            authorizer
                .iter_mut()
                .map(|authorizer| &mut authorizer.verdict),
        );
    for text in texts {
        *text = secrets.hide(text);
    }
}

/// Converts a record to evidence for explanations.
pub(super) fn as_evidence(failure: &FailureRecord) -> ServerRecord {
    ServerRecord {
        subject: match failure.subject {
            FailureSubject::Handshake => RecordSubject::Handshake,
            FailureSubject::Message => RecordSubject::Message,
            FailureSubject::Connection => RecordSubject::Connection,
        },
        message: failure.message.clone(),
        reason: failure.reason.clone(),
        row: failure.row.clone(),
        details: details(failure),
    }
}

fn details(failure: &FailureRecord) -> Vec<String> {
    let mut details = Vec::new();
    if let Some(deployment) = &failure.deployment_id {
        details.push(format!(
            "stage {} serves deployment {deployment}",
            failure.stage
        ));
    }
    let authorizer_record = failure.authorizer.as_ref();
    let authorizer = authorizer_record.and_then(|authorizer| authorizer.function.as_deref());
    if let Some(record) = authorizer_record {
        let function = authorizer.unwrap_or("(no function)");
        details.push(match record.verdict == failure.reason {
            true => format!("authorizer function {function}"),
            false => format!("authorizer function {function}: {}", record.verdict),
        });
    }
    match (&failure.route, &failure.function) {
        (Some(route), Some(function)) => {
            details.push(format!("route {route} called function {function}"));
        }
        (Some(route), None) => details.push(format!("route {route}")),
        (None, _) => {}
    }
    if let Some(error) = &failure.error {
        let source = failure.function.as_deref().or(authorizer);
        let source = source.unwrap_or("the function");
        details.push(format!(
            "{source} threw {}: {}",
            error.error_type, error.message
        ));
        details.extend(error.trace.iter().cloned());
    }
    let log = log_without_error(&failure.log, failure.error.as_ref());
    details.extend(log.map(|line| format!("log: {line}")));
    details
}
