//! The HTTP side of the gateway over real sockets: @connections with the AWS SDK, HTTP APIs, tables, tokens.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../shared/apis.rs"]
mod apis;
mod http_api;
mod identity;
mod management;
#[path = "../shared/puppet.rs"]
mod puppet;
mod support;
mod tables;
