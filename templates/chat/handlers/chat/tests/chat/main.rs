//! Tests with an embedded DynamoDB and an `@connections` endpoint.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod binaries;
mod rooms;
mod world;
