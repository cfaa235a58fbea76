//! The data plane of WebSocket APIs over real sockets, by rows of the reference.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../shared/apis.rs"]
mod apis;
mod authorization;
mod closes;
mod details;
mod endpoints;
mod events;
mod failures;
mod handshake;
mod limits;
mod management;
mod mapping;
mod messages;
mod moved_stage;
mod recorded;
mod support;
