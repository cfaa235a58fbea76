//! API Gateway on this machine: WebSocket and HTTP APIs, their data plane, and the API that AWS clients call.
//!
//! Everything listens on loopback.

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
