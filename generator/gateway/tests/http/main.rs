//! HTTP tests over real sockets: tables, tokens, and HTTP APIs with the local issuer and with processes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(
    dead_code,
    unused_imports,
    reason = "shared with the tests of gateway-apis"
)]
#[path = "../../../gateway-apis/tests/shared/apis.rs"]
mod apis;
mod console;
mod console_stack;
mod http_api;
mod identity;
#[path = "../shared/puppet.rs"]
mod puppet;
mod sign_in;
#[allow(
    dead_code,
    unused_imports,
    reason = "shared with the tests of gateway-apis"
)]
#[path = "../../../gateway-apis/tests/http/support.rs"]
mod support;
mod tables;
mod users;
mod web_page;
