//! Store for copies of code. A copy exists as long as a version or a process needs it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::ops::Deref;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::process::getuid;
use stackgen_gateway_common::WatcherCommand;
use tempfile::TempDir;

use super::processes::gateway_mark;
use super::watcher::{Watcher, clear};
use super::{Code, FunctionError};

/// Prefix of the names of stores.
const PREFIX: &str = "stackgen-code-";

/// Lock file of a store. The system releases the lock when the gateway's process ends.
const LOCK: &str = "lock";

/// Immutable copy of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// `CodeSha256`, in base64.
    pub sha256: String,
    /// `CodeSize` in bytes.
    pub size: u64,
    /// Folder for `LAMBDA_TASK_ROOT`, or the reason why there is none.
    pub root: Result<Root, String>,
}

/// Folder of a copy. It is removed with the last clone.
#[derive(Clone, Debug)]
pub struct Root(Arc<Kept>);

#[derive(Debug)]
struct Kept {
    path: PathBuf,
    /// Contains `path`; removed on drop.
    _folder: TempDir,
}

impl Deref for Root {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0.path
    }
}

impl PartialEq for Root {
    fn eq(&self, other: &Self) -> bool {
        self.0.path == other.0.path
    }
}

impl Eq for Root {}

/// Copies of one gateway.
#[derive(Debug)]
pub(crate) struct Store {
    folder: TempDir,
    /// Copies in use by digest, so that equal code is stored once.
    kept: Mutex<HashMap<Vec<u8>, Weak<Kept>>>,
    /// Files that were copied, with their state at that time. An unchanged file is not copied again.
    known: Mutex<HashMap<PathBuf, (Stamp, Frozen)>>,
    _lock: File,
    /// Declared last, so that it is dropped after the folder and finds the folder removed.
    _watcher: Option<Watcher>,
}

/// State of a file that changes with its content: inode, size in bytes, and time of the last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp(u64, u64, i64, i64);

impl Stamp {
    fn of(path: &Path) -> Option<Stamp> {
        let file = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        Some(Stamp(
            file.ino(),
            file.size(),
            file.ctime(),
            file.ctime_nsec(),
        ))
    }
}

impl Store {
    /// Creates a store in this folder, or in the system's temporary folder. It is removed on drop. Also removes the stores
    /// of gateways that were killed, and kills the processes of their functions.
    pub(crate) fn new(
        beneath: Option<&Path>,
        watcher: Option<&WatcherCommand>,
    ) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        let folder = match beneath {
            Some(beneath) => builder.tempdir_in(beneath)?,
            None => builder.tempdir()?,
        };
        // Lock first, then rename: other gateways never see the lock file unlocked.
        let nameless = folder.path().join("lock.new");
        let lock = File::create_new(&nameless)?;
        lock.lock()?;
        fs::rename(nameless, folder.path().join(LOCK))?;
        let watcher = watcher.map(|command| Watcher::start(command, folder.path()));
        if let Some(beneath) = folder.path().parent() {
            let beneath = beneath.to_owned();
            // Nothing waits for this; the next gateway removes what is left.
            std::thread::spawn(move || remove_abandoned(&beneath));
        }
        Ok(Store {
            folder,
            kept: Mutex::default(),
            known: Mutex::default(),
            _lock: lock,
            _watcher: watcher.transpose()?,
        })
    }

    /// Returns the prefix of the marks of this gateway's processes.
    pub(super) fn mark(&self) -> String {
        gateway_mark(self.folder.path())
    }

    /// Copies code, so that a build that overwrites the files changes no version. Blocks.
    pub(crate) fn freeze(&self, code: &Code) -> Result<Frozen, FunctionError> {
        let (Code::Bootstrap(path) | Code::Zip(path)) = code else {
            return self.copy(code);
        };
        // Before reading the file: if it changes meanwhile, the next call copies it again.
        let stamp = Stamp::of(path);
        if let Some((was, frozen)) = lock(&self.known).get(path)
            && Some(*was) == stamp
        {
            return Ok(frozen.clone());
        }
        let frozen = self.copy(code)?;
        if let Some(stamp) = stamp {
            lock(&self.known).insert(path.clone(), (stamp, frozen.clone()));
        }
        Ok(frozen)
    }

    fn copy(&self, code: &Code) -> Result<Frozen, FunctionError> {
        if let Code::Absent(reason) = code {
            return Ok(Frozen {
                sha256: STANDARD.encode(digest::digest(&digest::SHA256, reason.as_bytes())),
                size: 0,
                root: Err(reason.clone()),
            });
        }
        let folder = tempfile::Builder::new()
            .prefix("code-")
            .tempdir_in(self.folder.path())
            .map_err(|error| FunctionError::file("cannot create a folder for code", &error))?;
        let path = folder.path().join("task");
        let (sha256, size) = code.copy(&path)?;
        Ok(Frozen {
            sha256: STANDARD.encode(&sha256),
            size,
            root: Ok(self.keep(sha256, folder, path)),
        })
    }

    /// Returns the existing copy with this digest, or registers this one.
    fn keep(&self, sha256: Vec<u8>, folder: TempDir, path: PathBuf) -> Root {
        let mut kept = lock(&self.kept);
        if let Some(same) = kept.get(&sha256).and_then(Weak::upgrade) {
            return Root(same);
        }
        kept.retain(|_, copy| copy.strong_count() > 0);
        let new = Arc::new(Kept {
            path,
            _folder: folder,
        });
        kept.insert(sha256, Arc::downgrade(&new));
        Root(new)
    }
}

