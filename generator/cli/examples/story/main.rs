//! The story that `make run` tells, with the flagship on the local gateway: a live session, the stale deployment, new
//! code in both release modes, and the way back.
//!
//! It does what a person would do, with the commands that a person would use. It ends with 0 only if all of it held.
#![allow(clippy::print_stdout, reason = "a story is told")]

mod acts;
mod http;
mod people;
mod project;
mod stackgen;
mod tell;

use std::process::ExitCode;

use crate::tell::Failed;

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return tell::failed(&Failed::new(format!("no runtime: {error}"))),
    };
    let told = runtime.block_on(async {
        tokio::select! {
            told = acts::all() => told,
            () = interrupted() => Err(Failed::new("interrupted")),
        }
    });
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => tell::failed(&failed),
    }
}

/// Ctrl-C, or the system's polite request to end: what the story started ends with it.
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
