//! What tests of several crates need: third-party programs, an [HTTP proxy](TestProxy), a [private certificate
//! authority](PrivateCa), and an [account](FakeAws).
//!
//! `cargo test` passes on a machine that has Rust and nothing else: a test whose program is missing is skipped, with one line.
//! `make test` installs the programs first. With `CI=true` a missing program is a failure.

mod fake_aws;
mod private_ca;
mod proxy;
mod skipped;

use std::env;
use std::path::{Path, PathBuf};

pub use fake_aws::{AwsRequest, FakeAws};
pub use private_ca::PrivateCa;
pub use proxy::TestProxy;

/// Returns the path of a program or file that `make tools` installs under `.tools`, or skips the test.
///
/// # Panics
///
/// Panics if it is missing and `CI` is set.
pub fn installed(path: &str) -> Option<PathBuf> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let found = root.join(".tools").join(path);
    // Not canonical: the Python of a virtual environment is a link to the system's.
    found.exists().then_some(found).or_else(|| {
        skip(&format!("{path} is not installed; `make tools` does that"));
        None
    })
}

/// Returns the path of a program on `PATH`, or skips the test.
///
/// # Panics
///
/// Panics if it is missing and `CI` is set.
pub fn on_path(program: &str) -> Option<PathBuf> {
    on_path_everywhere(program).or_else(|| {
        skip(&format!("{program} is not on PATH"));
        None
    })
}

/// Reports that the running test is skipped, and for what reason. The caller returns.
///
/// # Panics
///
/// Panics if `CI` is set.
pub fn skip(reason: &str) {
    let in_ci = env::var_os("CI").is_some_and(|value| !value.is_empty());
    assert!(!in_ci, "{reason}; nothing is skipped with CI set");
    skipped::report(reason);
}

/// Reports that the running test is skipped, in CI too: for a program that cannot be installed everywhere.
pub fn skip_everywhere(reason: &str) {
    skipped::report(reason);
}

/// Returns the path of a program on `PATH`: for programs that cannot be installed everywhere. The caller reports what it skips.
pub fn on_path_everywhere(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}
