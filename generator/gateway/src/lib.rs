//! API Gateway and Lambda on this machine: runs a rendered template as the stage would, row by row of
//! `docs/reference/api-gateway-websocket.md`.
//!
//! Nothing here prints, exits or reads the environment; everything listens on loopback.

pub mod access_log;
pub mod apis;
mod arn;
mod body;
pub mod connections;
pub mod control;
mod data_plane;
mod event;
mod failures;
pub mod functions;
pub mod gateway;
mod grants;
pub mod http_api;
pub mod identity;
mod ids;
pub mod logs;
pub mod management;
mod roles;
pub mod server;
mod settings;
pub mod sigv4;
pub mod stack;
pub mod tables;
mod throttle;
mod time;
pub mod websocket;

pub use arn::{FunctionArn, Place, matches};
pub use data_plane::DataPlane;
pub use event::{Event, Events, MessageOutcome};
pub use failures::{AuthorizerRecord, FailureLog, FailureRecord, FailureSubject, ThrownError};
pub use grants::Grants;
pub use ids::{
    ApiId, AuthorizerId, ConnectionId, DeploymentId, IntegrationId, IntegrationResponseId, ModelId,
    RouteId, RouteKey, RouteResponseId, StageName, request_id, resource_id, trace_id, uuid,
};
pub use roles::{Effect, Roles, Statement};
pub use settings::{ControlSettings, FunctionSettings, Limits, Settings};
pub use time::Timestamp;
