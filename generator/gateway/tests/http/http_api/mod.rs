//! HTTP APIs with the local issuer and with processes.

mod jwt;
mod process;
#[allow(
    dead_code,
    unused_imports,
    reason = "shared with the tests of gateway-apis"
)]
#[path = "../../../../gateway-apis/tests/http/http_api/wiring.rs"]
mod wiring;

use wiring::{Running, Wiring, refused};
