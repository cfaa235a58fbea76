//! Merges layers into one folder, as Lambda does in `/opt`.

use std::fs;
use std::io;
use std::path::Path;

use aws_lc_rs::digest;

use super::super::FunctionError;
use super::{Code, CopiedCode};

/// Copies layers into a new folder.
pub(super) fn merge(layers: &[Code], root: &Path) -> Result<CopiedCode, FunctionError> {
    let failed = |error: io::Error| FunctionError::file("cannot merge layers", &error);
    fs::create_dir(root).map_err(failed)?;
    let mut digest = digest::Context::new(&digest::SHA256);
    let mut size = 0;
    for layer in layers {
        let unmerged = root.with_extension("layer");
        let copied = layer.copy(&unmerged)?;
        digest.update(&copied.sha256);
        size += copied.size;
        move_into(&unmerged, root).map_err(failed)?;
        fs::remove_dir_all(&unmerged).map_err(failed)?;
    }
    Ok(CopiedCode {
        sha256: digest.finish().as_ref().to_vec(),
        size,
    })
}

/// Moves the entries of a folder into another one. They replace those with the same name, except that folders are merged.
fn move_into(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let is_folder = entry.file_type()?.is_dir();
        if is_folder && target.is_dir() {
            move_into(&entry.path(), &target)?;
            continue;
        }
        if target.is_dir() {
            fs::remove_dir_all(&target)?;
        } else if is_folder && target.exists() {
            fs::remove_file(&target)?;
        }
        fs::rename(entry.path(), target)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_later_layers_replace_those_of_earlier_ones() {
        let parent = tempfile::tempdir().expect("a folder");
        let layer = |name: &str, files: &[(&str, &str)]| {
            let folder = parent.path().join(name);
            for (path, text) in files {
                let path = folder.join(path);
                fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                fs::write(path, text).expect("written");
            }
            Code::Folder(folder)
        };
        let first = layer(
            "a",
            &[
                ("python/one.py", "1"),
                ("python/both.py", "1"),
                ("x/file", ""),
                ("y", ""),
            ],
        );
        let second = layer(
            "b",
            &[
                ("python/both.py", "2"),
                ("bin/tool", ""),
                ("x", ""),
                ("y/file", ""),
            ],
        );
        let root = parent.path().join("opt");
        let copied = merge(&[first.clone(), second.clone()], &root).expect("merged");
        let read = |path: &str| fs::read_to_string(root.join(path)).expect("a file");
        assert_eq!(
            ["python/one.py", "python/both.py", "bin/tool", "x", "y/file"].map(read),
            ["1", "2", "", "", ""]
        );
        assert!(!parent.path().join("opt.layer").exists());
        let reversed = merge(&[second, first], &parent.path().join("other")).expect("merged");
        assert_ne!(copied.sha256, reversed.sha256);
    }
}
