//! Observation of a call of a route's function, for events.

use std::sync::OnceLock;

use stackgen_gateway_common::FunctionCall;
use stackgen_gateway_common::invoke::InvocationOutcome;

/// Function that a route called; empty until it answers.
#[derive(Debug, Default)]
pub(super) struct CallTrace(OnceLock<FunctionCall>);

impl CallTrace {
    /// Records the answer of a function.
    pub(super) fn record(&self, function: String, outcome: &InvocationOutcome) {
        self.0.get_or_init(|| FunctionCall {
            function,
            version: outcome.executed_version.clone(),
            request_id: outcome.request_id.clone(),
            failed: outcome.failed,
            duration: outcome.duration,
        });
    }

    /// Returns the call, if a function answered.
    pub(super) fn into_call(self) -> Option<FunctionCall> {
        self.0.into_inner()
    }
}
