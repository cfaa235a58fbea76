//! Texts of the fuzzer: those that once caused a failure, and those that cover much code. See `fuzz/README.md`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod invariants;

use std::fs;
use std::path::Path;

#[test]
fn texts_of_the_corpus_satisfy_the_invariants() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        // A failing test shows its output: the last line is the text.
        println!("{}", file.display());
        invariants::assert_invariants(&String::from_utf8_lossy(&fs::read(&file).unwrap()));
    }
}
