//! Seeds of simulations: those that failed once, and as many others as are asked for.

use std::io::Write as _;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;

/// Runs a simulation for the seeds that failed once, and for `STACKGEN_SIMULATE_SEEDS` others or `default`. A long run goes on
/// after a failure, and adds the seed to the file.
pub(crate) fn check(file: &str, failed: &str, default: u64, simulate: impl Fn(u64) + Sync) {
    let known = failed.lines().filter_map(|line| line.parse().ok());
    known.for_each(&simulate);
    let Ok(seeds) = std::env::var("STACKGEN_SIMULATE_SEEDS") else {
        (0..default).for_each(simulate);
        return;
    };
    let seeds: u64 = seeds.parse().expect("a number of seeds");
    let found = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get) as u64;
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (found, simulate) = (&found, &simulate);
            scope.spawn(move || {
                for seed in (thread..seeds).step_by(threads as usize) {
                    if catch_unwind(AssertUnwindSafe(|| simulate(seed))).is_err() {
                        found.lock().unwrap().push(seed);
                    }
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    if !found.is_empty() {
        keep(file, &found);
        panic!(
            "{} seeds failed; they are in {file}: {found:?}",
            found.len()
        );
    }
}

fn keep(file: &str, seeds: &[u64]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    for seed in seeds.iter().take(100) {
        writeln!(file, "{seed}").unwrap();
    }
}
