//! The stores, held to what their ports promise.

mod cases;
mod support;
