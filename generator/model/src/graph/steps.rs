//! Counts what the loops of this module do, in tests: the cost of a graph grows with its size and no faster.

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Counts one turn of a loop that could be nested in another. Does nothing outside of tests.
#[inline]
pub(super) fn step() {
    #[cfg(test)]
    STEPS.set(STEPS.get() + 1);
}

/// Returns how many steps a computation takes on this thread.
#[cfg(test)]
pub(super) fn count<T>(compute: impl FnOnce() -> T) -> u64 {
    let before = STEPS.get();
    compute();
    STEPS.get() - before
}
