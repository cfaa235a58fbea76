//! Types that all parts of the local gateway share: identifiers, ARNs, events, failures, roles, logs, settings.

#![forbid(unsafe_code)]

mod account_access;
mod arn;
mod aws_host;
pub mod body;
pub mod endpoints;
mod event;
mod event_pattern;
mod failures;
mod grants;
mod ids;
pub mod invoke;
pub mod logs;
mod pattern_number;
mod refuse;
mod roles;
pub mod services;
mod settings;
pub mod sigv4;
mod time;
mod traffic;
mod trust;

pub use stackgen_model::access_log;

pub use account_access::{FunctionSecret, SignError, SignRequest};
pub use arn::{ArnScope, FunctionArn, pattern_matches};
pub use aws_host::AwsHost;
pub use event::{
    AuthorizerCall, Event, EventReceiver, Events, FrameText, FunctionCall, HandshakeDetails,
    JsonText, MessageOutcome, NamedValue, NamedValues, RecordedEvent, StreamLine, StreamNote,
    stream_schema,
};
pub use event_pattern::{EventPattern, EventPatternError};
pub use failures::{
    AuthorizerRecord, FailureEvidence, FailureLog, FailureRecord, FailureSubject, ThrownError,
    log_without_error,
};
pub use grants::{FederatedCaller, Grants};
pub use ids::{
    ApiId, AuthorizerId, ConnectionId, DeploymentId, IntegrationId, IntegrationResponseId, ModelId,
    RouteId, RouteKey, RouteResponseId, StageName, request_id, resource_id, trace_id,
    trace_id_or_new, uuid, uuid_of_digest,
};
pub use refuse::refuse;
pub use roles::{PolicyEffect, PolicyStatement, RoleStore};
pub use settings::{
    ControlSettings, FunctionSettings, HelperCommand, Limits, RateLimits, Settings,
};
pub use time::EpochMillis;
pub use traffic::{ClientEvent, ClientEventKind, ClientHandshake, Traffic};
pub use trust::{ADDED_ROOTS_VARIABLE, TRUST_VARIABLES};
