//! Checks as functions of evidence that no emulator produces.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checks;
mod evidence;
mod faults;
mod open;
mod report;
