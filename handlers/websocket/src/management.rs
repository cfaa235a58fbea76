//! Client of API Gateway's management API, `@connections`.

use std::error::Error;
use std::time::Duration;

use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::Builder;
use aws_sdk_apigatewaymanagement::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_apigatewaymanagement::primitives::Blob;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use bytes::Bytes;

use crate::{Broadcaster, ConnectionId, ConnectionProbe, PostError};

/// The management API of one stage.
#[derive(Clone, Debug)]
pub struct ManagementApi {
    client: Client,
}

impl ManagementApi {
    /// Returns a client for the stage at `endpoint`, such as
    /// `https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/prod`.
    ///
    /// A post times out after 3 s. There are no retries here: a [fan-out](crate::fan_out) controls them.
    pub fn new(config: &SdkConfig, endpoint: &str) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_timeout(Duration::from_secs(3))
            .build();
        let config = Builder::from(config)
            .endpoint_url(endpoint)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .build();
        ManagementApi {
            client: Client::from_conf(config),
        }
    }
}

impl Broadcaster for ManagementApi {
    async fn post(&self, to: &ConnectionId, message: Bytes) -> Result<(), PostError> {
        let request = self.client.post_to_connection();
        // The blob shares the message's memory, so that nothing is copied per connection.
        let request = request.data(Blob::from_maybe_shared(message));
        let request = request.connection_id(to.as_str());
        let done = request.send().await;
        done.map(|_| ()).map_err(|error| post_error(&error))
    }

    /// Closes a connection; its client receives close code 1000 (row M15). Fails with [`PostError::Gone`] if the
    /// connection is closed already.
    async fn close(&self, id: &ConnectionId) -> Result<(), PostError> {
        let request = self.client.delete_connection().connection_id(id.as_str());
        let done = request.send().await;
        done.map(|_| ()).map_err(|error| post_error(&error))
    }
}

impl ConnectionProbe for ManagementApi {
    async fn probe(&self, id: &ConnectionId) -> Result<(), PostError> {
        let request = self.client.get_connection().connection_id(id.as_str());
        let done = request.send().await;
        done.map(|_| ()).map_err(|error| post_error(&error))
    }
}

/// Converts an SDK error, by its status (rows K4 to K7).
fn post_error<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> PostError {
    match error {
        SdkError::TimeoutError(_) => return PostError::TimedOut,
        // Nothing was sent, so that a retry is safe, unlike after a timeout of the whole request.
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            return PostError::Failed("no connection in time".to_owned());
        }
        SdkError::DispatchFailure(failure) => {
            let cause = failure.as_connector_error().map(root_cause);
            return PostError::Failed(cause.unwrap_or_else(|| "no connection".to_owned()));
        }
        _ => {}
    }
    let status = error
        .raw_response()
        .map(|response| response.status().as_u16());
    match status {
        Some(410) => PostError::Gone,
        Some(413) => PostError::TooLarge,
        Some(429) => PostError::Busy,
        Some(status) => {
            let code = error.code().unwrap_or("no error code");
            PostError::Failed(format!("{code} ({status})"))
        }
        None => PostError::Failed("cannot send the request".to_owned()),
    }
}

/// Returns the text of the innermost error: `Connection refused` instead of `dispatch failure`.
fn root_cause(error: &(impl Error + 'static)) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests;
