//! Asynchronous invocations: retries, and the age at which events are dropped.

use std::sync::Arc;
use std::time::Instant;

use stackgen_gateway_common::invoke::{Invocation, InvocationOutcome, InvokeError};

use super::invoke::run_invocation;
use super::{AsyncSettings, FunctionError, FunctionHost, FunctionVersion, Functions, LATEST};

/// Maximum size of an event of an asynchronous invocation: 1 MB.
const MAX_EVENT: usize = 1024 * 1024;

/// Accepted asynchronous invocation, which has not run yet.
pub struct AsyncInvocation {
    host: Arc<FunctionHost>,
    version: Arc<FunctionVersion>,
    settings: AsyncSettings,
    invocation: Invocation,
}

impl Functions {
    /// Invokes a function without waiting: `Event`. A failed invocation is retried with a growing delay.
    ///
    /// # Errors
    ///
    /// If the invocation is not allowed, or its payload is too large.
    pub fn invoke_async(&self, invocation: Invocation) -> Result<(), InvokeError> {
        let accepted = self.accept_async(invocation)?;
        self.host.tasks.spawn(accepted.run());
        Ok(())
    }

    /// Accepts an asynchronous invocation as [`Functions::invoke_async`] does, for a caller that needs the outcome.
    ///
    /// # Errors
    ///
    /// As [`Functions::invoke_async`].
    pub fn accept_async(&self, invocation: Invocation) -> Result<AsyncInvocation, InvokeError> {
        let version = self.target(&invocation, MAX_EVENT)?;
        let arn = &invocation.function;
        let settings = self.async_settings(&arn.name, arn.qualifier.as_deref());
        Ok(AsyncInvocation {
            host: self.host.clone(),
            version,
            settings: settings.unwrap_or_default(),
            invocation,
        })
    }

    /// Sets the settings of asynchronous invocations with this qualifier, or removes them.
    ///
    /// # Errors
    ///
    /// If the function or the version does not exist.
    pub fn set_async_settings(
        &self,
        name: &str,
        qualifier: Option<&str>,
        settings: Option<AsyncSettings>,
    ) -> Result<(), FunctionError> {
        let function = self.function(name)?;
        function.set_async_settings(qualifier.unwrap_or(LATEST), settings)
    }

    /// Returns the settings of asynchronous invocations with this qualifier, if it has any.
    pub fn async_settings(&self, name: &str, qualifier: Option<&str>) -> Option<AsyncSettings> {
        let function = self.find(name)?;
        function.async_settings(qualifier.unwrap_or(LATEST))
    }
}

impl AsyncInvocation {
    /// Runs the invocation until it succeeds, its retries are used up, or the event is too old. Returns the last outcome, or
    /// `None` if the gateway stopped.
    pub async fn run(self) -> Option<Result<InvocationOutcome, InvokeError>> {
        let stop = self.host.stop.clone();
        stop.run_until_cancelled(self.run_with_retries()).await
    }

    async fn run_with_retries(self) -> Result<InvocationOutcome, InvokeError> {
        let accepted = Instant::now();
        let mut retry = 0;
        loop {
            let invocation = self.invocation.clone();
            let outcome = run_invocation(&self.host, &self.version, invocation).await;
            let succeeded = outcome.as_ref().is_ok_and(|outcome| !outcome.failed);
            if succeeded || retry == self.settings.retries {
                return outcome;
            }
            retry += 1;
            tokio::time::sleep(self.host.settings.functions.retry * retry).await;
            if accepted.elapsed() > self.settings.max_age {
                return outcome;
            }
        }
    }
}
