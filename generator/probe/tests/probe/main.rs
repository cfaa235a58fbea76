//! Tests of the probe against scripted servers on loopback.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod connecting;
mod emulator;
mod explanations;
mod frames;
mod handshakes;
mod loads;
mod properties;
mod proxy;
mod running;
mod server;
mod tls;
