//! Chat rooms: whoever joins a room gets what its members say.
//!
//! [`protocol`] is what clients send and get, [`rooms`] are the rules, both without AWS; [`dynamo`] keeps the
//! memberships, [`handler`] is the function between API Gateway and the rules.

pub mod config;
pub mod dynamo;
pub mod handler;
pub mod protocol;
pub mod rooms;
