//! Finds the puppet: a function that runs the commands in its event.

use std::path::{Path, PathBuf};

/// Returns the path of the puppet. Cargo builds it as an example of this package.
///
/// # Panics
///
/// If it is not built.
pub(crate) fn puppet() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let profile = test.parent().and_then(Path::parent);
    let puppet = profile
        .expect("the test is in deps/")
        .join("examples/puppet");
    assert!(
        puppet.is_file(),
        "{} is missing: cargo build --workspace --examples",
        puppet.display()
    );
    puppet
}
