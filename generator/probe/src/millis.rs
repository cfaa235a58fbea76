//! Serializes durations as milliseconds with microsecond precision.

use std::time::Duration;

use serde::Serializer;

pub(crate) fn as_millis(duration: Duration) -> f64 {
    // f64 represents the microseconds of any possible connection age exactly.
    duration.as_micros() as f64 / 1000.0
}

pub(crate) fn millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(as_millis(*duration))
}

pub(crate) fn some_millis<S: Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => millis(duration, serializer),
        None => serializer.serialize_none(),
    }
}
