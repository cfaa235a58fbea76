//! How functions call AWS: one SDK configuration for every service that they use.

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

/// As many idle connections to a host are kept as a [fan-out](crate::FanOut) has places: what it opened once, it finds
/// again.
const IDLE_CONNECTIONS: usize = 128;

/// Where, and as whom, a function calls AWS: what Lambda tells it by environment variables.
///
/// Credentials are read once, from the environment only. On Lambda that is where they are, for as long as the process
/// lives; profiles, instance metadata and single sign-on are neither asked nor part of the binary.
#[derive(Clone, Debug)]
pub struct AwsSettings {
    region: String,
    credentials: Credentials,
    endpoint: Option<String>,
    endpoints: Endpoints,
}

impl AwsSettings {
    /// Reads what Lambda sets, and `AWS_ENDPOINT_URL` with `AWS_ENDPOINT_URL_DYNAMODB` and `AWS_ENDPOINT_URL_LAMBDA`,
    /// with which a local gateway stands in for AWS.
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

    /// The configuration that every client is made of. Clients of one configuration share their connections.
    ///
    /// An answer may take 2 s, a connection 1 s; three tries are 6 s at most. The system's root certificates, the one
    /// thing that takes its time, are loaded by a thread of their own: the function asks for its first event meanwhile,
    /// and its first call finds them there. That is while Lambda still gives a starting function a full CPU.
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
            .http_client(Lazy::new())
            .retry_config(RetryConfig::standard())
            .timeout_config(timeouts)
            // Answers are small and have their time: that there is some progress need not be watched.
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

/// An HTTPS client that needs root certificates when it first connects.
///
/// The SDK's own waits for them whenever a service client is made. That this type does not pass
/// `validate_base_client_config` on, and so leaves that out, is all that it is for.
#[derive(Debug)]
struct Lazy(SharedHttpClient);

impl Lazy {
    fn new() -> Self {
        let client = aws_smithy_http_client::Builder::new()
            .tls_provider(tls())
            .pool_max_idle_per_host(IDLE_CONNECTIONS);
        Lazy(client.build_https())
    }
}

impl HttpClient for Lazy {
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
