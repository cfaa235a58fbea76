//! The authorizer against a real issuer: HTTP, keys, signatures, cache and decision, with nothing replaced but the
//! clock.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attacks;
mod cases;
mod handler;
mod issuer;
mod properties;
mod world;
