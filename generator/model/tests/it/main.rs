//! Tests of the model's public face.

mod diff;
mod model;
mod resolve;
mod sam;
mod snapshot;
mod support;
