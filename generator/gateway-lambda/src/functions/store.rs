//! Store for copies of code. A copy exists as long as a version or a process needs it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::process::getuid;
use stackgen_gateway_common::FunctionSettings;
use tempfile::TempDir;

use super::code::StoredFolder;
use super::processes::gateway_mark;
use super::runtimes::{Bootstraps, project_folders};
use super::watcher::{Watcher, clean_up};
use super::{Code, CodeCopy, CodeFolder, FunctionError};

/// Prefix of the names of stores.
const STORE_PREFIX: &str = "stackgen-code-";

/// Lock file of a store. The system releases the lock when the gateway's process ends.
const LOCK_FILE: &str = "lock";

/// Copies of one gateway.
#[derive(Debug)]
pub(crate) struct CodeStore {
    folder: TempDir,
    /// Copies in use by digest, so that equal code is stored once.
    copies: Mutex<HashMap<Vec<u8>, Weak<StoredFolder>>>,
    /// Files that were copied, with their state at that time. An unchanged file is not copied again.
    copied_files: Mutex<HashMap<PathBuf, (FileStamp, CodeCopy)>>,
    bootstraps: Bootstraps,
    /// Absolute folder of the project.
    project: Option<PathBuf>,
    _lock: File,
    /// Declared last, so that it is dropped after the folder and finds the folder removed.
    _watcher: Option<Watcher>,
}

/// State of a file that changes with its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileStamp {
    inode: u64,
    size: u64,
    changed_seconds: i64,
    changed_nanos: i64,
}

impl FileStamp {
    fn of(path: &Path) -> Option<FileStamp> {
        let file = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        Some(FileStamp {
            inode: file.ino(),
            size: file.size(),
            changed_seconds: file.ctime(),
            changed_nanos: file.ctime_nsec(),
        })
    }
}

impl CodeStore {
    /// Creates a store in this folder, or in the system's temporary folder. It is removed on drop. Also removes the stores
    /// of gateways that were killed, and kills the processes of their functions.
    pub(crate) fn new(settings: &FunctionSettings) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(STORE_PREFIX);
        let folder = match &settings.scratch {
            Some(parent) => builder.tempdir_in(parent)?,
            None => builder.tempdir()?,
        };
        // Lock first, then rename: other gateways never see the lock file unlocked.
        let unnamed = folder.path().join("lock.new");
        let lock = File::create_new(&unnamed)?;
        lock.lock()?;
        fs::rename(unnamed, folder.path().join(LOCK_FILE))?;
        let bootstraps = Bootstraps::write(folder.path().join("runtimes"))?;
        let watcher = settings.watcher.as_ref();
        let watcher = watcher.map(|command| Watcher::start(command, folder.path()));
        if let Some(parent) = folder.path().parent() {
            let parent = parent.to_owned();
            // Nothing waits for this; the next gateway removes what is left.
            std::thread::spawn(move || remove_abandoned(&parent));
        }
        Ok(CodeStore {
            folder,
            copies: Mutex::default(),
            copied_files: Mutex::default(),
            bootstraps,
            project: settings.project.clone(),
            _lock: lock,
            _watcher: watcher.transpose()?,
        })
    }

    /// Returns the bootstraps of runtimes that need an interpreter.
    pub(super) fn bootstraps(&self) -> &Bootstraps {
        &self.bootstraps
    }

    /// Returns the store's folder.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the prefix of the marks of this gateway's processes.
    pub(super) fn mark(&self) -> String {
        gateway_mark(self.folder.path())
    }

    /// Copies code, so that a build that overwrites the files changes no version. Blocks.
    pub(crate) fn copy_code(&self, code: &Code) -> Result<CodeCopy, FunctionError> {
        if let Code::Copied(copy) = code {
            return Ok(copy.clone());
        }
        let (Code::Bootstrap(path) | Code::Zip(path)) = code else {
            return self.copy(code);
        };
        // Before reading the file: if it changes meanwhile, the next call copies it again.
        let stamp = FileStamp::of(path);
        if let Some((earlier, copied)) = lock(&self.copied_files).get(path)
            && Some(*earlier) == stamp
        {
            return Ok(copied.clone());
        }
        let copied = self.copy(code)?;
        if let Some(stamp) = stamp {
            lock(&self.copied_files).insert(path.clone(), (stamp, copied.clone()));
        }
        Ok(copied)
    }

    fn copy(&self, code: &Code) -> Result<CodeCopy, FunctionError> {
        if let Code::Absent(reason) = code {
            return Ok(CodeCopy {
                sha256: STANDARD.encode(digest::digest(&digest::SHA256, reason.as_bytes())),
                size: 0,
                root: Err(reason.clone()),
                source: None,
            });
        }
        let folder = tempfile::Builder::new()
            .prefix("code-")
            .tempdir_in(self.folder.path())
            .map_err(|error| FunctionError::file("cannot create a folder for code", &error))?;
        let path = folder.path().join("task");
        let copied = code.copy(&path)?;
        let source = match code {
            Code::Folder(source) => std::path::absolute(source).ok(),
            _ => None,
        };
        if !matches!(code, Code::Bootstrap(_) | Code::Layers(_)) {
            self.link_node_modules(folder.path(), source.as_deref());
        }
        Ok(CodeCopy {
            sha256: STANDARD.encode(&copied.sha256),
            size: copied.size,
            root: Ok(self.register(copied.sha256, folder, path)),
            source,
        })
    }

    /// Makes the packages above the code's folder available above the copy, where Node looks for them.
    fn link_node_modules(&self, folder: &Path, source: Option<&Path>) {
        let Some(project) = &self.project else { return };
        let above = project_folders(source, Some(project));
        let above = above.iter().filter(|folder| Some(**folder) != source);
        let mut modules = above.map(|folder| folder.join("node_modules"));
        let modules = modules.find(|modules| modules.is_dir());
        // The packages may be installed later.
        let modules = modules.unwrap_or_else(|| project.join("node_modules"));
        // Without the link, the function reports which package is missing.
        let _ = std::os::unix::fs::symlink(modules, folder.join("node_modules"));
    }

    /// Returns the existing copy with this digest, or registers this one.
    fn register(&self, sha256: Vec<u8>, folder: TempDir, path: PathBuf) -> CodeFolder {
        let mut copies = lock(&self.copies);
        if let Some(same) = copies.get(&sha256).and_then(CodeFolder::upgrade) {
            return same;
        }
        copies.retain(|_, copy| copy.strong_count() > 0);
        let new = CodeFolder::new(path, folder);
        copies.insert(sha256, new.downgrade());
        new
    }
}

