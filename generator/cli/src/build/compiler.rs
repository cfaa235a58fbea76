//! Compilers for Lambda, and their command lines.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use stackgen_synth::spec::Architecture;

use crate::cargo::CargoCommand;
use crate::error::CliError;
use crate::file;

/// Folder of cargo-lambda's programs, relative to stackgen.yaml. Zip files for templates are there, too.
const LAMBDA_DIR: &str = "target/lambda";

/// Profile of cargo to build functions with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LambdaProfile {
    /// Optimized.
    #[default]
    Release,
    /// Not optimized: compiles faster, and the code is larger.
    Dev,
}

/// Program that compiles for Lambda.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LambdaCompiler {
    /// cargo-lambda, which compiles for every architecture and links with an old GLIBC.
    CargoLambda,
    /// Cargo alone, which compiles for this machine.
    Cargo,
}

impl LambdaCompiler {
    /// Returns the compiler to use on a machine with a target triple: cargo-lambda if it is on the path, or else cargo.
    ///
    /// # Errors
    ///
    /// If cargo alone cannot compile for an architecture.
    pub(super) fn choose(
        path: &OsStr,
        host: &str,
        architectures: &BTreeSet<Architecture>,
    ) -> Result<LambdaCompiler, CliError> {
        if is_on_path(path, "cargo-lambda") {
            return Ok(LambdaCompiler::CargoLambda);
        }
        let mut architectures = architectures.iter();
        match architectures.find(|architecture| target(**architecture) != host) {
            None => Ok(LambdaCompiler::Cargo),
            Some(foreign) => Err(CliError::failed(format!(
                "cannot compile for {} on this machine ({host}) without cargo-lambda",
                foreign.name()
            ))
            .hint("install it: `pip install cargo-lambda`")),
        }
    }

    /// Returns the name of the program.
    pub(super) fn name(self) -> &'static str {
        match self {
            LambdaCompiler::CargoLambda => "cargo-lambda",
            LambdaCompiler::Cargo => "cargo",
        }
    }

    /// Returns what to do about a program that needs a newer GLIBC than Lambda has.
    pub(super) fn hint_for_glibc(self) -> &'static str {
        match self {
            LambdaCompiler::Cargo => {
                "install cargo-lambda, which links with an older GLIBC: `pip install cargo-lambda`"
            }
            LambdaCompiler::CargoLambda => {
                "let cargo-lambda link with Zig, its default, which has an older GLIBC: unset CARGO_LAMBDA_COMPILER"
            }
        }
    }
}

/// Binaries that one run of cargo builds.
#[derive(Clone, Debug)]
pub(super) struct LambdaBuild<'a> {
    pub(super) compiler: LambdaCompiler,
    pub(super) architecture: Architecture,
    pub(super) profile: LambdaProfile,
    /// Packages of the binaries.
    pub(super) packages: BTreeSet<&'a str>,
    pub(super) binaries: BTreeSet<&'a str>,
}

impl LambdaBuild<'_> {
    /// Returns the command line, to be run in the folder of stackgen.yaml.
    pub(super) fn command(&self, folder: &Path) -> CargoCommand {
        let mut command = match self.compiler {
            LambdaCompiler::Cargo => {
                CargoCommand::new(folder, &["build", "--target", target(self.architecture)])
            }
            LambdaCompiler::CargoLambda => {
                let architecture = match self.architecture {
                    Architecture::Arm64 => "--arm64",
                    Architecture::X86_64 => "--x86-64",
                };
                let output = ["--output-format", "binary", "--lambda-dir", LAMBDA_DIR];
                CargoCommand::new(folder, &["lambda", "build", architecture]).args(&output)
            }
        };
        if self.profile == LambdaProfile::Release {
            command = command.args(&["--release"]);
        }
        for package in &self.packages {
            command = command.args(&["--package", package]);
        }
        for binary in &self.binaries {
            command = command.args(&["--bin", binary]);
        }
        command
    }

    /// Returns the path of a program that cargo reported.
    pub(super) fn program(&self, folder: &Path, binary: &str, reported: PathBuf) -> PathBuf {
        match self.compiler {
            LambdaCompiler::Cargo => reported,
            // cargo-lambda moves the program that cargo built.
            LambdaCompiler::CargoLambda => {
                file::within(folder, &format!("{LAMBDA_DIR}/{binary}/bootstrap"))
            }
        }
    }
}

