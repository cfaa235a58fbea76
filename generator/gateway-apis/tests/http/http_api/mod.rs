//! HTTP APIs over real sockets, with functions that are doubles.

mod authorizers;
mod cors;
mod events;
mod limits;
mod responses;
mod wiring;

pub(crate) use wiring::*;
