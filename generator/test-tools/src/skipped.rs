//! The line that a skipped test prints, with the number of tests that this run skipped so far.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::{env, thread};

/// Prints one line about the running test.
pub(crate) fn report(reason: &str) {
    let test = thread::current().name().unwrap_or("a test").to_owned();
    let count = count(&file_of_run(), &test).map_or(String::new(), |n| format!(" {n}"));
    // `eprintln!` would be captured: nobody sees what a test prints that passes.
    let _ = writeln!(io::stderr(), "skipped{count}: {test}: {reason}");
}

/// Adds a line to the file of this run and returns the number of lines. A test binary knows nothing of the others; `cargo
/// test`, which started all of them, is the parent of each.
fn count(file_of_run: &Path, test: &str) -> io::Result<usize> {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(file_of_run)?;
    file.write_all(format!("{test}\n").as_bytes())?;
    Ok(fs::read_to_string(file_of_run)?.lines().count())
}

#[cfg(unix)]
fn file_of_run() -> PathBuf {
    let parent = std::os::unix::process::parent_id();
    // Process ids come back; together with the time of its start, an id is unique.
    let stat = fs::read_to_string(format!("/proc/{parent}/stat")).unwrap_or_default();
    let started = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.split(' ').nth(19));
    let name = format!("stackgen-skipped-{parent}-{}", started.unwrap_or_default());
    env::temp_dir().join(name)
}

#[cfg(not(unix))]
fn file_of_run() -> PathBuf {
    env::temp_dir().join(format!("stackgen-skipped-{}", std::process::id()))
}

#[test]
fn every_skipped_test_of_a_run_is_counted() {
    let file = env::temp_dir().join(format!("stackgen-counts-{}", std::process::id()));
    let counts = ["one", "two"].map(|test| count(&file, test).ok());
    fs::remove_file(&file).ok();
    assert_eq!(counts, [Some(1), Some(2)]);
}
