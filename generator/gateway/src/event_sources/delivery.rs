//! Invocation of a function with a batch of records.

use std::collections::HashSet;
use std::time::Instant;

use bytes::Bytes;
use serde_json::{Value as Json, json};
use stackgen_gateway_apis::websocket::InvocationLog;
use stackgen_gateway_common::invoke::{Invocation, InvocationCaller, InvocationOutcome, Invoke};
use stackgen_gateway_common::{
    EpochMillis, Event, Events, FailureEvidence, FunctionArn, ThrownError, trace_id_or_new,
};
use stackgen_gateway_lambda::functions::Functions;
use stackgen_gateway_stack::{EventSource, EventSourceMapping};

use super::PollerContext;

/// Record of a batch with its identifier: the ID of a message, or the sequence number of a change.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BatchRecord {
    pub(super) id: String,
    pub(super) json: Json,
}

/// Result of delivering a batch.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Delivery {
    /// The function processed all records.
    Processed,
    /// The function reported these records as failed.
    Partly(HashSet<String>),
    /// No record counts as processed.
    Failed,
}

/// Invocation of a function with records.
pub(crate) struct BatchInvocation {
    /// Name of the source.
    pub(crate) source: String,
    pub(crate) function: FunctionArn,
    pub(crate) caller: InvocationCaller,
    pub(crate) payload: Bytes,
    /// Number of records in the payload.
    pub(crate) records: usize,
}

/// Invokes the function of a mapping, and reports the result as an event.
pub(super) async fn deliver(
    context: &PollerContext,
    mapping: &EventSourceMapping,
    batch: &[BatchRecord],
) -> Delivery {
    let records: Vec<&Json> = batch.iter().map(|record| &record.json).collect();
    let invocation = BatchInvocation {
        source: source_name(mapping),
        function: mapping.function.clone(),
        // Lambda itself polls, so no policy of the function is needed.
        caller: InvocationCaller::Account,
        payload: Bytes::from(json!({ "Records": records }).to_string()),
        records: batch.len(),
    };
    let judge = |outcome: &InvocationOutcome| answer(mapping, batch, outcome);
    invoke_batch(&context.functions, &context.events, invocation, judge).await
}

/// Invokes a function with records, and reports the result as an event. `judge` interprets the answer of a function that did
/// not fail.
pub(crate) async fn invoke_batch(
    functions: &Functions,
    events: &Events,
    batch: BatchInvocation,
    judge: impl FnOnce(&InvocationOutcome) -> (Delivery, Option<String>),
) -> Delivery {
    let (log, lines) = InvocationLog::new();
    let started = Instant::now();
    let invocation = Invocation {
        function: batch.function.clone(),
        payload: batch.payload,
        caller: batch.caller,
        trace_id: trace_id_or_new(None, EpochMillis::now()),
        log: Some(log),
    };
    let outcome = functions.invoke(invocation).await;
    let took = started.elapsed();
    let (delivery, reason, error) = match &outcome {
        Ok(outcome) if outcome.failed => {
            let error = ThrownError::read(&outcome.payload);
            let reason = "the function failed".to_owned();
            (Delivery::Failed, Some(reason), error)
        }
        Ok(outcome) => {
            let (delivery, reason) = judge(outcome);
            (delivery, reason, None)
        }
        Err(error) => (Delivery::Failed, Some(error.message.clone()), None),
    };
    let evidence = match (&reason, &outcome) {
        (Some(_), Ok(_)) => Some(FailureEvidence {
            error,
            log: lines.first_lines().await,
        }),
        _ => None,
    };
    events.send(|| Event::Batch {
        source: batch.source,
        function: batch.function.name,
        records: batch.records,
        failed: match &delivery {
            Delivery::Processed => 0,
            Delivery::Partly(failed) => failed.len(),
            Delivery::Failed => batch.records,
        },
        reason,
        evidence,
        took,
    });
    delivery
}

pub(super) fn source_name(mapping: &EventSourceMapping) -> String {
    match &mapping.source {
        EventSource::Queue { name, .. } => name.clone(),
        EventSource::TableStream { table } => table.clone(),
        EventSource::Other { service } => service.clone(),
    }
}

/// Interprets the answer of a function that did not fail.
fn answer(
    mapping: &EventSourceMapping,
    batch: &[BatchRecord],
    outcome: &InvocationOutcome,
) -> (Delivery, Option<String>) {
    if !mapping.reports_item_failures {
        return (Delivery::Processed, None);
    }
    match item_failures(&outcome.payload, batch) {
        Ok(failed) if failed.is_empty() => (Delivery::Processed, None),
        Ok(failed) => {
            let reason = "the function returned batchItemFailures".to_owned();
            (Delivery::Partly(failed), Some(reason))
        }
        Err(reason) => (Delivery::Failed, Some(reason)),
    }
}

/// Returns the records that a function reports as failed.
///
/// # Errors
///
/// If the answer is not one of those that Lambda understands. Then the whole batch has failed.
fn item_failures(payload: &[u8], batch: &[BatchRecord]) -> Result<HashSet<String>, String> {
    let answer: Json = serde_json::from_slice(payload)
        .map_err(|_| "the function's answer is not JSON".to_owned())?;
    let failures = match (&answer, answer.get("batchItemFailures")) {
        (Json::Null, _) | (Json::Object(_), None | Some(Json::Null)) => return Ok(HashSet::new()),
        (_, Some(Json::Array(failures))) => failures,
        _ => return Err("batchItemFailures of the function's answer is not a list".to_owned()),
    };
    let identifiers = failures.iter().map(|failure| {
        let id = failure.get("itemIdentifier").and_then(Json::as_str);
        let id = id.unwrap_or_default();
        match batch.iter().any(|record| record.id == id) {
            true => Ok(id.to_owned()),
            false => Err(format!(
                "batchItemFailures of the function's answer contains an itemIdentifier that is not in the batch: {id:?}"
            )),
        }
    });
    identifiers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(answer: &str) -> Result<Vec<String>, String> {
        let batch = ["a", "b"].map(|id| BatchRecord {
            id: id.to_owned(),
            json: Json::Null,
        });
        let failed = item_failures(answer.as_bytes(), &batch)?;
        let mut failed: Vec<String> = failed.into_iter().collect();
        failed.sort();
        Ok(failed)
    }

    #[test]
    fn the_answer_of_a_function_names_the_failed_records() {
        for answer in [
            "null",
            "{}",
            r#"{"batchItemFailures":null}"#,
            r#"{"batchItemFailures":[]}"#,
        ] {
            assert_eq!(failures(answer), Ok(vec![]), "{answer}");
        }
        let one = r#"{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"b"}]}"#;
        assert_eq!(failures(one), Ok(vec!["b".to_owned()]));
    }

    #[test]
    fn an_answer_that_lambda_does_not_understand_fails_the_whole_batch() {
        for answer in [
            "nothing",
            "[]",
            "\"text\"",
            r#"{"batchItemFailures":{}}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"id":"a"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"c"}]}"#,
        ] {
            assert!(failures(answer).is_err(), "{answer}");
        }
    }
}
