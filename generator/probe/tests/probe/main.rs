//! The probe against tiny servers on loopback that answer as they are told, byte by byte.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod dialling;
mod explaining;
mod frames;
mod handshakes;
mod properties;
mod running;
mod server;
mod tls;
