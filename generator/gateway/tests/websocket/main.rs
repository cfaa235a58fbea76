//! The data plane of WebSocket APIs over real sockets, row by row of the reference.

mod handshake;
mod support;
