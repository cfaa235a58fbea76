//! Lambda on this machine: functions as processes, and the API that AWS clients call.

#![forbid(unsafe_code)]

pub mod control;
pub mod functions;
