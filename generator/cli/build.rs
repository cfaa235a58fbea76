//! Embeds the files that `stackgen init` writes: the starters, and the handlers that they share.

#![allow(
    clippy::print_stdout,
    reason = "this is how a build script talks to cargo"
)]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Folders of the repository to embed.
const FOLDERS: [&str; 2] = ["handlers", "templates"];

/// Extensions of files that a project needs. The repository's own scripts have none.
const EXTENSIONS: [&str; 12] = [
    "css", "html", "js", "json", "jsonl", "lock", "md", "rs", "snap", "svg", "toml", "yaml",
];

/// Files without an extension that a project needs.
const NAMES: [&str; 1] = ["Makefile"];

/// Folders of builds, of `synth` and of npm, which are skipped.
const LEFT_BEHIND: [&str; 3] = ["node_modules", "out", "target"];

fn main() -> io::Result<()> {
    let from = |variable: &str| PathBuf::from(env::var_os(variable).unwrap_or_default());
    let root = from("CARGO_MANIFEST_DIR").join("../..").canonicalize()?;
    let mut files = vec![PathBuf::from("Cargo.toml"), PathBuf::from("clippy.toml")];
    for folder in FOLDERS {
        println!("cargo:rerun-if-changed={}", root.join(folder).display());
        walk(&root, Path::new(folder), &mut files)?;
    }
    files.sort();
    let mut code = String::from("&[\n");
    for file in files {
        // With `/` on every system: these are names, and the keys of a TOML file's paths.
        let name = file.to_string_lossy().replace('\\', "/");
        let path = root.join(&file);
        let _ = writeln!(code, "    ({name:?}, include_str!({path:?})),");
    }
    code.push(']');
    fix_addresses();
    fs::write(from("OUT_DIR").join("sources.rs"), code)
}

/// Links a release for Linux at fixed addresses. At random ones, the loader would have to correct 80,000 addresses at every
/// start, which takes longer than most commands.
fn fix_addresses() {
    let is = |variable: &str, value: &str| env::var(variable).as_deref() == Ok(value);
    let is_linux = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if is("PROFILE", "release") && is_linux {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}

/// Adds every source file under a folder, by its path from the root.
fn walk(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = folder.join(&name);
        if entry.file_type()?.is_dir() {
            if !LEFT_BEHIND.contains(&name.as_str()) {
                walk(root, &path, files)?;
            }
        } else if NAMES.contains(&name.as_str())
            || EXTENSIONS
                .iter()
                .any(|known| path.extension().is_some_and(|it| it == *known))
        {
            files.push(path);
        }
    }
    Ok(())
}
