//! The control plane over real sockets, asked by the real SDKs and by the `aws` command.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod aws_command;
mod deployments;
mod fields;
mod protocol;
mod resources;
mod rules;
mod sequences;
mod stages;
mod support;
