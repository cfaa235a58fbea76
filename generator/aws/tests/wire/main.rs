//! The account against AWS's wire formats: requests that are sent, and conversion of the answers. Paths, members and
//! errors are those of botocore's service models (`apigatewayv2` 2018-11-29, `lambda` 2015-03-31, `sts` 2011-06-15).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cloudformation;
mod description;
mod doctor;
mod failures;
mod functions;
mod gateway;
mod logs;
mod network;
mod preflight;
mod replay;
mod roles;
mod stack_events;
mod trail;
