//! The user who installs a package: with an empty home, and neither cargo nor rustc on the PATH.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use stackgen_test_tools::{on_path, skip_everywhere};

use crate::common::Sandbox;

/// ID of the account `nobody`, which owns nothing.
const NOBODY: &str = "65534";

/// Variable with which `.ci/run` insists on a separate account.
const REQUIRED: &str = "STACKGEN_SEPARATE_USER";

/// Account that runs commands.
pub(super) enum User {
    /// The account of the tests.
    Same,
    /// Another account, which can read nothing of the account of the tests. Holds the path of `setpriv`.
    Separate(PathBuf),
}

impl User {
    /// Returns another account. Skips the test without the rights to use one, unless one is required.
    pub(super) fn separate() -> Option<Self> {
        let is_required = std::env::var_os(REQUIRED).is_some();
        if !rustix::process::geteuid().is_root() {
            assert!(
                !is_required,
                "{REQUIRED} is set, and this does not run as root"
            );
            skip_everywhere("only root can run commands as another user");
            return None;
        }
        on_path("setpriv").map(User::Separate)
    }

    /// Creates a home, which belongs to the account.
    pub(super) fn home(&self) -> Sandbox {
        let home = Sandbox::new();
        self.give(home.path());
        home
    }

    /// Gives a folder and its files to the account.
    pub(super) fn give(&self, folder: &Path) {
        if let User::Separate(_) = self {
            let owner = format!("{NOBODY}:{NOBODY}");
            let mut chown = Command::new("chown");
            let status = chown.arg("--recursive").arg(owner).arg(folder).status();
            assert!(status.unwrap().success());
        }
    }

    /// Copies a file to the home: the account may not be able to read the folder that it is in.
    pub(super) fn copy(&self, file: &Path, home: &Sandbox) -> PathBuf {
        let copy = home.path().join(file.file_name().unwrap());
        fs::copy(file, &copy).unwrap();
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o644)).unwrap();
        self.give(&copy);
        copy
    }

    /// Starts a command in the home of the account.
    pub(super) fn command(&self, program: &Path, home: &Path) -> Command {
        let mut command = match self {
            User::Same => Command::new(program),
            User::Separate(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]);
                command.args(["--no-new-privs", "--"]).arg(program);
                command
            }
        };
        let own = program.parent().filter(|it| *it != Path::new(""));
        let path = match own {
            Some(folder) => format!("{}:/usr/local/bin:/usr/bin:/bin", folder.display()),
            None => "/usr/local/bin:/usr/bin:/bin".to_owned(),
        };
        command.env_clear().env("PATH", path).env("HOME", home);
        command.current_dir(home).stdin(Stdio::null());
        command
    }
}
