//! The local gateway: API Gateway, Lambda, DynamoDB and a token issuer, which run a template as AWS would. Rows such as
//! D1 are rows of `docs/reference/api-gateway-websocket.md`.
//!
//! This crate never prints, exits or reads the environment. All its listeners are on loopback.

#![forbid(unsafe_code)]

pub mod control;
mod event_sources;
pub mod gateway;
mod identities;
pub mod identity;
mod invocations;
pub mod outbound;
mod page;
mod query_protocol;
mod schedule_calls;
mod schedule_times;
mod schedules;
mod secret;
mod service_resources;
pub mod tables;
pub mod tls;
mod triggers;

pub use stackgen_gateway_apis::apis;
pub use stackgen_gateway_common::{
    ApiId, ArnScope, ClientEvent, ClientEventKind, ClientHandshake, ConnectionId, DeploymentId,
    Event, EventReceiver, Events, FailureEvidence, FailureRecord, FailureSubject, FrameText,
    FunctionSettings, HandshakeDetails, HelperCommand, IntegrationId, Limits, MessageOutcome,
    RecordedEvent, RouteKey, Settings, SignError, SignRequest, StageName, StreamLine, StreamNote,
    Traffic, log_without_error, stream_schema,
};
pub use stackgen_gateway_lambda::functions;
pub use stackgen_gateway_stack as stack;
