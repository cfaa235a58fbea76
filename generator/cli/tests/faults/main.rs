//! `stackgen deploy --redeploy-stage` and `stackgen deployments rollback` while calls fail and signals come.
//!
//! A proxy stands between the binary and a local gateway. Scenarios are tests with names; the matrix tries every fault at
//! every call. A violation names its case, and `STACKGEN_FAULT_CASE` runs that one again.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::print_stdout,
    reason = "the figures of a matrix are for people"
)]

mod case;
#[allow(dead_code, reason = "the other test binary uses all of it")]
#[path = "../it/common.rs"]
mod common;
mod fault;
mod journal;
mod matrix;
mod operation;
mod oracle;
mod pairwise;
mod proxy;
mod run;
mod scenarios;
mod subject;
mod wire;
mod world;
