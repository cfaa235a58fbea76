//! The Lambda functions of live sessions.

pub mod dynamo;
