//! `PutEvents` of EventBridge for the event buses of the stack. Events go to the emulator, too, if there is one. All other calls are those of a service that does not run here.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::{Json as JsonBody, Router};
use http::request::Parts;
use http::{StatusCode, header};
use serde_json::{Value as Json, json};
use stackgen_gateway_common::{EpochMillis, body, uuid};
use stackgen_gateway_stack::bus_name;

use super::Triggers;
use crate::outbound::OtherServices;
use crate::outbound::actions::TARGET;
use crate::outbound::errors::WireProtocol;

/// Maximum size of a request in bytes, with its other parameters.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// Maximum number of entries in a request.
const MAX_ENTRIES: usize = 10;

impl Triggers {
    /// Returns the routes of EventBridge.
    pub(crate) fn events_routes(&self, others: Arc<OtherServices>) -> Router {
        let triggers = self.clone();
        Router::new().fallback(move |request: Request| {
            let (triggers, others) = (triggers.clone(), others.clone());
            async move { triggers.answer_events(&others, request).await }
        })
    }

    /// Returns true if a request of EventBridge is answered here.
    pub(crate) fn takes_events(&self, operation: &str, body: &[u8]) -> bool {
        operation == "AWSEvents.PutEvents"
            && serde_json::from_slice(body).is_ok_and(|body: Json| {
                let mut entries = entries_of(&body).iter();
                entries.any(|entry| self.has_bus(bus_of(entry)))
            })
    }

    async fn answer_events(&self, others: &OtherServices, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let protocol = WireProtocol::of("events", &head);
        let refuse =
            |message: &str| protocol.error(StatusCode::BAD_REQUEST, "ValidationException", message);
        let Ok(body) = body::read_all(body, MAX_BODY).await else {
            return refuse("Total size of the entries in the request is over the limit.");
        };
        let operation = head
            .headers
            .get(TARGET)
            .and_then(|value| value.to_str().ok());
        if !self.takes_events(operation.unwrap_or_default(), &body) {
            let request = Request::from_parts(head, Body::from(body));
            return others.answer("events", request).await;
        }
        let body: Json = serde_json::from_slice(&body).unwrap_or_default();
        let entries = entries_of(&body);
        if entries.len() > MAX_ENTRIES {
            return refuse(
                "1 validation error detected: Member must have length less than or equal to 10",
            );
        }
        let results = self.put_entries(others, head, entries).await;
        let failed = results
            .iter()
            .filter(|one| one.get("ErrorCode").is_some())
            .count();
        JsonBody(json!({ "FailedEntryCount": failed, "Entries": results })).into_response()
    }

    /// Puts entries: here those for buses of the stack, then those for the endpoint of `--services`, which may take long to
    /// answer. Returns the results.
    async fn put_entries(
        &self,
        others: &OtherServices,
        head: Parts,
        entries: &[Json],
    ) -> Vec<Json> {
        let here = |entry: &Json| self.has_bus(bus_of(entry)).then(|| self.put_entry(entry));
        let mut results: Vec<Option<Json>> = entries.iter().map(here).collect();
        // An emulator gets all entries: it has the rules with other targets.
        let all = others.url().is_some();
        let indexes = 0..entries.len();
        let elsewhere: Vec<usize> = indexes
            .filter(|index| all || results[*index].is_none())
            .collect();
        if !elsewhere.is_empty() {
            let sent: Vec<&Json> = elsewhere.iter().map(|index| &entries[*index]).collect();
            let answers = put_elsewhere(others, head, &sent).await;
            for (index, answer) in elsewhere.into_iter().zip(answers) {
                results[index].get_or_insert(answer);
            }
        }
        let results = results.into_iter();
        results.map(|one| one.unwrap_or_else(no_result)).collect()
    }

    /// Puts one entry. Returns its result.
    fn put_entry(&self, entry: &Json) -> Json {
        match self.event_of(entry) {
            Ok(event) => {
                self.put_event(bus_of(entry), &event, true);
                json!({ "EventId": event["id"] })
            }
            Err((code, message)) => json!({ "ErrorCode": code, "ErrorMessage": message }),
        }
    }

    /// Returns the event of an entry, or the error that EventBridge gives.
    fn event_of(&self, entry: &Json) -> Result<Json, (&'static str, String)> {
        let text = |name: &str| {
            entry
                .get(name)
                .and_then(Json::as_str)
                .filter(|text| !text.is_empty())
        };
        let required = |name: &'static str| {
            let missing = || {
                (
                    "InvalidArgument",
                    format!(
                        "Parameter {name} is not valid. Reason: {name} is a required argument."
                    ),
                )
            };
            text(name).ok_or_else(missing)
        };
        let (source, kind, detail) = (
            required("Source")?,
            required("DetailType")?,
            required("Detail")?,
        );
        let detail: Json = match serde_json::from_str(detail) {
            Ok(detail @ Json::Object(_)) => detail,
            _ => return Err(("MalformedDetail", "Detail is malformed.".to_owned())),
        };
        let time = entry
            .get("Time")
            .and_then(Json::as_f64)
            .map_or_else(EpochMillis::now, |seconds| {
                EpochMillis::from_millis((seconds * 1000.0) as u64)
            });
        let scope = &self.0.scope;
        Ok(json!({
            "version": "0",
            "id": uuid(),
            "detail-type": kind,
            "source": source,
            "account": scope.account,
            "time": time.iso8601_seconds(),
            "region": scope.region,
            "resources": entry.get("Resources").cloned().unwrap_or_else(|| json!([])),
            "detail": detail,
        }))
    }
}

/// Puts entries into the emulator of `--services`. Returns its results in the order of the entries. If the call fails, as it
/// does without an emulator, the result of each is the error.
async fn put_elsewhere(others: &OtherServices, mut head: Parts, entries: &[&Json]) -> Vec<Json> {
    // The body is another one, and the answer is read here.
    for name in [header::CONTENT_LENGTH, header::ACCEPT_ENCODING] {
        head.headers.remove(name);
    }
    let body = json!({ "Entries": entries }).to_string();
    let request = Request::from_parts(head, Body::from(body));
    let (head, body) = others.answer("events", request).await.into_parts();
    let body = body::read_all(body, MAX_BODY).await.unwrap_or_default();
    let answer: Json = serde_json::from_slice(&body).unwrap_or_default();
    if head.status.is_success() {
        return entries_of(&answer).to_vec();
    }
    let text = |names: [&str; 2]| {
        let mut values = names.iter().filter_map(|name| answer.get(name)?.as_str());
        values.next()
    };
    let code = text(["__type", "code"]).unwrap_or("InternalFailure");
    let code = code.rsplit('#').next().unwrap_or(code);
    let message = text(["message", "Message"]).unwrap_or_default();
    let error = json!({ "ErrorCode": code, "ErrorMessage": message });
    vec![error; entries.len()]
}

/// Returns the result of an entry for which the emulator gave none.
fn no_result() -> Json {
    json!({ "ErrorCode": "InternalFailure", "ErrorMessage": "the endpoint of --services gave no result" })
}

fn entries_of(body: &Json) -> &[Json] {
    let entries = body.get("Entries").and_then(Json::as_array);
    entries.map(Vec::as_slice).unwrap_or_default()
}

/// Returns the name of an entry's bus, of which it may have the ARN.
fn bus_of(entry: &Json) -> &str {
    let bus = entry.get("EventBusName").and_then(Json::as_str);
    bus_name(bus.unwrap_or("default"))
}
