//! The binaries, each run as Lambda runs it: over the Runtime API, on a real DynamoDB, a management endpoint and an
//! issuer on loopback, with events in the recorded shape (rows E0 to E4).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "nobody sees a test from outside")]

mod authorizer;
mod failures;
mod http;
mod shares;
mod stack;
mod story;

/// The store's tests have it, too.
#[allow(dead_code, reason = "not everything is needed here")]
#[path = "../store/support/mod.rs"]
mod support;
