//! The control plane over real sockets, called by the AWS SDKs.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "a test reports what it skips")]

mod authorization;
mod deployments;
mod fields;
mod other_services;
mod protocol;
mod resources;
mod rules;
mod sequences;
mod stages;
mod support;
