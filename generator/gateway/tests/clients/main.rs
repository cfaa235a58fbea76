//! Tests with third-party clients: the `aws` command, wscat, a browser and the Autobahn cases.
//!
//! `make tools` and system packages install them. If one is missing, its tests are skipped; with `CI` set, they
//! fail.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod autobahn;
mod aws;
mod browser;
mod http2;
#[path = "../shared/puppet.rs"]
mod puppet;
mod support;
mod wscat;
