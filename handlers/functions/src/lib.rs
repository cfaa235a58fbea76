//! The Lambda functions of live sessions.
//!
//! One module a function: [`connection`], [`disconnect`], [`audio`], [`http`]; the authorizer is the library's. Each takes
//! ports and an event, so that tests can call it; the binaries in `src/bin` make the ports and hand them to Lambda.

pub mod audio;
pub mod config;
pub mod connection;
pub mod disconnect;
pub mod dynamo;
pub mod events;
pub mod http;
mod metrics;
pub mod relay;
pub mod start;
