//! WebSocket APIs over real sockets, with processes as functions.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(
    dead_code,
    unused_imports,
    reason = "shared with the tests of gateway-apis"
)]
#[path = "../../../gateway-apis/tests/shared/apis.rs"]
mod apis;
mod processes;
#[path = "../shared/puppet.rs"]
mod puppet;
#[allow(
    dead_code,
    unused_imports,
    reason = "shared with the tests of gateway-apis"
)]
#[path = "../../../gateway-apis/tests/websocket/support/mod.rs"]
mod support;
