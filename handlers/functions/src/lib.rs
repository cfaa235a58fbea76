//! The Lambda functions of live sessions.
