//! Lambda functions of live sessions.
//!
//! Each function has a module: [`authorizer`], [`connection`], [`disconnect`], [`audio`], [`http`], [`reconciler`]. A
//! module's `handle` takes ports and an event, so that tests can call it. The binaries in `src/bin` create the ports and
//! pass `handle` to the Lambda runtime.

pub mod audio;
pub mod authorizer;
pub mod config;
pub mod connection;
pub mod disconnect;
pub mod dynamo;
pub mod events;
pub mod http;
mod metrics;
pub mod reconciler;
pub mod relay;
pub mod start;
