//! Tests of the local Lambda with real processes and sockets.

mod clients;
mod compared;
mod environments;
mod failures;
mod log_lines;
#[path = "../shared/puppet.rs"]
mod puppet;
mod runtimes;
mod support;
mod versions;
