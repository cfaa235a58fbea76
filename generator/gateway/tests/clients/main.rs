//! The gateway, as clients see it that we did not write: the `aws` command, wscat, a browser, and the Autobahn cases.
//!
//! `make tools` and the system's packages bring them. Where one is missing its tests say so and pass, but under `CI`,
//! where they fail.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod autobahn;
mod aws;
mod browser;
#[path = "../shared/puppet.rs"]
mod puppet;
mod support;
mod wscat;
