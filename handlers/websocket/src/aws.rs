//! SDK configuration for all AWS services that functions use.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::{Environment, Lookup};

/// Maximum number of idle connections per host. It equals the concurrency of a [fan-out](crate::FanOut), so that the
/// next fan-out reuses all connections.
const IDLE_CONNECTIONS: usize = 128;

/// Region, credentials and endpoints of AWS, from the environment variables that Lambda sets.
///
/// Credentials are read once, and only from the environment: on Lambda they are there and stay valid while the process
/// lives. The binary contains no code for profiles, instance metadata or single sign-on.
#[derive(Clone, Debug)]
pub struct AwsSettings {
    region: String,
    credentials: Credentials,
    endpoint: Option<String>,
    endpoints: Endpoints,
}

impl AwsSettings {
    /// Reads Lambda's variables, and `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_DYNAMODB` and `AWS_ENDPOINT_URL_LAMBDA`,
    /// which the local gateway sets.
    pub fn read(environment: &mut Environment<impl Lookup>) -> Self {
        AwsSettings {
            region: environment.text("AWS_REGION"),
            credentials: Credentials::new(
                environment.text("AWS_ACCESS_KEY_ID"),
                environment.text("AWS_SECRET_ACCESS_KEY"),
                environment.optional_text("AWS_SESSION_TOKEN"),
                None,
                "environment",
            ),
            endpoint: environment.optional_url("AWS_ENDPOINT_URL"),
            endpoints: Endpoints {
                dynamodb: environment.optional_url("AWS_ENDPOINT_URL_DYNAMODB"),
                lambda: environment.optional_url("AWS_ENDPOINT_URL_LAMBDA"),
            },
        }
    }

    /// Returns the configuration for service clients. Clients with the same configuration share their connections.
    ///
    /// Timeouts are 1 s for a connection and 2 s for an attempt; three attempts take at most 6 s. Loading the system's
    /// root certificates takes longest. A thread loads them while the function asks for its first event, because Lambda
    /// gives a starting function a full CPU.
    pub fn sdk_config(&self) -> SdkConfig {
        std::thread::spawn(|| Connector::builder().tls_provider(tls()).build());
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(2))
            .operation_timeout(Duration::from_secs(6))
            .build();
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(self.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(self.credentials.clone()))
            .http_client(LazyTlsClient::new())
            .retry_config(RetryConfig::standard())
            .timeout_config(timeouts)
            // Responses are small and have a timeout, so their progress need not be watched.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .service_config(self.endpoints.clone());
        config.set_endpoint_url(self.endpoint.clone());
        config.build()
    }
}

/// `AWS_ENDPOINT_URL_<SERVICE>` for the services that functions use.
#[derive(Clone, Debug)]
struct Endpoints {
    dynamodb: Option<String>,
    lambda: Option<String>,
}

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        match (key.env(), key.service_id()) {
            ("AWS_ENDPOINT_URL", "DynamoDB") => self.dynamodb.clone(),
            ("AWS_ENDPOINT_URL", "Lambda") => self.lambda.clone(),
            _ => None,
        }
    }
}

fn tls() -> Provider {
    Provider::Rustls(CryptoMode::AwsLc)
}

/// An HTTPS client that waits for root certificates when it first connects.
///
/// The SDK's own client waits for them when a service client is created, in `validate_base_client_config`. This type
/// does not forward that method, and has no other purpose.
#[derive(Debug)]
struct LazyTlsClient(SharedHttpClient);

impl LazyTlsClient {
    fn new() -> Self {
        let client = aws_smithy_http_client::Builder::new()
            .tls_provider(tls())
            .pool_max_idle_per_host(IDLE_CONNECTIONS);
        LazyTlsClient(client.build_https())
    }
}

impl HttpClient for LazyTlsClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }
}

#[cfg(test)]
mod tests;
