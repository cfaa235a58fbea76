//! Tests of the binaries, run as Lambda runs them: over the Runtime API, with an embedded DynamoDB, a management
//! endpoint and an issuer on loopback, and events in recorded form (rows E0 to E4).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "nobody sees a test from outside")]

mod authorizer;
mod failures;
mod http;
mod lifecycle;
mod reconciler;
mod shares;
mod stack;
mod tickets;

/// Shared with the store's tests.
#[allow(dead_code, reason = "not everything is needed here")]
#[path = "../store/support/mod.rs"]
mod support;
