//! Demo of `make run`, with the flagship on the local gateway: a live session, the stale deployment, new code in both
//! release modes, and rollbacks.
//!
//! It runs the commands that a user would run, and exits with 0 only if every step had the expected result.
#![allow(clippy::print_stdout, reason = "the demo prints its steps")]

mod acts;
mod callers;
mod http;
mod print;
mod project;
mod stackgen;

use std::process::ExitCode;

use crate::print::DemoError;

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return print::failed(&DemoError::new(format!("no runtime: {error}"))),
    };
    let result = runtime.block_on(async {
        tokio::select! {
            result = acts::all() => result,
            () = interrupted() => Err(DemoError::new("interrupted")),
        }
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => print::failed(&failed),
    }
}

/// Waits for SIGINT or SIGTERM. Processes that the demo started end with it.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminated) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
        },
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}
