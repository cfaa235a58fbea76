//! HTTP APIs over real sockets, with test doubles as functions.

mod authorizers;
mod cors;
mod events;
mod limits;
mod responses;
mod wiring;

pub(crate) use wiring::*;
