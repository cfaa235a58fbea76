//! Changed files that are no new code: what the gateway writes, what tools write, and what git ignores.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::{Instant, timeout};

use super::changed_file::ChangedFile;

/// Folders of tools. Their files are no code of functions.
const TOOL_FOLDERS: [&str; 10] = [
    ".git",
    ".hg",
    ".svn",
    ".stackgen",
    ".idea",
    ".vscode",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    "__pycache__",
];

/// Extensions of code, which counts even if git ignores it: builds and installed packages are not committed.
const CODE: [&str; 9] = ["cjs", "jar", "js", "json", "mjs", "node", "py", "so", "zip"];

/// Longest wait for git.
const GIT_TIMEOUT: Duration = Duration::from_secs(2);

/// Number of reloads in [`STORM_TIME`] that make a storm.
const STORM: usize = 5;
/// Nobody saves the same file by hand so often in this time.
const STORM_TIME: Duration = Duration::from_secs(10);

/// A file, whatever its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    fn of(file: &Metadata) -> Self {
        FileIdentity {
            device: file.dev(),
            inode: file.ino(),
        }
    }
}

/// Files that this process writes to.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnFiles {
    output: Vec<FileIdentity>,
    /// Files with these names, or with further extensions: SQLite writes `items.db-wal` beside `items.db`.
    data: Option<PathBuf>,
    /// The recording, which may not exist yet.
    recording: Option<PathBuf>,
}

impl OwnFiles {
    /// Returns the files behind standard output and standard error, the file of the tables' items, and the recording.
    pub(super) fn of_process(data: Option<&Path>, recording: Option<&Path>) -> Self {
        let (out, err) = (std::io::stdout(), std::io::stderr());
        let files = [out.as_fd(), err.as_fd()];
        let identity = |file: &BorrowedFd<'_>| {
            let file = File::from(file.try_clone_to_owned().ok()?);
            Some(FileIdentity::of(&file.metadata().ok()?))
        };
        OwnFiles {
            output: files.iter().filter_map(identity).collect(),
            data: data.and_then(|path| std::path::absolute(path).ok()),
            recording: recording.map(Path::to_owned),
        }
    }

    fn contain(&self, path: &Path) -> bool {
        let identity = |path: &Path| {
            let file = std::fs::metadata(path).ok()?;
            Some(FileIdentity::of(&file))
        };
        let changed = identity(path);
        let is_output = changed
            .as_ref()
            .is_some_and(|changed| self.output.contains(changed));
        let recording = self.recording.as_deref().and_then(identity);
        let is_recording = recording.is_some() && recording == changed;
        let bytes = |path: &Path| path.as_os_str().as_bytes().to_owned();
        let is_data = |data: &PathBuf| bytes(path).starts_with(&bytes(data));
        is_output || is_recording || self.data.as_ref().is_some_and(is_data)
    }

    /// Decides whether a changed file below a folder with code is no code. Folders above it may have any name.
    pub(super) fn is_noise(&self, path: &Path, code: &Path) -> bool {
        let within = path.strip_prefix(code).unwrap_or(path);
        let is_of_tool = |part: &OsStr| TOOL_FOLDERS.iter().any(|folder| part == *folder);
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let is_of_editor = name.ends_with('~')
            || name.starts_with(".#")
            || [".swp", ".swx", ".pyc"]
                .iter()
                .any(|end| name.ends_with(end));
        within.iter().any(is_of_tool) || is_of_editor || self.contain(path)
    }
}

