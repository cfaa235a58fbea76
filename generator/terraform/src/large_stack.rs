//! Threads for recursive functions.

use std::thread;

/// Size of the stack in bytes. Pages that are not used take no memory.
const STACK: usize = 256 * 1024 * 1024;

/// Calls a function on a thread with a large stack: expressions, and the names in them, are evaluated recursively.
pub(crate) fn on_large_stack<T: Send>(call: &(impl Fn() -> T + Sync)) -> T {
    thread::scope(|scope| {
        let builder = thread::Builder::new().stack_size(STACK);
        match builder.spawn_scoped(scope, call) {
            Ok(thread) => match thread.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            },
            // Without memory for the stack, that of the caller has to do.
            Err(_) => call(),
        }
    })
}
