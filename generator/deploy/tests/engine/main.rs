//! Tests against an account in memory, in which any call can fail.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod auto_deploy;
mod code;
mod digest;
mod drift;
mod faults;
mod foreign_evidence;
mod memory;
mod metadata;
mod models;
mod prune;
mod redeploy;
#[path = "../common/seeds.rs"]
mod seeds;
mod simulation;
mod stack_evidence;
mod stacks;
mod status;
mod support;
mod verify;
mod versions;