/// Removes stores whose gateway has ended, and kills the remaining function processes. A store without a lock file is just
/// being created.
fn remove_abandoned(beneath: &Path) {
    let user = getuid().as_raw();
    for entry in fs::read_dir(beneath).into_iter().flatten().flatten() {
        let is_store = entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(PREFIX.as_bytes())
            && entry
                .metadata()
                .is_ok_and(|found| found.is_dir() && found.uid() == user);
        let lock = is_store.then(|| File::open(entry.path().join(LOCK)));
        if let Some(Ok(lock)) = lock
            && lock.try_lock().is_ok()
        {
            clear(&entry.path());
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

    fn root(frozen: &Frozen) -> PathBuf {
        frozen.root.as_ref().expect("a folder").to_path_buf()
    }

    #[test]
    fn a_file_is_copied_again_only_after_a_change() {
        let folder = folder();
        let program = folder.path().join("program");
        let store = Store::new(Some(folder.path()), None).expect("a store");
        let freeze = || store.freeze(&Code::Bootstrap(program.clone()));
        fs::write(&program, "one").expect("written");
        let first = freeze().expect("frozen");
        let copy = root(&first).join("bootstrap");
        // The changed copy shows that the unchanged file is not copied again.
        fs::write(&copy, "kept").expect("written");
        assert_eq!(freeze().expect("frozen"), first);
        assert_eq!(fs::read(&copy).expect("read"), b"kept");
        fs::write(&program, "other").expect("written");
        let second = freeze().expect("frozen");
        assert_ne!(second.sha256, first.sha256);
        assert_eq!(second.size, 5);
    }

    #[test]
    fn equal_code_is_stored_once_and_removed_with_its_last_user() {
        let folder = folder();
        let sources = folder.path().join("sources");
        fs::create_dir(&sources).expect("a folder");
        fs::write(sources.join("app.py"), "one").expect("written");
        let store = Store::new(Some(folder.path()), None).expect("a store");
        let freeze = || {
            let code = Code::Folder(sources.clone());
            store.freeze(&code).expect("frozen")
        };
        let (first, same) = (freeze(), freeze());
        let path = root(&first);
        assert_eq!(root(&same), path);
        drop(first);
        assert!(path.join("app.py").is_file());
        drop(same);
        assert!(!path.exists());
        assert!(root(&freeze()).join("app.py").is_file());
    }

    #[test]
    fn a_bootstrap_that_becomes_executable_is_new_code() {
        let folder = folder();
        let sources = folder.path().join("sources");
        fs::create_dir(&sources).expect("a folder");
        let program = sources.join("bootstrap");
        fs::write(&program, "#!/bin/sh\n").expect("written");
        let store = Store::new(Some(folder.path()), None).expect("a store");
        let freeze = || store.freeze(&Code::Bootstrap(sources.clone()));
        let before = freeze().expect("frozen");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a mode");
        let after = freeze().expect("frozen");
        assert_ne!(before, after);
        let copy = root(&after).join("bootstrap").metadata().expect("a file");
        assert_eq!(copy.permissions().mode() & 0o111, 0o111);
    }

    #[test]
    fn the_store_of_a_killed_gateway_is_removed_and_others_stay() {
        let folder = folder();
        let used = Store::new(Some(folder.path()), None).expect("a store");
        let (left, other) = (
            folder.path().join("stackgen-code-left"),
            folder.path().join("other"),
        );
        for path in [&left, &other] {
            fs::create_dir_all(path.join("code/task")).expect("a folder");
            fs::write(path.join(LOCK), "").expect("written");
        }
        let unlocked = folder.path().join("stackgen-code-new");
        fs::create_dir(&unlocked).expect("a folder");
        remove_abandoned(folder.path());
        assert!(!left.exists());
        assert!(other.exists() && unlocked.exists() && used.folder.path().exists());
    }
}
