//! HTTP APIs and @connections over real sockets, the latter with the AWS SDK.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../shared/apis.rs"]
mod apis;
mod http_api;
mod management;
mod support;
