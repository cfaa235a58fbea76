//! Where copies of code lie: for as long as a version or a process needs them, and no longer.

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

/// How the names of stores begin.
const PREFIX: &str = "stackgen-code-";

/// A file in a store, locked for as long as its process lives, however that ends.
const LOCK: &str = "lock";

/// A copy of code that nothing changes any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// `CodeSha256`, in base64.
    pub sha256: String,
    /// `CodeSize` in bytes.
    pub size: u64,
    /// The folder that is `LAMBDA_TASK_ROOT`; or why there is none.
    pub root: Result<Root, String>,
}

/// The folder of a copy. It goes with the last clone.
#[derive(Clone, Debug)]
pub struct Root(Arc<Kept>);

#[derive(Debug)]
struct Kept {
    path: PathBuf,
    /// Holds the path, and is removed when it is dropped.
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

/// The copies of one gateway.
#[derive(Debug)]
pub(crate) struct Store {
    folder: TempDir,
    /// Copies that somebody holds on to, by their digests: the same code is kept once.
    kept: Mutex<HashMap<Vec<u8>, Weak<Kept>>>,
    /// Files that were frozen, as they were then: one that is still the same is not copied again.
    known: Mutex<HashMap<PathBuf, (Stamp, Frozen)>>,
    _lock: File,
    /// The last to go: it finds out that the folder is gone.
    _watcher: Option<Watcher>,
}

/// What a file's change changes: its inode, its size in bytes, and when it was last changed.
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
    /// A new one beneath this folder, or beneath the system's for temporary files. It goes when it is dropped; what
    /// gateways left there that were killed goes, too, and processes of their functions.
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
        // Locked before it has its name, so that nobody finds it unlocked.
        let nameless = folder.path().join("lock.new");
        let lock = File::create_new(&nameless)?;
        lock.lock()?;
        fs::rename(nameless, folder.path().join(LOCK))?;
        let watcher = watcher.map(|command| Watcher::start(command, folder.path()));
        if let Some(beneath) = folder.path().parent() {
            let beneath = beneath.to_owned();
            // Nobody waits for it, and what is left over is found by the next.
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

    /// What the marks of this gateway's processes begin with.
    pub(super) fn mark(&self) -> String {
        gateway_mark(self.folder.path())
    }

    /// Copies code, so that a build that writes the same files again changes no version. Blocks.
    pub(crate) fn freeze(&self, code: &Code) -> Result<Frozen, FunctionError> {
        let (Code::Bootstrap(path) | Code::Zip(path)) = code else {
            return self.copy(code);
        };
        // Taken before the file is read: one that changes meanwhile is another the next time.
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
            .map_err(|error| FunctionError::file("cannot make a folder for code", &error))?;
        let path = folder.path().join("task");
        let (sha256, size) = code.copy(&path)?;
        Ok(Frozen {
            sha256: STANDARD.encode(&sha256),
            size,
            root: Ok(self.keep(sha256, folder, path)),
        })
    }

    /// The copy of this digest that is kept already, otherwise this one.
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

/// Removes stores whose process is gone, and what is left of its functions. One without its lock file is just being made.
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
    fn a_file_is_copied_again_when_it_changed_and_not_before() {
        let folder = folder();
        let program = folder.path().join("program");
        let store = Store::new(Some(folder.path()), None).expect("a store");
        let freeze = || store.freeze(&Code::Bootstrap(program.clone()));
        fs::write(&program, "one").expect("written");
        let first = freeze().expect("frozen");
        let copy = root(&first).join("bootstrap");
        // What is known is not read: a copy that was tampered with would be made anew otherwise.
        fs::write(&copy, "kept").expect("written");
        assert_eq!(freeze().expect("frozen"), first);
        assert_eq!(fs::read(&copy).expect("read"), b"kept");
        fs::write(&program, "other").expect("written");
        let second = freeze().expect("frozen");
        assert_ne!(second.sha256, first.sha256);
        assert_eq!(second.size, 5);
    }

    #[test]
    fn a_copy_is_kept_once_and_goes_with_the_last_who_holds_on_to_it() {
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
    fn a_bootstrap_that_became_executable_is_another_one() {
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
    fn what_a_killed_gateway_left_goes_and_what_others_use_stays() {
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
