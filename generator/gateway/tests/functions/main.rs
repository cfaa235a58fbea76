//! Lambda on this machine, over real processes and real sockets.

mod clients;
mod environments;
mod failures;
mod log_lines;
mod runtimes;
mod support;
mod versions;
