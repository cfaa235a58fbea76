//! Tests of the authorizer against an issuer: HTTP, keys, signatures, cache and decision. Only the clock is replaced.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attacks;
mod cases;
mod handler;
mod issuer;
mod properties;
mod world;
