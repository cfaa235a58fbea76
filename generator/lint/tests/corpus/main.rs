//! Texts that the fuzzer kept: those in which something was wrong once, and those that lead to many places. See
//! `fuzz/README.md`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod invariants;

use std::fs;
use std::path::Path;

#[test]
fn texts_that_the_fuzzer_kept() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        // A test that fails shows what it has printed: the last line is the text.
        println!("{}", file.display());
        invariants::assert_invariants(&String::from_utf8_lossy(&fs::read(&file).unwrap()));
    }
}
