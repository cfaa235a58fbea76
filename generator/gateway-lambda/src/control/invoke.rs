//! The operation `Invoke`.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri, header};
use stackgen_gateway_common::invoke::{Invocation, InvocationCaller, InvocationOutcome, Invoke};
use stackgen_gateway_common::sigv4::credential;
use stackgen_gateway_common::{EpochMillis, Grants, trace_id};

use super::function_identifier::{FunctionIdentifier, QualifierQuery};
use super::response::{LambdaErrorResponse, LambdaResult};
use crate::functions::Functions;

/// Bytes of the log that `LogType: Tail` returns.
const LOG_TAIL_BYTES: usize = 4 * 1024;

pub(super) async fn invoke(
    State(lambda): State<Arc<Functions>>,
    Extension(grants): Extension<Arc<dyn Grants>>,
    Path(name): Path<String>,
    Query(qualified): Query<QualifierQuery>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> LambdaResult {
    let name = FunctionIdentifier::parse(&name, qualified.qualifier, &lambda)?;
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let payload = if body.is_empty() {
        Bytes::from_static(b"{}")
    } else {
        body
    };
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&payload) {
        return Err(LambdaErrorResponse::new(
            StatusCode::BAD_REQUEST,
            "InvalidRequestContentException",
            format!("Could not parse request body into json: {error}"),
        ));
    }
    let role = credential(&headers, &uri).and_then(|caller| grants.role_of(&caller.access_key));
    let trace = text("x-amzn-trace-id").map(str::to_owned);
    let invocation = Invocation {
        function: name.arn(&lambda),
        payload,
        caller: role.map_or(InvocationCaller::Account, InvocationCaller::Role),
        trace_id: trace.unwrap_or_else(|| trace_id(EpochMillis::now().as_millis() / 1000)),
        log: None,
    };
    match text("x-amz-invocation-type") {
        Some("DryRun") => {
            lambda.check_invocation(&invocation)?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        Some("Event") => {
            lambda.invoke_async(invocation)?;
            Ok(StatusCode::ACCEPTED.into_response())
        }
        None | Some("RequestResponse") if text("x-amz-log-type") == Some("Tail") => {
            let (outcome, lines) = lambda.invoke_with_log(invocation).await?;
            answer(outcome, Some(&lines))
        }
        None | Some("RequestResponse") => answer(lambda.invoke(invocation).await?, None),
        Some(other) => Err(LambdaErrorResponse::invalid(format!(
            "{other} is not an invocation type: use RequestResponse, Event or DryRun"
        ))),
    }
}

fn answer(outcome: InvocationOutcome, lines: Option<&[String]>) -> LambdaResult {
    let mut answer = Response::builder()
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-amzn-requestid", &outcome.request_id)
        .header("x-amz-executed-version", &outcome.executed_version);
    if outcome.failed {
        answer = answer.header("x-amz-function-error", "Unhandled");
    }
    if let Some(lines) = lines {
        let mut text = lines.join("\n");
        text.push('\n');
        let start = text.ceil_char_boundary(text.len().saturating_sub(LOG_TAIL_BYTES));
        answer = answer.header("x-amz-log-result", STANDARD.encode(&text[start..]));
    }
    answer.body(Body::from(outcome.payload)).map_err(|error| {
        LambdaErrorResponse::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "ServiceException",
            error.to_string(),
        )
    })
}
