//! Kind of a changed file.

/// Kind of a changed file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChangedFile {
    /// The project file or template.
    Project,
    /// Source of a function.
    Source,
    /// Code of a function that is not built here.
    Code,
}
