//! The local Lambda: functions that run as processes, and their API for AWS clients.

#![forbid(unsafe_code)]

pub mod control;
pub mod functions;
