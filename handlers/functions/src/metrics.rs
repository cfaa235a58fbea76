//! What is counted.

use stackgen_websocket::Report;

/// A connection came in.
pub fn connected(_role: &'static str) {}

/// A handshake was refused.
pub fn refused(_reason: &'static str) {}

/// A connection was closed, and its record removed.
pub fn disconnected(_role: &'static str) {}

/// A message went out to many.
pub fn fanned_out(_report: &Report) {}
