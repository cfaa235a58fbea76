//! API Gateway and Lambda on this machine: runs a rendered template as the stage would, row by row of
//! `docs/reference/api-gateway-websocket.md`.
//!
//! Nothing here prints, exits or reads the environment; everything listens on loopback.

#![forbid(unsafe_code)]

pub mod control;
pub mod gateway;
pub mod identity;
pub mod tables;

pub use stackgen_gateway_apis::apis;
pub use stackgen_gateway_common::{
    ApiId, ConnectionId, DeploymentId, Event, Events, FailureRecord, FailureSubject, IntegrationId,
    Limits, MessageOutcome, Place, RouteKey, Settings, StageName, WatcherCommand,
};
pub use stackgen_gateway_lambda::functions;
pub use stackgen_gateway_stack as stack;
