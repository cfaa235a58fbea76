//! The local API Gateway: WebSocket and HTTP APIs, their data plane, and their control plane for AWS clients.
//!
//! All listeners are on loopback. Rows such as D1 are rows of `docs/reference/api-gateway-websocket.md`.

#![forbid(unsafe_code)]

pub mod access_log;
pub mod apis;
pub mod connections;
pub mod control;
mod data_plane;
pub mod http_api;
pub mod management;
pub mod server;
mod throttle;
pub mod websocket;

pub use data_plane::DataPlane;
