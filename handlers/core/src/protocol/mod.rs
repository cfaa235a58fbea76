//! What clients and server say to each other: JSON objects, a client's with `action`, the server's with `type`.

mod client;
mod server;

pub use client::{ClientMessage, SpeakerState, parse};
pub use server::{Details, ErrorCode, ServerError, ServerMessage};
