//! HTTP APIs with the local issuer and with processes.

#[allow(
    dead_code,
    unused_imports,
    reason = "shared with the tests of gateway-apis"
)]
#[path = "../../../../gateway-apis/tests/http/http_api/builder.rs"]
mod builder;
mod jwt;
mod process;

use builder::{HttpApiBuilder, RunningApi, refused};