/// Returns the changed files that git does not ignore, and those that are code all the same. Without git or a repository,
/// all files are returned.
pub(super) async fn without_ignored(
    changed: &BTreeMap<PathBuf, ChangedFile>,
) -> BTreeMap<PathBuf, ChangedFile> {
    let doubtful = |path: &Path, kind: ChangedFile| {
        let extension = path.extension().and_then(OsStr::to_str);
        let is_code = extension.is_some_and(|extension| CODE.contains(&extension))
            || path.file_name() == Some(OsStr::new("bootstrap"));
        kind == ChangedFile::Code && !is_code
    };
    let asked: Vec<&Path> = changed
        .iter()
        .filter(|(path, kind)| doubtful(path, **kind))
        .map(|(path, _)| path.as_path())
        .collect();
    let ignored = match asked.is_empty() {
        true => BTreeSet::new(),
        false => timeout(GIT_TIMEOUT, ignored_by_git(&asked))
            .await
            .ok()
            .flatten()
            .unwrap_or_default(),
    };
    let kept = changed.iter().filter(|(path, _)| !ignored.contains(*path));
    kept.map(|(path, kind)| (path.clone(), *kind)).collect()
}

/// Asks git which files it ignores; `None` if it cannot tell.
async fn ignored_by_git(paths: &[&Path]) -> Option<BTreeSet<PathBuf>> {
    let folder = paths.first()?.ancestors().skip(1).find(|it| it.is_dir())?;
    let mut git = Command::new("git")
        .args(["check-ignore", "-z", "--stdin"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .ok()?;
    let mut stdin = git.stdin.take()?;
    let mut input = Vec::new();
    for path in paths {
        input.extend_from_slice(path.as_os_str().as_bytes());
        input.push(0);
    }
    // Git answers while it reads, so both happen at once.
    let (written, output) = tokio::join!(
        async move {
            let written = stdin.write_all(&input).await;
            drop(stdin);
            written
        },
        git.wait_with_output()
    );
    let (Ok(()), Ok(output)) = (written, output) else {
        return None;
    };
    let lines = output.stdout.split(|byte| *byte == 0);
    let paths = lines.filter(|line| !line.is_empty());
    Some(
        paths
            .map(|line| PathBuf::from(OsStr::from_bytes(line)))
            .collect(),
    )
}

/// Files that change without an end, such as a log that the gateway's output is piped into.
#[derive(Debug, Default)]
pub(super) struct ChangeStorms {
    /// The files that caused the latest reloads.
    reloads: VecDeque<(Instant, BTreeSet<PathBuf>)>,
    muted: BTreeSet<PathBuf>,
}

impl ChangeStorms {
    /// Decides whether a file's changes are ignored.
    pub(super) fn is_muted(&self, path: &Path) -> bool {
        self.muted.contains(path)
    }

    /// Records a reload. Returns the files to ignore from now on: those that alone caused several reloads in a row.
    pub(super) fn record(
        &mut self,
        changed: &BTreeMap<PathBuf, ChangedFile>,
        now: Instant,
    ) -> BTreeSet<PathBuf> {
        if changed.values().any(|kind| *kind != ChangedFile::Code) {
            self.reloads.clear();
            return BTreeSet::new();
        }
        let paths: BTreeSet<PathBuf> = changed.keys().cloned().collect();
        self.reloads.push_back((now, paths.clone()));
        if self.reloads.len() > STORM {
            self.reloads.pop_front();
        }
        let is_recent = |at: &Instant| now.duration_since(*at) <= STORM_TIME;
        let same = |(at, files): &(Instant, BTreeSet<PathBuf>)| is_recent(at) && *files == paths;
        if self.reloads.len() < STORM || !self.reloads.iter().all(same) {
            return BTreeSet::new();
        }
        self.reloads.clear();
        self.muted.extend(paths.iter().cloned());
        paths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(paths: &[&str]) -> BTreeMap<PathBuf, ChangedFile> {
        let paths = paths.iter().map(PathBuf::from);
        paths.map(|path| (path, ChangedFile::Code)).collect()
    }

    #[test]
    fn files_of_tools_are_noise_and_code_is_not() {
        let own = OwnFiles {
            output: Vec::new(),
            data: Some(PathBuf::from("/.git/p/items.db")),
            recording: None,
        };
        let is_noise = |path: &str| own.is_noise(Path::new(path), Path::new("/.git/p"));
        for noise in [
            "/.git/p/.git/index",
            "/.git/p/.stackgen/gateway.json",
            "/.git/p/src/__pycache__/a.cpython-312.pyc",
            "/.git/p/.app.js.swp",
            "/.git/p/app.js~",
            "/.git/p/items.db",
            "/.git/p/items.db-wal",
        ] {
            assert!(is_noise(noise), "{noise}");
        }
        for new_code in ["/.git/p/app.js", "/.git/p/dist/app.mjs", "/.git/p/.env"] {
            assert!(!is_noise(new_code), "{new_code}");
        }
    }

    #[test]
    fn a_file_that_output_goes_to_is_noise_under_any_name() {
        let folder = tempfile::tempdir().unwrap();
        let (log, link) = (folder.path().join("dev.log"), folder.path().join("link"));
        std::fs::write(&log, "").unwrap();
        std::fs::hard_link(&log, &link).unwrap();
        let file = std::fs::metadata(&log).unwrap();
        let own = OwnFiles {
            output: vec![FileIdentity::of(&file)],
            ..OwnFiles::default()
        };
        assert!(own.is_noise(&log, folder.path()) && own.is_noise(&link, folder.path()));
        assert!(!own.is_noise(&folder.path().join("app.js"), folder.path()));
    }

    #[test]
    fn the_recording_is_noise_once_it_exists() {
        let folder = tempfile::tempdir().unwrap();
        let recording = folder.path().join("r.jsonl");
        let own = OwnFiles {
            recording: Some(folder.path().join("./r.jsonl")),
            ..OwnFiles::default()
        };
        std::fs::write(folder.path().join("app.js"), "").unwrap();
        assert!(!own.is_noise(&folder.path().join("app.js"), folder.path()));
        std::fs::write(&recording, "").unwrap();
        assert!(own.is_noise(&recording, folder.path()));
        assert!(!own.is_noise(&folder.path().join("app.js"), folder.path()));
    }

    #[tokio::test]
    async fn files_that_git_ignores_are_left_out_unless_they_are_code() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let names = ["a.log", "dist/app.js", "app.js", "notes.txt"];
        let changed = names.map(|name| (at(name), ChangedFile::Code));
        let changed = BTreeMap::from(changed);
        // Without a repository, nothing is known.
        assert_eq!(without_ignored(&changed).await, changed);
        let made = Command::new("git")
            .args(["init", "--quiet"])
            .current_dir(folder.path())
            .status();
        assert!(made.await.unwrap().success());
        std::fs::write(at(".gitignore"), "*.log\ndist/\n").unwrap();
        let kept = without_ignored(&changed).await;
        let kept: Vec<_> = kept.keys().cloned().collect();
        assert_eq!(kept, [at("app.js"), at("dist/app.js"), at("notes.txt")]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_alone_causes_reload_after_reload_is_muted() {
        let mut storms = ChangeStorms::default();
        let second = Duration::from_secs(1);
        let start = Instant::now();
        let record = |storms: &mut ChangeStorms, paths: &[&str], seconds: u32| {
            storms.record(&code(paths), start + second * seconds)
        };
        // Slow changes, and changes of several files in turn, are work.
        for at in 0..10 {
            assert!(record(&mut storms, &["a.log"], at * 4).is_empty());
        }
        for at in 40..50 {
            let path = if at % 2 == 0 { "a.js" } else { "b.js" };
            assert!(record(&mut storms, &[path], at).is_empty());
        }
        for at in 50..54 {
            assert!(record(&mut storms, &["a.log"], at).is_empty());
        }
        let muted = record(&mut storms, &["a.log"], 54);
        assert_eq!(muted, BTreeSet::from([PathBuf::from("a.log")]));
        assert!(storms.is_muted(Path::new("a.log")) && !storms.is_muted(Path::new("a.js")));
    }

    #[tokio::test(start_paused = true)]
    async fn changes_of_the_project_file_are_no_storm() {
        let mut storms = ChangeStorms::default();
        let project = BTreeMap::from([(PathBuf::from("t.yaml"), ChangedFile::Project)]);
        for _ in 0..20 {
            assert!(storms.record(&project, Instant::now()).is_empty());
        }
    }
}
