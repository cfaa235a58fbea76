//! What the binaries have in common: settings, logs and metrics first, then the ports.

use std::hash::{BuildHasher, RandomState};

use aws_sdk_dynamodb as dynamodb;
use aws_types::SdkConfig;
use lambda_runtime::Error;
use live_session_core::ports::Ports;
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
    // Environments that start at the same moment would draw the same random numbers otherwise, and DynamoDB takes two
    // transactions with one token for one.
    fastrand::seed(RandomState::new().hash_one(0));
    // Before anything can go wrong: what does is logged.
    config.telemetry().install(&OWN, NAMESPACE)?;
    Ok(environment.finish(config)?)
}

/// Tables and connections on AWS. Nothing is called yet.
pub fn ports(config: &SdkConfig, reach: Reach) -> AwsPorts {
    let client = dynamodb::Client::new(config);
    Ports {
        store: DynamoStore::new(&client, reach.tables, Settings::default()),
        broadcaster: ManagementApi::new(config, &reach.management_endpoint),
        clock: SystemClock,
    }
}