/// Removes stores whose gateway has ended, and kills the remaining function processes. A store without a lock file is just
/// being created.
fn remove_abandoned(parent: &Path) {
    let user = getuid().as_raw();
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_store = entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(STORE_PREFIX.as_bytes())
            && entry
                .metadata()
                .is_ok_and(|found| found.is_dir() && found.uid() == user);
        let lock = is_store.then(|| File::open(entry.path().join(LOCK_FILE)));
        if let Some(Ok(lock)) = lock
            && lock.try_lock().is_ok()
        {
            clean_up(&entry.path());
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn folder() -> TempDir {
        tempfile::tempdir().expect("a folder")
    }

    fn store_in(folder: &Path) -> CodeStore {
        let settings = FunctionSettings {
            scratch: Some(folder.to_owned()),
            ..FunctionSettings::default()
        };
        CodeStore::new(&settings).expect("a store")
    }

    fn root(copied: &CodeCopy) -> PathBuf {
        copied.root.as_ref().expect("a folder").to_path_buf()
    }

    #[test]
    fn a_file_is_copied_again_only_after_a_change() {
        let folder = folder();
        let program = folder.path().join("program");
        let store = store_in(folder.path());
        let copy_code = || store.copy_code(&Code::Bootstrap(program.clone()));
        fs::write(&program, "one").expect("written");
        let first = copy_code().expect("a copy");
        let copy = root(&first).join("bootstrap");
        // The changed copy shows that the unchanged file is not copied again.
        fs::write(&copy, "kept").expect("written");
        assert_eq!(copy_code().expect("a copy"), first);
        assert_eq!(fs::read(&copy).expect("read"), b"kept");
        fs::write(&program, "other").expect("written");
        let second = copy_code().expect("a copy");
        assert_ne!(second.sha256, first.sha256);
        assert_eq!(second.size, 5);
    }

    #[test]
    fn equal_code_is_stored_once_and_removed_with_its_last_user() {
        let folder = folder();
        let sources = folder.path().join("sources");
        fs::create_dir(&sources).expect("a folder");
        fs::write(sources.join("app.py"), "one").expect("written");
        let store = store_in(folder.path());
        let copy_code = || {
            let code = Code::Folder(sources.clone());
            store.copy_code(&code).expect("a copy")
        };
        let (first, same) = (copy_code(), copy_code());
        let path = root(&first);
        assert_eq!(root(&same), path);
        drop(first);
        assert!(path.join("app.py").is_file());
        drop(same);
        assert!(!path.exists());
        assert!(root(&copy_code()).join("app.py").is_file());
    }

    #[test]
    fn a_bootstrap_that_becomes_executable_is_new_code() {
        let folder = folder();
        let sources = folder.path().join("sources");
        fs::create_dir(&sources).expect("a folder");
        let program = sources.join("bootstrap");
        fs::write(&program, "#!/bin/sh\n").expect("written");
        let store = store_in(folder.path());
        let copy_code = || store.copy_code(&Code::Bootstrap(sources.clone()));
        let before = copy_code().expect("a copy");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a mode");
        let after = copy_code().expect("a copy");
        assert_ne!(before, after);
        let copy = root(&after).join("bootstrap").metadata().expect("a file");
        assert_eq!(copy.permissions().mode() & 0o111, 0o111);
    }

    #[test]
    fn the_store_of_a_killed_gateway_is_removed_and_others_stay() {
        let folder = folder();
        let used = store_in(folder.path());
        let (left, other) = (
            folder.path().join("stackgen-code-left"),
            folder.path().join("other"),
        );
        for path in [&left, &other] {
            fs::create_dir_all(path.join("code/task")).expect("a folder");
            fs::write(path.join(LOCK_FILE), "").expect("written");
        }
        let unlocked = folder.path().join("stackgen-code-new");
        fs::create_dir(&unlocked).expect("a folder");
        remove_abandoned(folder.path());
        // The thread of `used` may remove it at the same time, and then holds its lock.
        let is_removed = (0..1_000).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            !left.exists()
        });
        assert!(is_removed);
        assert!(other.exists() && unlocked.exists() && used.folder.path().exists());
    }
}
