//! Shared by the tests: tables in DynamoDB, and sessions and connections to put into them.

pub(crate) mod database;
pub(crate) mod faults;
pub(crate) mod fixtures;
pub(crate) mod latency;
