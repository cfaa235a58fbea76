//! Invocations of the audio handler by itself.

use std::time::Duration;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::operation::invoke::InvokeError;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_types::SdkConfig;
use live_session_core::ports::{Relay, RelayError};
use live_session_core::{GoneListeners, Share};
use serde::Serialize;

use crate::audio::{RemovalEvent, ShareEvent};

/// Invokes the same version of this function asynchronously. Lambda scales the invocations.
#[derive(Clone, Debug)]
pub struct LambdaRelay {
    client: Client,
    function: String,
    version: String,
}

impl LambdaRelay {
    /// Returns a relay to the function of this name and version: `AWS_LAMBDA_FUNCTION_NAME` and
    /// `AWS_LAMBDA_FUNCTION_VERSION`.
    ///
    /// It makes one attempt of at most a second. After that the caller sends the share sooner than a retry would.
    pub fn new(config: &SdkConfig, function: String, version: String) -> Self {
        let timeouts = TimeoutConfig::builder()
            .operation_timeout(Duration::from_secs(1))
            .build();
        let config = aws_sdk_lambda::config::Builder::from(config)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts);
        LambdaRelay {
            client: Client::from_conf(config.build()),
            function,
            version,
        }
    }
}

impl Relay for LambdaRelay {
    async fn hand_over(&self, share: &Share) -> Result<(), RelayError> {
        let share = share.clone();
        self.invoke(&ShareEvent { share }).await
    }

    async fn hand_over_removal(&self, gone: &GoneListeners) -> Result<(), RelayError> {
        let gone = gone.clone();
        self.invoke(&RemovalEvent { gone }).await
    }
}

impl LambdaRelay {
    async fn invoke(&self, event: &impl Serialize) -> Result<(), RelayError> {
        let payload = serde_json::to_vec(event).map_err(|error| RelayError(error.to_string()))?;
        let invocation = self
            .client
            .invoke()
            .function_name(&self.function)
            .qualifier(&self.version)
            .invocation_type(InvocationType::Event)
            .payload(Blob::new(payload));
        match invocation.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(RelayError(reason(&error))),
        }
    }
}

/// Returns the error's code or kind; never the payload.
fn reason(error: &SdkError<InvokeError>) -> String {
    let kind = match error {
        SdkError::TimeoutError(_) => "no response in time",
        SdkError::DispatchFailure(_) => "cannot connect",
        _ => "failed",
    };
    error.code().unwrap_or(kind).to_owned()
}
