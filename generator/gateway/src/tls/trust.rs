//! Files and environment variables by which functions trust the gateway and reach the hosts that it stands for.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use stackgen_gateway_common::{ADDED_ROOTS_VARIABLE, TRUST_VARIABLES};

use super::authority::to_pem;

/// Modules that Node.js loads before a function, with their file names.
const NODE_HOOKS: [(&str, &str); 2] = [
    ("redirect.cjs", include_str!("hooks/redirect.cjs")),
    ("aws_sdk_v2.cjs", include_str!("hooks/aws_sdk_v2.cjs")),
];

/// Module that Python imports before a function.
const PYTHON_HOOK: &str = include_str!("hooks/sitecustomize.py");

/// Variable with the path of the table of hosts. The hooks read it.
const HOSTS_VARIABLE: &str = "_STACKGEN_HOSTS";

/// Files for functions, all in one folder.
pub(super) struct TrustFiles {
    folder: PathBuf,
}

impl TrustFiles {
    /// Writes the files into a new folder: functions trust the second authority, too.
    pub(super) fn write(folder: &Path, authority: &str, of_functions: &str) -> io::Result<Self> {
        let files = TrustFiles {
            folder: folder.to_owned(),
        };
        fs::create_dir(folder)?;
        fs::create_dir(files.python())?;
        for (name, hook) in NODE_HOOKS {
            fs::write(folder.join(name), hook)?;
        }
        fs::write(files.python().join("sitecustomize.py"), PYTHON_HOOK)?;
        // Most of the variables replace the machine's roots, and functions call other hosts, too.
        let machine = rustls_native_certs::load_native_certs().certs;
        let mut bundle: String = machine.iter().map(to_pem).collect();
        let authorities = [authority, of_functions].concat();
        bundle.push_str(&authorities);
        fs::write(files.bundle(), bundle)?;
        fs::write(files.authorities(), authorities)?;
        fs::write(files.certificate(), authority)?;
        Ok(files)
    }

    /// Returns the path of the certificate of the authority for loopback.
    pub(super) fn certificate(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Returns the path of the table of hosts.
    pub(super) fn hosts(&self) -> PathBuf {
        self.folder.join("hosts.json")
    }

    /// Returns the path of a file with the certificates of both authorities.
    fn authorities(&self) -> PathBuf {
        self.folder.join("functions.pem")
    }

    /// Returns the path of a file with the roots of this machine and the certificates of both authorities.
    fn bundle(&self) -> PathBuf {
        self.folder.join("bundle.pem")
    }

    fn python(&self) -> PathBuf {
        self.folder.join("python")
    }

    /// Returns the environment variables of functions.
    pub(super) fn variables(&self) -> impl Iterator<Item = (String, String)> {
        let text = |path: PathBuf| path.display().to_string();
        let roots = TRUST_VARIABLES.map(|name| match name {
            ADDED_ROOTS_VARIABLE => (name.to_owned(), text(self.authorities())),
            name => (name.to_owned(), text(self.bundle())),
        });
        // Node.js splits the options at spaces, and reads backslashes and quotes within quotes.
        let require = |(name, _): (&str, &str)| {
            let hook = text(self.folder.join(name));
            let hook = hook.replace('\\', r"\\").replace('"', "\\\"");
            format!("--require \"{hook}\"")
        };
        let redirects = [
            ("NODE_OPTIONS", NODE_HOOKS.map(require).join(" ")),
            ("PYTHONPATH", text(self.python())),
            (HOSTS_VARIABLE, text(self.hosts())),
        ];
        let redirects = redirects.map(|(name, value)| (name.to_owned(), value));
        roots.into_iter().chain(redirects)
    }
}
