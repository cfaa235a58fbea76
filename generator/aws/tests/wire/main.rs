//! The adapters against AWS's wire formats: what is sent, and what is made of each answer. Paths, members and errors are
//! those of the service models that botocore carries (`apigatewayv2` 2018-11-29, `lambda` 2015-03-31, `sts` 2011-06-15).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod describe;
mod failures;
mod functions;
mod gateway;
mod replay;
