//! HTTP APIs and the management API over real sockets. The management API is called by the AWS SDK.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../shared/apis.rs"]
mod apis;
mod http_api;
mod management;
mod slow_clients;
mod support;
