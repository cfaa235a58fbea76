//! Tools to test the Lambda functions of WebSocket APIs locally: a Lambda Runtime API that runs a binary as Lambda does, an
//! `@connections` endpoint, an OIDC issuer, and events in API Gateway's form.
//!
//! Servers listen on a free port of 127.0.0.1, and stop when they are dropped.

pub mod events;
mod issuer;
mod management;
mod process;
mod runtime_api;
mod server;

pub use issuer::{
    CONFIGURATION_PATH, Fetches, Issuer, IssuerMode, KEYS_PATH, SigningKey, Token, signed_text,
};
pub use management::{ConnectionBehavior, ManagementEndpoint, ManagementRequest};
pub use process::{Function, ProcessExited};
pub use runtime_api::{InvocationResult, RuntimeApi};
