//! Tests of the reader of Terraform configurations.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod console;
mod convert;
mod deployments;
mod files;
mod generated;
mod json_syntax;
mod modules;
mod unknown;
