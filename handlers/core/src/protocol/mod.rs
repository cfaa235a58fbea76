//! Messages between clients and server: JSON objects. Those from clients have an `action`, those from the server a
//! `type`.

mod client;
mod server;

pub use client::{ClientMessage, SpeakerState, parse};
pub use server::{Details, ErrorCode, ServerError, ServerMessage};
