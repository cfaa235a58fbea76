//! Files of configurations in memory and in a folder.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use stackgen_terraform::ConfigurationFiles;

/// Files in memory.
#[derive(Default)]
pub(crate) struct MemoryFiles(BTreeMap<PathBuf, Vec<u8>>);

impl MemoryFiles {
    pub(crate) fn new<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Self {
        let files = files.into_iter();
        MemoryFiles(
            files
                .map(|(path, text)| (plain(Path::new(path)), text.as_bytes().to_vec()))
                .collect(),
        )
    }
}

fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

impl ConfigurationFiles for MemoryFiles {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, String> {
        Ok(self.0.get(&plain(path)).cloned())
    }

    fn file_names(&self, folder: &Path) -> Option<Vec<String>> {
        let folder = plain(folder);
        let files = self.0.keys().filter(|path| path.parent() == Some(&folder));
        let names: Vec<String> = files
            .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
            .collect();
        (!names.is_empty()).then_some(names)
    }

    fn files_below(&self, folder: &Path) -> Option<Vec<String>> {
        let folder = plain(folder);
        if folder == Path::new("too-many") {
            return None;
        }
        let files = self
            .0
            .keys()
            .filter_map(|path| path.strip_prefix(&folder).ok());
        let files = files.map(|path| path.to_string_lossy().into_owned());
        Some(files.collect())
    }

    fn root(&self) -> &Path {
        Path::new("/project")
    }

    fn label(&self) -> &Path {
        Path::new("")
    }
}
