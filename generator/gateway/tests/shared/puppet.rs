//! The function that does what its event tells it.

use std::path::{Path, PathBuf};

/// Where cargo builds it: it is an example of this package, beside the tests.
///
/// # Panics
///
/// If it was not built.
pub(crate) fn puppet() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let profile = test.parent().and_then(Path::parent);
    let puppet = profile.expect("it lies in deps/").join("examples/puppet");
    assert!(
        puppet.is_file(),
        "{} is missing: cargo build --workspace --examples",
        puppet.display()
    );
    puppet
}
