//! The engine against an account in memory, which fails where a test wants it to.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod account;
mod code;
mod digest;
mod faults;
mod labels;
mod prune;
mod redeploy;
mod status;