/// Returns Rust's name of the target: Lambda runs Linux with GNU's C library.
fn target(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Arm64 => "aarch64-unknown-linux-gnu",
        Architecture::X86_64 => "x86_64-unknown-linux-gnu",
    }
}

/// Returns true if a folder of the path has a program.
fn is_on_path(path: &OsStr, name: &str) -> bool {
    std::env::split_paths(path).any(|folder| {
        let metadata = folder.join(name).metadata();
        metadata.is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs;

    use super::*;

    const LINUX: &str = "x86_64-unknown-linux-gnu";

    fn line(
        compiler: LambdaCompiler,
        architecture: Architecture,
        profile: LambdaProfile,
    ) -> String {
        let build = LambdaBuild {
            compiler,
            architecture,
            profile,
            packages: BTreeSet::from(["chat"]),
            binaries: BTreeSet::from(["chat-authorizer", "chat-handler"]),
        };
        build.command(Path::new("project")).to_string()
    }

    /// Returns a path with a folder that has cargo-lambda.
    fn path_with_cargo_lambda(folder: &Path, mode: u32) -> OsString {
        let program = folder.join("cargo-lambda");
        fs::write(&program, "").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(mode)).unwrap();
        std::env::join_paths([Path::new("/nowhere"), folder]).unwrap()
    }

    #[test]
    fn command_lines_name_the_architecture_the_profile_the_packages_and_the_binaries() {
        use Architecture::{Arm64, X86_64};
        use LambdaCompiler::{Cargo, CargoLambda};
        use LambdaProfile::{Dev, Release};
        insta::assert_snapshot!(line(Cargo, X86_64, Release), @"cargo build --target x86_64-unknown-linux-gnu --release --package chat --bin chat-authorizer --bin chat-handler");
        insta::assert_snapshot!(line(Cargo, Arm64, Release), @"cargo build --target aarch64-unknown-linux-gnu --release --package chat --bin chat-authorizer --bin chat-handler");
        insta::assert_snapshot!(line(Cargo, X86_64, Dev), @"cargo build --target x86_64-unknown-linux-gnu --package chat --bin chat-authorizer --bin chat-handler");
        insta::assert_snapshot!(line(CargoLambda, Arm64, Release), @"cargo lambda build --arm64 --output-format binary --lambda-dir target/lambda --release --package chat --bin chat-authorizer --bin chat-handler");
        insta::assert_snapshot!(line(CargoLambda, X86_64, Release), @"cargo lambda build --x86-64 --output-format binary --lambda-dir target/lambda --release --package chat --bin chat-authorizer --bin chat-handler");
        insta::assert_snapshot!(line(CargoLambda, X86_64, Dev), @"cargo lambda build --x86-64 --output-format binary --lambda-dir target/lambda --package chat --bin chat-authorizer --bin chat-handler");
    }

    #[test]
    fn cargo_lambda_compiles_if_it_is_on_the_path_and_can_be_run() {
        let folder = tempfile::tempdir().unwrap();
        let arm64 = BTreeSet::from([Architecture::Arm64]);
        let path = path_with_cargo_lambda(folder.path(), 0o755);
        let compiler = LambdaCompiler::choose(&path, LINUX, &arm64).unwrap();
        assert_eq!(compiler, LambdaCompiler::CargoLambda);
        let path = path_with_cargo_lambda(folder.path(), 0o644);
        assert!(LambdaCompiler::choose(&path, LINUX, &arm64).is_err());
    }

    #[test]
    fn cargo_alone_compiles_only_for_the_machine_it_runs_on() {
        let none = OsStr::new("/nowhere");
        let x86_64 = BTreeSet::from([Architecture::X86_64]);
        let both = BTreeSet::from([Architecture::Arm64, Architecture::X86_64]);
        let compiler = LambdaCompiler::choose(none, LINUX, &x86_64).unwrap();
        assert_eq!(compiler, LambdaCompiler::Cargo);
        let refused = LambdaCompiler::choose(none, LINUX, &both).unwrap_err();
        let problem = &refused.problems[0].problem;
        insta::assert_snapshot!(problem.message, @"cannot compile for arm64 on this machine (x86_64-unknown-linux-gnu) without cargo-lambda");
        insta::assert_snapshot!(problem.hint.as_deref().unwrap(), @"install it: `pip install cargo-lambda`");
        assert!(LambdaCompiler::choose(none, "x86_64-unknown-linux-musl", &x86_64).is_err());
        assert!(LambdaCompiler::choose(none, "aarch64-apple-darwin", &x86_64).is_err());
    }
}
