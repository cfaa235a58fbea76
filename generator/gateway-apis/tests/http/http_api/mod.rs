//! HTTP APIs over real sockets, with test doubles as functions.

mod authorizers;
mod builder;
mod cors;
mod events;
mod limits;
mod responses;

pub(crate) use builder::*;
