//! Embeds the files that `stackgen init` writes: the starters, and the handlers that they share.
//!
//! The files are in `sources`, as links to the rest of the repository. In a published crate they are copies, so this reads
//! nothing outside of the crate's folder. Cargo leaves out folders with a Cargo.toml; theirs are named manifest.toml.

#![allow(
    clippy::print_stdout,
    reason = "this is how a build script talks to cargo"
)]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Files of the repository's root: in `sources`, and by their names in a project.
const ROOT_FILES: [(&str, &str); 4] = [
    ("LICENSE-APACHE", "LICENSE-APACHE"),
    ("LICENSE-MIT", "LICENSE-MIT"),
    ("clippy.toml", "clippy.toml"),
    ("workspace.toml", "Cargo.toml"),
];

/// Folders to embed.
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
    let sources = from("CARGO_MANIFEST_DIR").join("sources");
    let mut files: Vec<(String, PathBuf)> = Vec::new();
    for (file, name) in ROOT_FILES {
        files.push((name.to_owned(), PathBuf::from(file)));
    }
    for folder in FOLDERS {
        walk(&sources, Path::new(folder), &mut files)?;
    }
    files.sort();
    let mut code = String::from("&[\n");
    for (name, file) in files {
        // The file itself and not the link, so that a change of it is noticed.
        let path = sources.join(file).canonicalize()?;
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

/// Adds every source file under a folder, by its name in the repository.
fn walk(sources: &Path, folder: &Path, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    // A new file changes the folder.
    let real = sources.join(folder).canonicalize()?;
    println!("cargo:rerun-if-changed={}", real.display());
    for entry in fs::read_dir(&real)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let path = folder.join(&name);
        if sources.join(&path).is_dir() {
            if !LEFT_BEHIND.contains(&name.as_str()) {
                walk(sources, &path, files)?;
            }
        } else if NAMES.contains(&name.as_str())
            || EXTENSIONS
                .iter()
                .any(|known| path.extension().is_some_and(|it| it == *known))
        {
            files.push((repository_name(&path), path));
        }
    }
    Ok(())
}

/// Returns the path of a file in the repository, with `/` on every system: paths are keys of a TOML file, too.
fn repository_name(path: &Path) -> String {
    let named = match path.ends_with("manifest.toml") {
        true => path.with_file_name("Cargo.toml"),
        false => path.to_owned(),
    };
    named.to_string_lossy().replace('\\', "/")
}
