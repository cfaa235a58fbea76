//! Start of the binaries: settings, logs and metrics, then the ports.

use std::hash::{BuildHasher, RandomState};

use aws_sdk_dynamodb as dynamodb;
use aws_types::SdkConfig;
use lambda_runtime::Error;
use live_session_core::ports::Ports;
use stackgen_websocket::metrics::count_circuit;
use stackgen_websocket::{
    BreakerOptions, CircuitBreaker, Environment, Lookup, ManagementApi, SystemClock,
};

use crate::config::{Config, ServiceConfig};
use crate::dynamo::{DynamoStore, StoreSettings, TableNames};

/// CloudWatch namespace of the metrics.
const NAMESPACE: &str = "LiveSession";

/// Prefixes of the crates to which `LOG_LEVEL` applies.
const OWN_CRATES: [&str; 3] = ["live_session", "live_session_core", "session_"];

/// Ports of a function on AWS.
pub type AwsPorts = Ports<DynamoStore, CircuitBreaker<ManagementApi>, SystemClock>;

/// Reads a function's settings, and starts its logs and metrics. Reports all invalid settings in one error.
pub fn start<T: Config>(lookup: impl Lookup) -> Result<T, Error> {
    let mut environment = Environment::new(lookup);
    let config = T::read(&mut environment);
    // Function processes that start at the same moment would otherwise draw the same random numbers, and DynamoDB
    // treats two transactions with the same token as one.
    fastrand::seed(RandomState::new().hash_one(0));
    // Before anything can fail, so that failures are logged.
    config.telemetry().install(&OWN_CRATES, NAMESPACE)?;
    Ok(environment.finish(config)?)
}

/// Ports of a function on AWS that posts to no connection.
pub type StorePorts = Ports<DynamoStore, (), SystemClock>;

/// Returns the ports of a function that posts to no connection. Calls no service yet.
pub fn store_ports(config: &SdkConfig, tables: TableNames) -> StorePorts {
    let client = dynamodb::Client::new(config);
    Ports {
        store: DynamoStore::new(&client, tables, StoreSettings::default()),
        broadcaster: (),
        clock: SystemClock,
    }
}

/// Returns the ports on AWS. Calls no service yet.
pub fn ports(config: &SdkConfig, services: ServiceConfig) -> AwsPorts {
    let client = dynamodb::Client::new(config);
    let management = ManagementApi::new(config, &services.management_endpoint);
    Ports {
        store: DynamoStore::new(&client, services.tables, StoreSettings::default()),
        broadcaster: CircuitBreaker::new(management, BreakerOptions::default(), count_circuit),
        clock: SystemClock,
    }
}
