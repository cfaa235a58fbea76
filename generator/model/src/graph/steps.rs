//! Step counter for tests: the cost of a graph must grow linearly with its size.

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Counts an iteration of a loop that could be nested in another one. Does nothing outside of tests.
#[inline]
pub(super) fn step() {
    #[cfg(test)]
    STEPS.set(STEPS.get() + 1);
}

/// Returns the number of steps of a computation on this thread.
#[cfg(test)]
pub(super) fn count<T>(compute: impl FnOnce() -> T) -> u64 {
    let before = STEPS.get();
    compute();
    STEPS.get() - before
}
