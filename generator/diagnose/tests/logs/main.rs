//! Reading, following and joining logs, against CloudWatch Logs in memory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod following;
mod joining;
mod memory;
mod reading;
mod searching;
mod showing;
