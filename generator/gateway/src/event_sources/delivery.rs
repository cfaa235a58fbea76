//! Invocation of a function with a batch of records.

use std::collections::HashSet;
use std::time::Instant;

use bytes::Bytes;
use serde_json::{Value as Json, json};
use stackgen_gateway_apis::websocket::InvocationLog;
use stackgen_gateway_common::invoke::{Invocation, InvocationCaller, InvocationOutcome, Invoke};
use stackgen_gateway_common::{EpochMillis, Event, trace_id_or_new};
use stackgen_gateway_stack::{EventSource, EventSourceMapping};

use super::PollerContext;
use crate::invocations::{failure_evidence, failure_reason};

/// Record of a batch with its identifier: the ID of a message, or the sequence number of a change.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BatchRecord {
    pub(super) id: String,
    pub(super) json: Json,
}

/// Result of delivering a batch.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Delivery {
    /// The function processed all records.
    Processed,
    /// The function reported these records as failed.
    Partly(HashSet<String>),
    /// No record counts as processed.
    Failed,
}

/// Invokes the function of a mapping, and reports the result as an event.
pub(super) async fn deliver(
    context: &PollerContext,
    mapping: &EventSourceMapping,
    batch: &[BatchRecord],
) -> Delivery {
    let records: Vec<&Json> = batch.iter().map(|record| &record.json).collect();
    let (log, lines) = InvocationLog::new();
    let started = Instant::now();
    let invocation = Invocation {
        function: mapping.function.clone(),
        payload: Bytes::from(json!({ "Records": records }).to_string()),
        // Lambda itself polls, so no policy of the function is needed.
        caller: InvocationCaller::Account,
        trace_id: trace_id_or_new(None, EpochMillis::now()),
        log: Some(log),
    };
    let outcome = context.functions.invoke(invocation).await;
    let took = started.elapsed();
    let (delivery, reason) = match (failure_reason(&outcome), &outcome) {
        (None, Ok(outcome)) => answer(mapping, batch, outcome),
        (reason, _) => (Delivery::Failed, reason),
    };
    let evidence = match reason {
        Some(_) => failure_evidence(&outcome, lines).await,
        None => None,
    };
    context.events.send(Event::Batch {
        source: source_name(mapping),
        function: mapping.function.name.clone(),
        records: batch.len(),
        failed: match &delivery {
            Delivery::Processed => 0,
            Delivery::Partly(failed) => failed.len(),
            Delivery::Failed => batch.len(),
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
        EventSource::DataStream { name } => name.clone(),
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
