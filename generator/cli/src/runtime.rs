//! Async runtimes.

use crate::error::{CliError, reason};

/// Runs a future to its end on this thread.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| CliError::failed(format!("cannot start: {error}")))?;
    runtime.block_on(work)
}

/// Runs a future on all processors, so that sockets and functions of a gateway do not wait for each other.
pub(crate) fn run_on_all_processors<T>(work: impl Future<Output = T>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime
        .map_err(|error| CliError::failed(format!("cannot start threads: {}", reason(&error))))?;
    Ok(runtime.block_on(work))
}
