//! Tests of the model's public API.

mod diff;
mod effects;
mod hidden;
mod large;
mod model;
mod resolve;
mod sam;
mod snapshot;
mod support;
