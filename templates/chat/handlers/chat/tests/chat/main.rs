//! The rooms on a DynamoDB of this machine and an @connections endpoint, called directly and as Lambda calls them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod binaries;
mod rooms;
mod world;
