//! Tests of the stores against the contract of their ports.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod audit;
mod cases;
mod concurrency;
mod connecting;
mod crowd;
mod faults;
mod interleavings;
mod support;
mod tables;
