//! What the binaries have in common: settings, logs and metrics first, then the ports.

use aws_sdk_dynamodb as dynamodb;
use lambda_runtime::Error;
use live_session_core::ports::Ports;
use stackgen_websocket::aws::AwsSettings;
use stackgen_websocket::{Environment, Lookup, ManagementApi, SystemClock};

use crate::config::{Config, Reach};
use crate::dynamo::{DynamoStore, Settings};

/// The namespace of our metrics.
const NAMESPACE: &str = "LiveSession";

/// The crates that `LOG_LEVEL` is for.
const OWN: [&str; 3] = ["live_session", "live_session_core", "session_"];

/// The ports of a function on AWS.
pub type AwsPorts = Ports<DynamoStore, ManagementApi, SystemClock>;

/// Reads a function's settings, starts its logs and metrics, and says all that is wrong with the settings at once.
pub fn start<T: Config>(lookup: impl Lookup) -> Result<T, Error> {
    let mut environment = Environment::new(lookup);
    let config = T::read(&mut environment);
    // Before anything can go wrong: what does is logged.
    config.telemetry().install(&OWN, NAMESPACE)?;
    Ok(environment.finish(config)?)
}

/// Where, and as whom, the function calls AWS: from what Lambda sets.
pub fn aws(lookup: impl Lookup) -> Result<AwsSettings, Error> {
    let mut environment = Environment::new(lookup);
    let settings = AwsSettings::read(&mut environment);
    Ok(environment.finish(settings)?)
}

/// Tables and connections on AWS. Nothing is called yet.
pub fn ports(aws: &AwsSettings, reach: Reach) -> AwsPorts {
    let config = aws.sdk_config();
    let client = dynamodb::Client::new(&config);
    Ports {
        store: DynamoStore::new(&client, reach.tables, Settings::default()),
        broadcaster: ManagementApi::new(&config, &reach.management_endpoint),
        clock: SystemClock,
    }
}
