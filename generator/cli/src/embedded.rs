//! Files of the repository that this program contains, for `init` and `vendor`.

/// A file: its path from the repository's root, and its text.
type SourceFile = (&'static str, &'static str);

/// Files of the starters and handlers, in order. `build.rs` writes the list.
pub(crate) const SOURCES: &[SourceFile] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));

/// Returns the text of a file.
///
/// # Panics
///
/// If there is no such file. Tests write every starter and the library.
pub(crate) fn text(path: &str) -> &'static str {
    let file = SOURCES.iter().find(|(name, _)| *name == path);
    file.expect("the file is there: tests write every starter and the library")
        .1
}
