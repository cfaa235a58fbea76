//! Lambda on this machine, over real processes and real sockets.

mod clients;
mod environments;
mod failures;
mod log_lines;
#[path = "../shared/puppet.rs"]
mod puppet;
mod runtimes;
mod support;
mod versions;
