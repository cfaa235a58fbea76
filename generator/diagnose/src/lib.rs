//! Diagnosis of WebSocket APIs in an account: the logs of a stage joined by connection, and the checks of `stackgen doctor`.
//!
//! It uses no SDK: traits declare the calls to an account, and `stackgen-aws` implements them.

pub mod doctor;
pub mod logs;
