//! Chat rooms: members of a room receive the messages of all other members.
//!
//! [`protocol`] holds the messages and [`rooms`] the rules, both without AWS. [`dynamo`] stores the memberships.
//! [`handler`] connects API Gateway with the rules.

pub mod config;
pub mod dynamo;
pub mod handler;
pub mod protocol;
pub mod rooms;
