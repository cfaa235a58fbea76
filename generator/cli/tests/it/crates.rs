//! The crates that `cargo package` makes of this repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;

use crate::common::{Sandbox, root, target};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A crate that can be published.
struct Published {
    name: String,
    folder: PathBuf,
    metadata: Value,
}

fn cargo(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--offline")
        .current_dir(root())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?}\n{errors}");
    output
}

fn published() -> Vec<Published> {
    let output = cargo(&["metadata", "--no-deps", "--format-version=1"]);
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        // `publish = false` is an empty list of registries.
        .filter(|package| package["publish"].is_null())
        .map(|package| Published {
            name: package["name"].as_str().unwrap().to_owned(),
            folder: Path::new(package["manifest_path"].as_str().unwrap())
                .parent()
                .unwrap()
                .to_owned(),
            metadata: package.clone(),
        })
        .collect()
}

/// Returns the folder with the packages of all crates, which are made once.
fn packages() -> &'static Path {
    static PACKAGES: OnceLock<PathBuf> = OnceLock::new();
    PACKAGES.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("crates");
        let out = folder.to_str().unwrap();
        let crates = published();
        let mut arguments = vec![
            "package",
            "--no-verify",
            "--allow-dirty",
            "--target-dir",
            out,
        ];
        for package in &crates {
            arguments.extend(["--package", &package.name]);
        }
        let output = cargo(&arguments);
        let errors = String::from_utf8(output.stderr).unwrap();
        let warnings: Vec<_> = errors
            .lines()
            // Tests and examples stay in the repository.
            .filter(|line| line.starts_with("warning: ") && !line.contains(": ignoring "))
            .collect();
        assert!(warnings.is_empty(), "{warnings:#?}");
        folder.join("package")
    })
}

/// Unpacks a crate, and returns its folder.
pub(crate) fn unpacked(name: &str, into: &Path) -> PathBuf {
    let archive = packages().join(format!("{name}-{VERSION}.crate"));
    let mut command = Command::new("tar");
    command.arg("--extract").arg("--gzip").arg("--file");
    let status = command.arg(archive).current_dir(into).status().unwrap();
    assert!(status.success(), "{name}");
    into.join(format!("{name}-{VERSION}"))
}

#[test]
fn cargo_packages_every_published_crate_without_a_warning() {
    for package in published() {
        let file = packages().join(format!("{}-{VERSION}.crate", package.name));
        assert!(file.is_file(), "{}", file.display());
    }
}

#[test]
fn published_crates_say_what_they_are() {
    for package in published() {
        for field in ["description", "license", "repository"] {
            assert!(
                package.metadata[field].is_string(),
                "{}: {field}",
                package.name
            );
        }
    }
}

#[test]
fn published_crates_depend_on_published_crates_of_the_same_version() {
    let published = published();
    let names: BTreeSet<_> = published.iter().map(|it| it.name.as_str()).collect();
    for package in &published {
        for dependency in package.metadata["dependencies"].as_array().unwrap() {
            let is_ours = !dependency["path"].is_null();
            if !is_ours || dependency["kind"] == "dev" {
                continue;
            }
            let name = dependency["name"].as_str().unwrap();
            assert!(names.contains(name), "{} uses {name}", package.name);
            let version = dependency["req"].as_str().unwrap();
            let version = version.trim_start_matches(['=', '^']);
            assert_eq!(version, VERSION, "{} uses {name}", package.name);
        }
    }
}

/// Returns the files of this repository that the build of the binary read, from the list that cargo writes beside it.
fn read_by_the_build() -> BTreeSet<PathBuf> {
    let binary = Path::new(env!("CARGO_BIN_EXE_stackgen"));
    let list = fs::read_to_string(binary.with_extension("d")).unwrap();
    let (_, files) = list.split_once(": ").unwrap();
    // A blank in a path has a backslash before it.
    let files = files.replace("\\ ", "\0");
    let files = files.split_whitespace().map(|file| file.replace('\0', " "));
    let files = files.filter_map(|file| root().join(file).canonicalize().ok());
    files
        .filter(|file| file.is_file() && file.starts_with(root()) && !file.starts_with(target()))
        .collect()
}

#[test]
fn packages_contain_every_file_that_the_build_reads() {
    let mut packaged = BTreeSet::new();
    for package in published() {
        let output = cargo(&[
            "package",
            "--list",
            "--allow-dirty",
            "--package",
            &package.name,
        ]);
        let list = String::from_utf8(output.stdout).unwrap();
        // The links in `sources` lead to files elsewhere, which cargo copies.
        let files = list.lines().map(|file| package.folder.join(file));
        packaged.extend(files.filter_map(|file| file.canonicalize().ok()));
    }
    let read = read_by_the_build();
    for file in [
        "generator/cfn/src/lib.rs",
        "Cargo.toml",
        "templates/echo/stackgen.yaml",
    ] {
        assert!(read.contains(&root().join(file)), "{file} is embedded");
    }
    let missing: Vec<_> = read.difference(&packaged).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Runs the build script of a crate's folder, and returns the names and texts that it embeds.
fn embedded(program: &Path, folder: &Path, out: &Path) -> BTreeSet<(String, String)> {
    fs::create_dir(out).unwrap();
    let mut command = Command::new(program);
    command
        .env("CARGO_MANIFEST_DIR", folder)
        .env("OUT_DIR", out);
    assert!(command.output().unwrap().status.success());
    let code = fs::read_to_string(out.join("sources.rs")).unwrap();
    let entry = |line: &str| {
        let (name, path) = line
            .trim()
            .strip_prefix("(\"")?
            .split_once("\", include_str!(\"")?;
        let text = fs::read_to_string(path.strip_suffix("\")),")?).unwrap();
        Some((name.to_owned(), text))
    };
    code.lines().filter_map(entry).collect()
}

#[test]
fn the_packaged_build_script_embeds_the_same_files() {
    let sandbox = Sandbox::new();
    let packaged = unpacked("stackgen", sandbox.path());
    let program = sandbox.path().join("build-script");
    let compiled = Command::new("rustc")
        .args(["--edition", "2024", "-o"])
        .args([&program, &packaged.join("build.rs")])
        .output()
        .unwrap();
    assert!(compiled.status.success(), "{compiled:?}");
    let here = root().join("generator/cli");
    let original = embedded(&program, &here, &sandbox.path().join("here"));
    assert!(original.len() > 200, "{}", original.len());
    let copied = embedded(&program, &packaged, &sandbox.path().join("packaged"));
    assert_eq!(copied, original);
}
