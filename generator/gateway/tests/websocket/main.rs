//! The data plane of WebSocket APIs over real sockets, row by row of the reference.

mod authorization;
mod closes;
mod events;
mod handshake;
mod limits;
mod messages;
mod processes;
mod support;
