//! Folders to run in, and results of runs.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use assert_cmd::Command;
use tempfile::TempDir;

/// Returns the root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Returns cargo's target folder of this repository.
pub(crate) fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap()
}

/// Locks the target folder during a build: a starter's binaries have the same names as ours.
pub(crate) fn building() -> MutexGuard<'static, ()> {
    static BUILDING: Mutex<()> = Mutex::new(());
    BUILDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Variables that rustup and cargo need.
pub(crate) fn toolchain() -> Vec<(&'static str, PathBuf)> {
    let names = ["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];
    let set = |name| Some((name, PathBuf::from(std::env::var_os(name)?)));
    let mut all: Vec<_> = names.into_iter().filter_map(set).collect();
    all.push(("CARGO", PathBuf::from(env!("CARGO"))));
    all
}

/// A Python program that `make tools` installs; `None` skips the test.
pub(crate) fn tool(name: &str) -> Option<PathBuf> {
    stackgen_test_tools::installed(&format!("venv/bin/{name}"))
}

/// An empty folder in which the binary runs with a clean environment.
pub(crate) struct Sandbox(TempDir);

impl Sandbox {
    pub(crate) fn new() -> Self {
        Sandbox(tempfile::tempdir().unwrap())
    }

    /// Creates a folder with a stackgen.yaml.
    pub(crate) fn with(spec: &str) -> Self {
        let sandbox = Self::new();
        sandbox.write("stackgen.yaml", spec);
        sandbox
    }

    /// Creates a folder with the stackgen.yaml of a starter.
    pub(crate) fn starter(name: &str) -> Self {
        let spec = root().join("templates").join(name).join("stackgen.yaml");
        Self::with(&fs::read_to_string(spec).unwrap())
    }

    /// Creates a folder with the same files, which keep their times.
    pub(crate) fn copy_of(other: &Sandbox) -> Self {
        let sandbox = Self::new();
        for name in other.files() {
            let (from, to) = (other.path().join(&name), sandbox.path().join(&name));
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(&from, &to).unwrap();
            let time = fs::metadata(&from).unwrap().modified().unwrap();
            let file = fs::OpenOptions::new().write(true).open(&to).unwrap();
            file.set_modified(time).unwrap();
        }
        sandbox
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// Returns all files, in order, by their paths from here.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.path()).unwrap();
                    files.push(name.display().to_string());
                }
            }
        }
        files.sort();
        files
    }

    pub(crate) fn command(&self) -> Command {
        Command::from_std(self.process())
    }

    /// Returns a command that can be started without waiting for its end.
    pub(crate) fn process(&self) -> std::process::Command {
        let mut command = stackgen();
        command.current_dir(self.path()).env_clear();
        // `git` is on the PATH.
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    /// Runs `stackgen` with a closed stdout.
    pub(crate) fn run_unread(&self, line: &str) -> Output {
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("stackgen"))
            .args(line.split_whitespace())
            .current_dir(self.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        child.wait_with_output().unwrap()
    }

    /// Runs `stackgen` with the words of a line.
    pub(crate) fn run(&self, line: &str) -> Run {
        let output = self
            .command()
            .args(line.split_whitespace())
            .output()
            .unwrap();
        Run::of(output)
    }
}

/// Returns a command that runs `stackgen`. It handles SIGHUP even if the tests ignore it, as under `nohup`: a program starts
/// with the ignored signals of its parent.
pub(crate) fn stackgen() -> std::process::Command {
    let binary = assert_cmd::cargo::cargo_bin!("stackgen");
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // SIGHUP is 1.
    if mask.is_none_or(|mask| mask & 1 == 0) {
        return std::process::Command::new(binary);
    }
    let mut command = std::process::Command::new("/usr/bin/env");
    command.arg("--default-signal=HUP").arg(binary);
    command
}

/// Result of a run: exit code and output. Displayed as a user sees it.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self
            .code
            .map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        write!(f, "exit {code}")?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                write!(f, "\n--- {name}\n{}", text.trim_end())?;
            }
        }
        Ok(())
    }
}
