//! Runtimes that need an interpreter: Python and Node.
//!
//! The gateway's own bootstraps run the handlers, so nothing but the interpreter must be installed.

mod advice;
mod dependencies;
mod interpreter;
mod sdk;
mod sources;

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

pub(super) use advice::PackageAdvice;
pub use dependencies::node_dependencies;
pub(super) use interpreter::{
    Interpreter, LAMBDA_PATH, SearchContext, candidates, project_folders,
};
pub(super) use sdk::missing_packages;
pub(super) use sources::{extensions, path_in_opt};

const NODE_BOOTSTRAP: &str = include_str!("bootstrap.mjs");
const PYTHON_BOOTSTRAP: &str = include_str!("bootstrap.py");

/// Language of functions that need an interpreter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Language {
    Node,
    Python,
}

/// Runtime that needs an interpreter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct InterpretedRuntime {
    pub(super) language: Language,
    /// Lambda's name, such as `nodejs22.x`.
    pub(super) name: String,
    /// Version in the name, such as `22` or `3.13`.
    pub(super) version: String,
}

impl Language {
    /// Returns the name for messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Language::Node => "Node.js",
            Language::Python => "Python",
        }
    }
}

impl InterpretedRuntime {
    /// Parses Lambda's name of a runtime. Returns `None` for other runtimes.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (language, version) = match (name.strip_prefix("nodejs"), name.strip_prefix("python")) {
            (Some(version), _) => (
                Language::Node,
                version.strip_suffix(".x").unwrap_or(version),
            ),
            (_, Some(version)) => (Language::Python, version),
            _ => return None,
        };
        Some(InterpretedRuntime {
            language,
            name: name.to_owned(),
            version: version.to_owned(),
        })
    }
}

/// Returns why functions of a runtime cannot run on this machine, and what to do; `None` for the runtimes that can.
pub fn unsupported_runtime(runtime: &str) -> Option<String> {
    if runtime.starts_with("provided") || InterpretedRuntime::parse(runtime).is_some() {
        return None;
    }
    let is = |name: &str| runtime.starts_with(name);
    let advice = if is("go") {
        "it is retired: use provided.al2023, and build with `GOOS=linux go build -o bootstrap`"
    } else if is("java") || is("dotnet") {
        "build a native executable for provided.al2023, or try it on AWS"
    } else if is("ruby") {
        "try it on AWS"
    } else {
        "use provided.*, python3.* or nodejs*.x"
    };
    Some(format!(
        "the local Lambda does not support the runtime {runtime:?}: {advice}"
    ))
}

/// Files of the bootstraps on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bootstraps {
    folder: PathBuf,
}

impl Bootstraps {
    /// Writes the files into a new folder that only this user can read. Blocks.
    pub(super) fn write(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir(&folder)?;
        fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
        let bootstraps = Bootstraps { folder };
        for (language, text) in [
            (Language::Node, NODE_BOOTSTRAP),
            (Language::Python, PYTHON_BOOTSTRAP),
        ] {
            write_atomically(&bootstraps.path(language), text)?;
        }
        Ok(bootstraps)
    }

    /// Returns the file of a language.
    pub(super) fn path(&self, language: Language) -> PathBuf {
        self.folder.join(match language {
            Language::Node => "bootstrap.mjs",
            Language::Python => "bootstrap.py",
        })
    }
}

fn write_atomically(path: &Path, text: &str) -> io::Result<()> {
    let partial = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&partial)?;
    file.write_all(text.as_bytes())?;
    fs::rename(partial, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_are_parsed_from_lambdas_names() {
        let parsed = |name| InterpretedRuntime::parse(name).map(|one| (one.language, one.version));
        assert_eq!(
            parsed("nodejs22.x"),
            Some((Language::Node, "22".to_owned()))
        );
        assert_eq!(
            parsed("python3.13"),
            Some((Language::Python, "3.13".to_owned()))
        );
        for other in ["provided.al2023", "java21", "", "ruby3.4"] {
            assert_eq!(parsed(other), None, "{other}");
        }
    }

    #[test]
    fn runtimes_that_cannot_run_come_with_advice() {
        for supported in ["provided.al2023", "python3.13", "nodejs22.x"] {
            assert_eq!(unsupported_runtime(supported), None);
        }
        for (runtime, advice) in [
            ("java21", "native executable"),
            ("dotnet8", "native executable"),
            ("ruby3.4", "on AWS"),
            ("go1.x", "`GOOS=linux go build -o bootstrap`"),
            ("cobol", "use provided.*"),
        ] {
            let reason = unsupported_runtime(runtime).expect("a reason");
            assert!(
                reason.contains(runtime) && reason.contains(advice),
                "{reason}"
            );
        }
    }

    #[test]
    fn only_this_user_can_read_the_bootstraps() {
        let parent = tempfile::tempdir().expect("a folder");
        let bootstraps = Bootstraps::write(parent.path().join("runtimes")).expect("written");
        let mode = |path: &Path| path.metadata().expect("metadata").permissions().mode() & 0o777;
        assert_eq!(mode(&bootstraps.folder), 0o700);
        for (language, text) in [
            (Language::Node, NODE_BOOTSTRAP),
            (Language::Python, PYTHON_BOOTSTRAP),
        ] {
            let path = bootstraps.path(language);
            assert_eq!(mode(&path), 0o600);
            assert_eq!(fs::read_to_string(&path).expect("read"), text);
        }
        assert_eq!(
            fs::read_dir(&bootstraps.folder).expect("a folder").count(),
            2
        );
    }
}
