//! Async runtimes.

use crate::error::CliError;

/// Runs a future to its end on this thread.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| CliError::failed(format!("cannot start: {error}")))?;
    runtime.block_on(work)
}
