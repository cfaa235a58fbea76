//! Commands on mutated inputs: the project's own templates and stackgen.yaml files, changed at random.
//!
//! For any input, a command ends with an exit code that the documentation names, without a panic, within limits of time and
//! memory, and writes nothing outside of its folder. The same seed makes the same inputs. Failing inputs are saved in folders
//! that are printed.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "the figures are for people")]

#[path = "../../../lint/fuzz/targets/change.rs"]
mod change;
mod command;
#[allow(dead_code, reason = "the other test binaries use all of it")]
#[path = "../it/common.rs"]
mod common;
mod donors;
mod extreme;
mod figures;
mod input;
mod judge;
mod origins;
mod run;
mod text;
mod transplant;

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use command::Subject;
use figures::Figures;
use input::Input;
use judge::Violation;

/// The seed of the fixed selection, and of a full run without `STACKGEN_MUTATE_SEED`.
const SEED: u64 = 1;

/// The number of inputs between two lines of progress.
const PROGRESS: u64 = 500;

#[test]
fn no_input_of_a_fixed_selection_breaks_a_command() {
    let readers = run_inputs(SEED, Subject::Readers, 0..200);
    let dev = run_inputs(SEED, Subject::Dev, 0..5);
    assert_none(&[readers, dev].concat());
}

#[test]
#[ignore = "takes long: `make mutate` runs it"]
fn no_mutated_input_breaks_a_command() {
    let seed = number("STACKGEN_MUTATE_SEED").unwrap_or(SEED);
    let range = |count| match number("STACKGEN_MUTATE_INPUT") {
        Some(index) => index..index + 1,
        None => 0..count,
    };
    let readers = run_inputs(seed, Subject::Readers, range(6_000));
    let dev = run_inputs(seed, Subject::Dev, range(500));
    assert_none(&[readers, dev].concat());
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().expect("a whole number"))
}

/// Runs inputs, as many at a time as there are processors, prints a summary, and returns the failures.
fn run_inputs(seed: u64, subject: Subject, range: Range<u64>) -> Vec<Violation> {
    println!("{subject}: inputs {range:?} of seed {seed}");
    let next = AtomicU64::new(range.start);
    let figures = Mutex::new(Figures::default());
    let violations = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= range.end {
                        return;
                    }
                    let input = Input::new(seed, index);
                    for (invocation, run) in subject.run(&input) {
                        figures.lock().unwrap().add(&invocation, &run);
                        if let Some(violation) = judge::judge(&input, &invocation, &run) {
                            println!("{violation}");
                            violations.lock().unwrap().push(violation);
                        }
                    }
                    if (index + 1).is_multiple_of(PROGRESS) {
                        println!("{} of {}", index + 1, range.end);
                    }
                }
            });
        }
    });
    println!("{}", figures.into_inner().unwrap());
    violations.into_inner().unwrap()
}

fn assert_none(violations: &[Violation]) {
    let all: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(
        all.is_empty(),
        "{} failures:\n{}",
        all.len(),
        all.join("\n")
    );
}
