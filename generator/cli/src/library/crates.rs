//! Crates of the library, and their folder in a project.

/// Folder of the library in a project.
pub(crate) const VENDOR_FOLDER: &str = "vendor";

/// File in that folder that records what was written there.
pub(super) const RECORD_FILE: &str = "stackgen.json";

/// A crate of the library.
pub(crate) struct LibraryCrate {
    /// Name of the crate, and of its folder in `vendor`.
    pub(crate) name: &'static str,
    /// Folder in this repository.
    pub(super) folder: &'static str,
}

/// The crates of the library.
pub(crate) const CRATES: [LibraryCrate; 2] = [
    LibraryCrate {
        name: "stackgen-websocket",
        folder: "handlers/websocket/",
    },
    LibraryCrate {
        name: "stackgen-websocket-testing",
        folder: "handlers/websocket-testing/",
    },
];
