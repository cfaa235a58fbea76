//! Scenarios: each is a bug that the engine once had.
