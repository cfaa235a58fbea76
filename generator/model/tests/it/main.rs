//! Tests of the model's public face.

mod diff;
mod effects;
mod hidden;
mod large;
mod model;
mod resolve;
mod sam;
mod snapshot;
mod support;
