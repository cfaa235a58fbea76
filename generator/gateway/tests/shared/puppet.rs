//! The puppet, a function that does what its event asks for.

use std::path::{Path, PathBuf};

/// Returns the path where cargo builds the puppet, which is an example of this package.
///
/// # Panics
///
/// If it was not built.
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
