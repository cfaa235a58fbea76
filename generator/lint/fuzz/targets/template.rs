//! Lints texts of libFuzzer and templates with changed parts.

#![no_main]

mod change;
mod donors;
#[path = "../../tests/corpus/invariants.rs"]
mod invariants;

use std::time::{Duration, Instant};

use libfuzzer_sys::{Corpus, fuzz_mutator, fuzz_target, fuzzer_mutate};

/// Maximum time per text and per byte: far more than needed, so that a busy machine causes no failure.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(4), Duration::from_micros(200));

fuzz_target!(|data: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else {
        return Corpus::Reject;
    };
    let start = Instant::now();
    invariants::assert_invariants(text);
    let (once, each) = PATIENCE;
    let most = once + each * u32::try_from(text.len()).unwrap_or(u32::MAX);
    assert!(
        start.elapsed() < most,
        "{:?} for {} bytes",
        start.elapsed(),
        text.len()
    );
    Corpus::Keep
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut random = fastrand::Rng::with_seed(seed.into());
    // Changes of bytes by libFuzzer find errors of the readers.
    if random.u8(..) < 64 {
        return fuzzer_mutate(data, size, max_size);
    }
    let text = std::str::from_utf8(&data[..size]).ok();
    match text.and_then(|text| change::changed(text, max_size, &mut random)) {
        Some(changed) => {
            data[..changed.len()].copy_from_slice(changed.as_bytes());
            changed.len()
        }
        None => fuzzer_mutate(data, size, max_size),
    }
});
