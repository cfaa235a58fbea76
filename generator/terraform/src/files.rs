//! Port to the files of a configuration.

use std::path::{Component, Path, PathBuf};

/// Files of a configuration. Paths are relative to the folder of the root module, or absolute.
pub trait ConfigurationFiles: Sync {
    /// Returns the content of a file; `None` if there is no such file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read. The text is the reason.
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, String>;

    /// Returns the names of the files in a folder, sorted; `None` if there is no such folder.
    fn file_names(&self, folder: &Path) -> Option<Vec<String>>;

    /// Returns the paths of all files below a folder, relative to it and sorted; `None` if there are too many.
    fn files_below(&self, folder: &Path) -> Option<Vec<String>>;

    /// Returns the absolute path of the root module's folder.
    fn root(&self) -> &Path;

    /// Returns the name of the root module's folder for messages; empty for the current folder.
    fn label(&self) -> &Path;
}

/// Returns a path without `.`, and without `..` after a name.
pub(crate) fn normalized(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        let is_named = matches!(normal.components().next_back(), Some(Component::Normal(_)));
        match part {
            Component::CurDir => {}
            Component::ParentDir if is_named => drop(normal.pop()),
            part => normal.push(part),
        }
    }
    normal
}
