//! Origin of the library in a project.

/// Origin of the library stackgen-websocket in a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LibraryOrigin {
    /// Source in the folder `vendor`.
    Vendored,
    /// A published version.
    Registry,
}
